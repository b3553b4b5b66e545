"""One conversation: the pipeline, in talking order, and what happens around it."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import aiohttp
from loguru import logger
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.runner.types import RunnerArguments
from pipecat.transports.base_transport import BaseTransport

from sessions import metrics
from sessions.transcript import Transcript

from .budget import Budget, admit
from .direct.choice import is_direct
from .entry import CleanEars, Entry
from .guard.cast import cast
from .guard.face import FaceGuard
from .guard.guards import Guards
from .guard.price import PaidFace
from .guard.speech import Speech, build_speech
from .hold import Hold
from .host import Host
from .keeping import keep
from .latency import TurnLatency
from .media.marks import Marks
from .meeting import Meeting
from .meter import Meter, Staying
from .mind.memory import memory_of
from .notes import follow_errors, follow_face, follow_speed
from .onlookers import Onlookers, Spared
from .page import follow_page, follow_returns, follow_spend, follow_view
from .parts import Lineup, comes_to_room, load
from .persona import Persona
from .recorder import Recorder
from .settings import Settings
from .size import picture_size
from .traces import TRACES
from .trouble import ROOM_CLOSES
from .turns.ahead import prepare_ahead
from .turns.filler import Filler
from .turns.floor import Volume
from .turns.owner import TurnOwner
from .turns.speculation import Speculation
from .turns.taking import turns_for

# Vendors are asked once a turn, so a connection is kept for longer than aiohttp's 15 s.
KEPT_S = 120.0
# A page that can send anything has done so by then.
PAGE_S = 3.0
# The arrival of another user in a room is known after so long.
ARRIVES_S = 1.0


class ShowsFace(Protocol):
    """What an avatar part builds, beside being a processor."""

    @property
    def shows_face(self) -> bool:
        """Whether there is a face to wait for."""
        ...


@dataclass(frozen=True)
class Conversation:
    """A conversation that is built and not yet running."""

    worker: PipelineWorker
    meeting: Meeting
    host: Host
    recorder: Recorder
    speculation: Speculation
    hold: Hold
    guards: Guards
    transcript: Transcript
    budget: Budget

    async def spent(self, reason: str) -> None:
        """Tell the user, if there is one, that it has cost as much as it may, and end."""
        if self.hold.away or not self.host.greeted:
            await self.worker.cancel(reason=reason)
        else:
            self.host.spent(reason)

    async def farewell(self) -> None:
        """Tell the user, if there is one, that the server is stopped, and end."""
        if self.hold.away or not self.host.greeted:
            await self.worker.cancel(reason="the server stops")
        else:
            await self.host.update()


@dataclass(frozen=True)
class Request:
    """What one conversation is made of: settings, who takes part, and who asks for it."""

    settings: Settings
    lineup: Lineup
    persona: Persona
    arguments: RunnerArguments

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels of the face's pictures."""
        return picture_size(self.settings, self.lineup["avatar"].part.value)


@asynccontextmanager
async def open_conversation(request: Request) -> AsyncIterator[Conversation]:
    """Build a conversation; what it needs is open while it lasts, and closed afterwards.

    Raises:
        UserError: a part cannot be built as the settings ask.
        Spent: conversations have cost as much as they may today.
        PartFailed: whether they have is not known.
    """
    await admit(request.settings, request.lineup)
    transcript = Transcript()
    connector = aiohttp.TCPConnector(keepalive_timeout=KEPT_S)
    async with aiohttp.ClientSession(connector=connector) as http:
        try:
            conversation = assemble(request, http, transcript, await _meet(request, http))
            keep(transcript, request.settings, request.arguments.session_id or "conversation")
            lineup = {kind: choice.part.value for kind, choice in request.lineup.items()}
            transcript.event("started", persona=request.persona.name, lineup=lineup)
            conversation.budget.watch(conversation.spent)
            try:
                with metrics.conversing():
                    yield conversation
            finally:
                await conversation.guards.close()
                await conversation.host.close()
                conversation.recorder.close()
                await conversation.budget.close()
                if missed := _missed(conversation, transcript.now_s):
                    transcript.event("error", text=missed)
                _end(transcript, conversation.speculation, conversation.budget)
        finally:
            transcript.close()


