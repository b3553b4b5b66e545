"""Who sends an agent to each FULL session; Pipecat is loaded with the first of them."""

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from liveavatar.orders import agent_identity
from liveavatar.wire import EndReason, FullRequest, TokenRequest
from pipelines.errors import UserError
from pipelines.settings import Settings
from sandbox.account import Account
from sandbox.brief import Brief, brief_of
from sandbox.errors import AgentFailed
from sandbox.faults import AGENT, Faults
from sandbox.performance import Performance
from sandbox.shelves import Shelves
from sandbox.tokens import LiveKit

if TYPE_CHECKING:
    from sandbox.agent.agent import Agent


class Agency:
    """Knows what sessions ask for, and with which parts the operator answers."""

    def __init__(
        self, account: Account, shelves: Shelves, faults: Faults, settings: Settings
    ) -> None:
        self._account, self._shelves = account, shelves
        self._faults, self._settings = faults, settings

    def brief(self, request: TokenRequest) -> Brief | None:
        """What a FULL session asks for; None in LITE.

        Raises: BadRequest when it names what does not exist, or lacks a variable.
        """
        if not isinstance(request, FullRequest):
            return None
        return brief_of(request, self._shelves, self._account)

    async def send(
        self,
        brief: Brief,
        performance: Performance,
        livekit: LiveKit,
        lifetime_s: float,
        end: Callable[[EndReason], None],
    ) -> "Agent | None":
        """An agent that is in the session's room and ready to run; None where a fault says so.

        Raises: AgentFailed.
        """
        if self._faults.strike(AGENT, "never-joins"):
            return None
        module = await asyncio.to_thread(importlib.import_module, "sandbox.agent.agent")
        agent: Agent = module.Agent(
            brief, performance, self._account, self._faults, self._settings, end
        )
        performance.attach(agent)
        session = performance.session
        token = livekit.token(session.id, agent_identity(session.id), lifetime_s)
        try:
            await agent.build()
        except UserError as error:
            raise AgentFailed(str(error)) from error
        await agent.join(livekit.url, token)
        return agent
