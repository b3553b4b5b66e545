"""One conversation that LiveAvatar runs, from what it is asked for to the last line of it."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from loguru import logger

from liveavatar.errors import LiveAvatarError
from liveavatar.records import Started
from liveavatar.wire import FullRequest
from pipelines.budget import Budget, admit
from pipelines.conversation import Request
from pipelines.errors import AvatarError, Ended, Incompatible, PartFailed
from pipelines.keeping import keep
from pipelines.lent import LentMind
from pipelines.meeting import Invitation
from pipelines.meter import Meter
from pipelines.parts import BROUGHT, load
from pipelines.persona import Persona
from pipelines.race import done_before
from pipelines.settings import Settings
from sessions import metrics
from sessions.transcript import Transcript

from .events import Happening
from .host import Host
from .page import FullRunnerArguments, Page, wants_button
from .record import Record
from .refusal import sentence
from .session import Session
from .turns import Turns
from .wish import full_request, is_unknown

# LiveAvatar's transcript is asked for when an answer is over, and so often in any case.
POLL_S, SETTLES_S = 10.0, 0.5
# At the end it is asked for until LiveAvatar says that nothing follows, but not for longer.
LAST_WAITS_S = (0.0, 0.5, 1.0, 2.0)
SPEND_S = 5.0
# The same for a process that is stopped, which is not waited for much longer (bots/running.py).
HURRY_S = 2.0
ENDED = "The conversation was ended before it has begun: call again in a minute."


@dataclass(frozen=True)
class Parts:
    """What takes part in it beside LiveAvatar."""

    settings: Settings
    persona: Persona
    session: Session
    page: Page
    push_to_talk: bool
    mind: LentMind | None = None


class FullConversation:
    """A conversation that is made and not yet begun: `begin()`, then `run()`."""

    def __init__(self, parts: Parts, transcript: Transcript, budget: Budget) -> None:
        self._parts, self._transcript, self._budget = parts, transcript, budget
        self._turns = Turns()
        self._record = Record(transcript, self._turns)
        button = parts.push_to_talk
        self._host = Host(
            parts.settings, parts.persona, parts.page, self._turns, push_to_talk=button
        )
        self._news, self._hurry = asyncio.Event(), asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._lasts_s, self._begun, self._told = math.inf, False, False
        parts.page.follow(self._hear)

    async def begin(self) -> Invitation:
        """Begin the session; where its user goes.

        Raises:
            Ended: the conversation is ended meanwhile.
            PartFailed: there is none; says why.
            UserError: something of the settings is not known to LiveAvatar.
        """
        beginning = asyncio.create_task(self._begin())
        if not await done_before(self._host.over.wait(), beginning):
            raise Ended(ENDED)
        started = beginning.result()
        self._begun = True
        self._lasts_s = started.max_session_duration or math.inf
        self._record.begin()
        return Invitation(started.livekit_url, started.livekit_client_token)

    async def _begin(self) -> Started:
        """Begin it; LiveAvatar may have lost what is stored of our mind, which is stored anew.

        If that is refused only once there is a session, the next conversation has it.
        """
        session, mind = self._parts.session, self._parts.mind
        try:
            return await session.begin(await self._request())
        except PartFailed as error:
            if not mind or not is_unknown(error.__cause__):
                raise
            mind.forget()
            if session.id:
                raise
        return await session.begin(await self._request())

    async def _request(self) -> FullRequest:
        parts = self._parts
        try:
            return await full_request(
                parts.session.live,
                parts.settings,
                parts.persona,
                push_to_talk=parts.push_to_talk,
                mind=parts.mind,
            )
        except LiveAvatarError as error:
            logger.warning(f"What a FULL session needs is not to be had: {error}")
            raise PartFailed(sentence(error, parts.settings)) from error

    async def run(self) -> None:
        """Hold it until it is over."""
        beside = [self._parts.session.keep_alive(), self._follow(), self._tell_spend()]
        tasks = [asyncio.create_task(work) for work in beside]
        host = asyncio.create_task(self._host.run(self._lasts_s))
        try:
            await asyncio.wait([host, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (host, *tasks):
                task.cancel()
            results = await asyncio.gather(host, *tasks, return_exceptions=True)
        broken = [each for each in results if isinstance(each, Exception)]
        if broken:
            raise broken[0]

    async def cancel(self, *, reason: str) -> None:
        """End it at once, and soon be closed."""
        self._hurry.set()
        self._host.end(reason)

    async def farewell(self) -> None:
        """Tell the user, if there is one, that the server is stopped, and end soon."""
        self._hurry.set()
        await self._host.update()

    async def spent(self, reason: str) -> None:
        """Tell the user, if there is one, that it has cost as much as it may, and end."""
        if self._host.is_visited:
            self._host.part(reason, self._parts.persona.spent)
        else:
            self._host.end(reason)

    async def close(self) -> None:
        """End the session, and write down all that was said in it, as often as one likes.

        Of a process that is stopped, as much as is known within two seconds: the end of a session
        that is not confirmed is asked for by the next one.
        """
        if self._closing:
            return
        self._closing = asyncio.create_task(self._end())
        try:
            if await done_before(self._hurry.wait(), self._closing, HURRY_S):
                self._closing.result()
        finally:
            if self._begun:
                self._turns.close(time.monotonic())
                if not self._told:
                    self._transcript.event("error", text="LiveAvatar does not give its transcript.")
                self._record.close()

    async def _end(self) -> None:
        await self._parts.session.end()
        if self._begun:
            self._turns.close(time.monotonic())
            self._told = await self._write_the_rest()

    async def _write_the_rest(self) -> bool:
        """Write what LiveAvatar has written down; whether it has told all of it."""
        session, said = self._parts.session, None
        for wait_s in LAST_WAITS_S:
            await asyncio.sleep(wait_s)
            said = await session.said(self._record.since)
            if said and said.is_over:
                break
        while said and self._record.take(said, last=True):
            said = await session.said(self._record.since)
        return said is not None

    def _hear(self, at_s: float, happening: Happening) -> None:
        self._host.hear(happening)
        turn = self._turns.take(at_s, happening)
        if turn and turn.who == "avatar":
            self._news.set()

    async def _follow(self) -> None:
        """Write down what LiveAvatar has written down; notice when it has ended the session."""
        over = 0
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), POLL_S)
                await asyncio.sleep(SETTLES_S)
            self._news.clear()
            if said := await self._parts.session.said(self._record.since):
                self._record.take(said)
                ended = said.is_over and self._host.is_visited
                over = over + 1 if ended else 0
                if over > 1:
                    self._host.stopped("UNKNOWN")

    async def _tell_spend(self) -> None:
        told: dict[str, Any] = {}
        while True:
            bill = self._budget.bill
            if bill.used and bill.told != told:
                told = bill.told
                self._parts.page.tell({"type": "spend", **told})
            await asyncio.sleep(SPEND_S)


@asynccontextmanager
async def open_full(request: Request) -> AsyncIterator[FullConversation]:
    """Make a conversation that LiveAvatar runs; it is over, and written down, afterwards.

    Raises:
        UserError: it cannot be had as the settings or the user ask.
        Spent: conversations have cost as much as they may today.
        PartFailed: whether they have is not known.
    """
    settings, lineup = request.settings, request.lineup
    await admit(settings, lineup)
    transcript = Transcript()
    async with aiohttp.ClientSession() as http:
        try:
            parts = _parts(request, http)
            meter = Meter(settings, {}, lineup["transport"].part)
            meter.count(parts.session.stay)
            budget = Budget(settings, lineup, meter)
            conversation = FullConversation(parts, transcript, budget)
            keep(transcript, settings, request.arguments.session_id or "conversation")
            chosen = {kind: choice.part.value for kind, choice in lineup.items()}
            transcript.event("started", persona=request.persona.name, lineup=chosen)
            budget.watch(conversation.spent)
            try:
                with metrics.conversing():
                    yield conversation
            except Ended:
                raise
            except AvatarError as error:
                transcript.event("error", text=str(error))
                raise
            finally:
                await conversation.close()
                await budget.close()
                transcript.event("ended", spend=budget.bill.told)
        finally:
            transcript.close()


def _parts(request: Request, http: aiohttp.ClientSession) -> Parts:
    arguments, settings = request.arguments, request.settings
    session = load(request.lineup["transport"].part).build(settings, http)
    assert isinstance(arguments, FullRunnerArguments)
    mind = arguments.mind
    if not mind and request.lineup["llm"].part not in BROUGHT.values():
        raise Incompatible("A mind of ours is lent by a server alone", "start it with `avatar`")
    button = wants_button(arguments.body)
    return Parts(settings, request.persona, session, arguments.page, button, mind)