def _missed(conversation: Conversation, lasted_s: float) -> str:
    """What kept the user from coming in, or their page from sending a word, if anything did."""
    host, meeting = conversation.host, conversation.meeting
    if not host.greeted:
        return meeting.unmet
    return meeting.unread if lasted_s > PAGE_S and not host.has_page else ""


def _end(transcript: Transcript, speculation: Speculation, budget: Budget) -> None:
    ahead = speculation.close()
    transcript.event("ended", ahead=ahead, spend=budget.bill.told)
    calls, for_nothing = ahead["calls"], ahead["for_nothing"]
    logger.info(f"The conversation is over. Answers begun early: {calls}, {for_nothing} in vain.")


def assemble(
    request: Request, http: aiohttp.ClientSession, transcript: Transcript, meeting: Meeting
) -> Conversation:
    """The pipeline of a conversation at a place, and all that follows it.

    Raises:
        UserError: a part cannot be built as the settings ask.
    """
    settings, persona = request.settings, request.persona
    speech = build_speech(request, http, transcript)
    budget = Budget(settings, request.lineup, Meter(settings, speech.parts))
    avatar = _face(request, http, meeting, transcript, budget.meter)
    filler = [Filler(persona.filler)] if persona.filler else []
    turns = turns_for(speech.ears[0], settings.avatar_idle_s, memory_of(speech.minds))
    prepare_ahead(turns, speech.minds, speech.voices)
    guards = Guards(speech, persona, settings.avatar_thinking_s)
    latency, speculation, hold = TurnLatency(), Speculation(), _hold(request, speech)
    ears = [each for each in speech.ears if isinstance(each, TurnOwner)]
    onlookers = Onlookers(latency, speculation, *(each.said for each in ears))
    recorder = Recorder(transcript, turns, latency, ears)
    worker = Spared(
        Pipeline(
            [
                meeting.transport.input(),
                speech.stt,
                CleanEars(),
                turns.user(),
                hold,
                speech.llm,
                *filler,
                speech.tts,
                avatar,
                *meeting.pictures,
                Volume(),
                meeting.transport.output(),
                Marks(),
                turns.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        observers=[onlookers, budget.meter],
        idle_timeout_secs=None,
        rtvi_processor=Entry(meeting.transport.output()),
        **_traced(request),
    )
    host = Host(worker, persona, settings.avatar_max_duration_s, settings.avatar_idle_s)
    _follow_user(meeting, avatar, turns, worker, host, hold)
    _follow_absence(worker, hold, transcript)
    _follow_price(avatar, hold)
    follow_page(worker, latency, speculation, host)
    follow_view(worker, meeting.look)
    follow_speed(latency)
    follow_returns(worker, hold, recorder, transcript)
    follow_spend(worker, turns, budget)
    _follow_ears(ears, speculation, worker, meeting.muted)
    guards.follow(worker, host, turns)
    follow_errors(speech.news, worker, transcript)
    return Conversation(
        worker, meeting, host, recorder, speculation, hold, guards, transcript, budget
    )


def _traced(request: Request) -> dict[str, Any]:
    """Whether it is traced, and by which id."""
    traced = TRACES.begin(request.settings)
    return {
        "enable_tracing": traced,
        "enable_turn_tracking": traced,
        "conversation_id": request.arguments.session_id,
    }


def _direct() -> Callable[..., Meeting]:
    """How a room is built that LiveAvatar joins itself; imported when it is needed."""
    from .direct.meeting import build_direct

    return build_direct


async def _meet(request: Request, http: aiohttp.ClientSession) -> Meeting:
    chosen = request.lineup["transport"].part
    direct = comes_to_room(request.lineup) and is_direct(request.settings)
    build = _direct() if direct else load(chosen).build
    extra = {"persona": request.persona} if direct or chosen.value == "heygen" else {}
    meeting = build(request.settings, http, request.arguments, request.size, **extra)
    return await meeting if inspect.isawaitable(meeting) else meeting


def _face(
    request: Request,
    http: aiohttp.ClientSession,
    meeting: Meeting,
    transcript: Transcript,
    meter: Meter,
) -> Any:
    """The face, and what goes on without it; the voice alone needs neither."""
    settings, avatar = request.settings, request.lineup["avatar"].part

    def face() -> Any:
        part = load(avatar)
        built = meeting.face() if meeting.face else part.build(settings, request.persona, http)
        if isinstance(built, Staying):
            meter.count(built.stay)
        return built

    asked = avatar.value
    if asked == "none":
        return face()
    faces = cast(asked, face, settings, request.persona, http, request.size)
    if meeting.stay:  # a room ends with its session
        meter.count(meeting.stay)
        faces = replace(faces, rolls_over=False, leaving=ROOM_CLOSES)
    is_paid = asked == "heygen" and not meeting.stay
    early = settings.avatar_prewarm
    guard = PaidFace(faces, early=early) if is_paid else FaceGuard(faces)
    follow_face(guard, asked, transcript)
    return guard


def _hold(request: Request, speech: Speech) -> Hold:
    hold = Hold(request.settings.avatar_return_s, request.persona.welcome_back)
    hold.follow(speech.minds)
    return hold


def _follow_user(
    meeting: Meeting,
    avatar: ShowsFace,
    turns: LLMContextAggregatorPair,
    worker: PipelineWorker,
    host: Host,
    hold: Hold,
) -> None:
    """Greet who comes, ask who is silent, wait for the last one who drops."""
    transport = meeting.transport

    @transport.event_handler("on_client_connected")
    async def came(*_: Any) -> None:
        if isinstance(avatar, PaidFace):
            avatar.user_came()
        host.user_came(meeting.face_visible if avatar.shows_face else None)
        await hold.meet()
        if meeting.reached:
            hold.watch(meeting.reached)

    @worker.event_handler("on_pipeline_started")
    async def opened(*_: Any) -> None:
        host.expect_user()
        if meeting.alive and meeting.alive():
            host.watch(meeting.alive)
        if meeting.tell:
            host.beat(meeting.tell)

    @transport.event_handler("on_client_disconnected")
    async def left(_: BaseTransport, who: Any) -> None:
        if meeting.occupied:
            # Who comes as another leaves, or comes again, may be told of a moment later.
            await asyncio.sleep(ARRIVES_S)
            if meeting.occupied(_id(who)):
                return
        await hold.drop()

    @turns.user().event_handler("on_user_turn_started")
    async def spoke(*_: Any) -> None:
        host.user_spoke()

    @turns.user().event_handler("on_user_turn_idle")
    async def silent(*_: Any) -> None:
        off = meeting.muted is not None and meeting.muted()
        await host.user_is_silent(muted=off or hold.away)


def _follow_absence(worker: PipelineWorker, hold: Hold, transcript: Transcript) -> None:
    """Write down who drops and comes back; end when they do not."""

    @hold.event_handler("on_user_gone")
    async def gone(*_: Any) -> None:
        transcript.event("gone")

    @hold.event_handler("on_user_back")
    async def back(*_: Any) -> None:
        transcript.event("back")

    @hold.event_handler("on_user_left")
    async def left(*_: Any) -> None:
        await worker.cancel(reason="the user left")


def _follow_price(face: ShowsFace, hold: Hold) -> None:
    """Pay for a face while somebody sees it, where it costs anything."""
    if not isinstance(face, PaidFace):
        return

    @hold.event_handler("on_user_gone")
    async def gone(*_: Any) -> None:
        await face.user_left()

    @hold.event_handler("on_user_back")
    async def back(*_: Any) -> None:
        face.user_came()


def _id(user: Any) -> str:
    """The id of a user, by which a transport may mean an object that has it."""
    return str(user["id"] if isinstance(user, Mapping) else user)


def _follow_ears(
    ears: Sequence[TurnOwner],
    speculation: Speculation,
    worker: PipelineWorker,
    muted: Callable[[], bool] | None = None,
) -> None:
    """Tell the page of a turn that is taken back: what it showed since then was not said.

    `muted` tells the ears of a microphone that is off on purpose.
    """

    async def taken_back(_ears: TurnOwner) -> None:
        speculation.taken_back()
        await worker.queue_frame(RTVIServerMessageFrame({"type": "taken-back"}))

    for each in ears:
        each.muted = muted
        each.add_event_handler("on_turn_taken_back", taken_back)
