"""Who sends an agent to each FULL session; Pipecat is loaded with the first of them."""

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from liveavatar.orders import agent_identity
from liveavatar.wire import EndReason, LiteRequest, TokenRequest
from pipelines.errors import UserError
from pipelines.settings import Settings
from sandbox.account import Account
from sandbox.brief import Brief, brief_of
from sandbox.errand import Errand, errand_of
from sandbox.errors import AgentFailed
from sandbox.faults import Faults
from sandbox.performance import Performance
from sandbox.shelves import Shelves
from sandbox.tokens import LiveKit

if TYPE_CHECKING:
    from sandbox.agent.presence import Presence

Task = Brief | Errand
# Who does it.
MODULES = {Brief: ("sandbox.agent.agent", "Agent"), Errand: ("sandbox.agent.envoy", "Envoy")}


class Agency:
    """Knows what sessions ask for, and with which parts the operator answers."""

    def __init__(
        self, account: Account, shelves: Shelves, faults: Faults, settings: Settings
    ) -> None:
        self._account, self._shelves = account, shelves
        self._faults, self._settings = faults, settings

    def brief(self, request: TokenRequest) -> Task | None:
        """What an agent is to do in a session; None where the client speaks by itself.

        Raises: BadRequest when it names what does not exist, or lacks a variable.
        """
        if isinstance(request, LiteRequest):
            return errand_of(request, self._shelves)
        return brief_of(request, self._shelves, self._account)

    async def send(
        self,
        task: Task,
        performance: Performance,
        livekit: LiveKit,
        lifetime_s: float,
        end: Callable[[EndReason], None],
    ) -> "Presence":
        """An agent that is in the session's room and ready to run.

        Raises: AgentFailed.
        """
        module, name = MODULES[type(task)]
        kind = getattr(await asyncio.to_thread(importlib.import_module, module), name)
        agent: Presence = kind(task, performance, self._account, self._faults, self._settings, end)
        performance.attach(agent)
        session = performance.session
        token = livekit.token(session.id, agent_identity(session.id), lifetime_s)
        try:
            await agent.build()
        except UserError as error:
            raise AgentFailed(str(error)) from error
        await agent.join(livekit.url, token)
        return agent
