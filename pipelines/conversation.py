"""One conversation: the pipeline, in talking order, and what happens around it."""

import asyncio
import inspect
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from loguru import logger
from pipecat.frames.frames import ErrorFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.processors.frameworks.rtvi.models import ClientMessage
from pipecat.runner.types import RunnerArguments
from pipecat.transports.base_transport import BaseTransport

from sessions.transcript import Transcript

from .entry import CleanEars, Entry
from .host import Host
from .keeping import keep
from .latency import Turn, TurnLatency, message
from .media.marks import Marks
from .meeting import Meeting, picture_size
from .mind.memory import memory_of
from .parts import Lineup, Part, load
from .persona import Persona
from .recorder import Recorder
from .settings import Settings
from .trouble import sentence
from .turns.ahead import prepare_ahead
from .turns.filler import Filler
from .turns.floor import Volume
from .turns.owner import TurnOwner
from .turns.speculation import Speculation
from .turns.taking import turns_for

# Vendors are asked once a turn, so a connection is kept for longer than aiohttp's 15 s.
KEPT_S = 120.0
# The arrival of another user in a room is known after so long.
ARRIVES_S = 1.0
# Messages of the page in which the user does something without a word.
PRESENCE = ("interrupt", "typing")


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
    """
    transcript = Transcript()
    connector = aiohttp.TCPConnector(keepalive_timeout=KEPT_S)
    async with aiohttp.ClientSession(connector=connector) as http:
        try:
            conversation = await _build(request, http, transcript)
            keep(transcript, request.settings, request.arguments.session_id or "conversation")
            lineup = {kind: choice.part.value for kind, choice in request.lineup.items()}
            transcript.event("started", persona=request.persona.name, lineup=lineup)
            try:
                yield conversation
            finally:
                await conversation.host.close()
                conversation.recorder.close()
                _end(transcript, conversation.speculation)
        finally:
            transcript.close()


def _end(transcript: Transcript, speculation: Speculation) -> None:
    ahead = speculation.close()
    transcript.event("ended", ahead=ahead)
    calls, for_nothing = ahead["calls"], ahead["for_nothing"]
    logger.info(f"The conversation is over. Answers begun early: {calls}, {for_nothing} in vain.")


async def _build(
    request: Request, http: aiohttp.ClientSession, transcript: Transcript
) -> Conversation:
    settings, persona = request.settings, request.persona
    meeting = await _meet(request, http)
    stt, llm, tts = (_part(request, kind, http) for kind in ("stt", "llm", "tts"))
    avatar = None if meeting.brings_face else _part(request, "avatar", http)
    face = [avatar, *meeting.pictures] if avatar else []
    filler = [Filler(persona.filler)] if persona.filler else []
    turns = turns_for(stt, settings.avatar_idle_s, memory_of(llm))
    prepare_ahead(turns, llm, tts)
    transport = meeting.transport
    latency, speculation = TurnLatency(), Speculation()
    ears = stt if isinstance(stt, TurnOwner) else None
    recorder = Recorder(transcript, turns, latency, ears)
    worker = PipelineWorker(
        Pipeline(
            [
                transport.input(),
                stt,
                CleanEars(),
                turns.user(),
                llm,
                *filler,
                tts,
                *face,
                Volume(),
                transport.output(),
                Marks(),
                turns.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        observers=[latency, speculation, *([ears.said] if ears else [])],
        idle_timeout_secs=None,
        rtvi_processor=Entry(),
    )
    host = Host(worker, persona, settings.avatar_max_duration_s, settings.avatar_idle_s)
    _follow_user(meeting, avatar, turns, worker, host)
    _follow_page(worker, latency, speculation, host)
    if ears:
        ears.muted = meeting.muted
        _follow_ears(ears, speculation, worker)
    _follow_errors(request, {"stt": stt, "llm": llm, "tts": tts}, worker, transcript)
    return Conversation(worker, meeting, host, recorder, speculation)


async def _meet(request: Request, http: aiohttp.ClientSession) -> Meeting:
    chosen = request.lineup["transport"].part
    build = load(chosen).build
    extra = {"persona": request.persona} if chosen.value == "heygen" else {}
    meeting = build(request.settings, http, request.arguments, request.size, **extra)
    return await meeting if inspect.isawaitable(meeting) else meeting


def _part(request: Request, kind: str, http: aiohttp.ClientSession) -> Any:
    return load(request.lineup[kind].part).build(request.settings, request.persona, http)


def _follow_user(
    meeting: Meeting,
    avatar: ShowsFace | None,
    turns: LLMContextAggregatorPair,
    worker: PipelineWorker,
    host: Host,
) -> None:
    """Greet who comes, ask who is silent, end when the last user leaves."""
    transport = meeting.transport

    @transport.event_handler("on_client_connected")
    async def came(*_: Any) -> None:
        host.user_came(meeting.face_visible if avatar and avatar.shows_face else None)

    @worker.event_handler("on_pipeline_started")
    async def opened(*_: Any) -> None:
        host.expect_user()
        if meeting.alive and meeting.alive():
            host.watch(meeting.alive)

    @transport.event_handler("on_client_disconnected")
    async def left(_: BaseTransport, who: Any) -> None:
        if meeting.occupied:
            # Who comes as another leaves may be told of a moment later.
            await asyncio.sleep(ARRIVES_S)
            if meeting.occupied(_id(who)):
                return
        await worker.cancel(reason="the user left")

    @turns.user().event_handler("on_user_turn_started")
    async def spoke(*_: Any) -> None:
        host.user_spoke()

    @turns.user().event_handler("on_user_turn_idle")
    async def silent(*_: Any) -> None:
        await host.user_is_silent(muted=meeting.muted is not None and meeting.muted())


def _id(user: Any) -> str:
    """The id of a user, by which a transport may mean an object that has it."""
    return str(user["id"] if isinstance(user, Mapping) else user)


def _follow_page(
    worker: PipelineWorker, latency: TurnLatency, speculation: Speculation, host: Host
) -> None:
    """Fall silent when the page asks for it, and tell it how fast every turn was.

    Who types or clicks is there, as is who speaks.
    """
    numbers = itertools.count(1)

    @worker.rtvi.event_handler("on_client_message")
    async def asked(rtvi: RTVIProcessor, asked: ClientMessage) -> None:
        if asked.type == "interrupt":
            await rtvi.interrupt_bot()
        if asked.type in PRESENCE:
            await host.user_is_here()
        if asked.type == "microphone" and isinstance(asked.data, dict):
            await host.microphone(muted=bool(asked.data.get("muted")))
        if asked.type == "sound" and isinstance(asked.data, dict):
            blocked = bool(asked.data.get("blocked"))
            await host.sound(blocked=blocked)
            if blocked:
                await rtvi.interrupt_bot()

    @latency.event_handler("on_typed")
    async def typed(*_: Any) -> None:
        await host.user_typed()

    @latency.event_handler("on_turn_measured")
    async def measured(_latency: TurnLatency, turn: Turn) -> None:
        told = message(turn, next(numbers), speculation.counts)
        await worker.queue_frame(RTVIServerMessageFrame(told))


def _follow_ears(ears: TurnOwner, speculation: Speculation, worker: PipelineWorker) -> None:
    """Tell the page of a turn that is taken back: what it showed since then was not said."""

    @ears.event_handler("on_turn_taken_back")
    async def taken_back(_ears: TurnOwner) -> None:
        speculation.taken_back()
        await worker.queue_frame(RTVIServerMessageFrame({"type": "taken-back"}))


def _follow_errors(
    request: Request,
    processors: Mapping[str, FrameProcessor],
    worker: PipelineWorker,
    transcript: Transcript,
) -> None:
    """Tell the user what failed and how to mend it; end what cannot go on."""

    def part_of(error: ErrorFrame) -> Part | None:
        kind = next((k for k, p in processors.items() if p is error.processor), None)
        return request.lineup[kind].part if kind else None

    @worker.event_handler("on_pipeline_error")
    async def failed(_worker: PipelineWorker, error: ErrorFrame) -> None:
        part = part_of(error)
        text = sentence(part, error) if part else error.error
        transcript.event("error", text=text)
        logger.error(text)
        if part and error.processor and not error.processor.is_usable:
            await worker.queue_frame(RTVIServerMessageFrame({"type": "failed", "text": text}))
            await worker.stop_when_done()
