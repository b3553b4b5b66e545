"""A hall to talk in: the real pipeline and real parts, a microphone and a loudspeaker of a test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from pipecat.frames.frames import (
    EndFrame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
    StartFrame,
)
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.types import RunnerArguments
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import BaseTransport, TransportParams
from pipecat.workers.runner import WorkerRunner

from pipelines.conversation import Conversation, Request, assemble
from pipelines.meeting import Meeting
from pipelines.mind.endpoint import Found
from pipelines.parts import Choice, choose
from pipelines.persona import Persona
from pipelines.settings import load_settings
from sessions.transcript import Transcript

RATE, LOUD, PIECE_S = 16_000, 400, 0.02
LOST, UNABLE, WAITING = "Say that again?", "I am not well today.", "One moment please."
BRIEF = Persona(
    name="Ada", prompt="Be brief.", lost=LOST, unable=UNABLE, waiting=WAITING, goodbye="Goodbye."
)


class Microphone(BaseInputTransport):
    """Hears what it is given, at real pace, and a quiet room otherwise."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self._left = b""
        self._running: asyncio.Task[None] | None = None
        self.quiet = asyncio.Event()

    def say(self, pcm: bytes) -> None:
        """Begin to say something, s16le mono 16 kHz."""
        self._left += pcm
        self.quiet.clear()

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    def listen(self) -> None:
        """Begin to hear."""
        self._running = asyncio.create_task(self._run())

    async def cleanup(self) -> None:
        if self._running:
            self._running.cancel()
        await super().cleanup()

    async def _run(self) -> None:
        size, clock = 2 * round(PIECE_S * RATE), asyncio.get_running_loop().time
        due_s = clock()
        while True:
            piece, self._left = self._left[:size].ljust(size, b"\0"), self._left[size:]
            if not self._left:
                self.quiet.set()
            await self.push_audio_frame(InputAudioRawFrame(piece, RATE, 1))
            due_s += PIECE_S
            await asyncio.sleep(max(0.0, due_s - clock()))


class Loudspeaker(BaseOutputTransport):
    """Takes sound at the pace of a sound card, and keeps it, and what the page is told."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self.sounds: list[tuple[float, np.ndarray]] = []
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self._due_s = 0.0

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def send_message(
        self, frame: OutputTransportMessageFrame | OutputTransportMessageUrgentFrame
    ) -> None:
        self.messages.append((asyncio.get_running_loop().time(), frame.message))

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        now_s = asyncio.get_running_loop().time()
        self._due_s = max(now_s, self._due_s)
        self.sounds.append((self._due_s, np.frombuffer(frame.audio, np.int16)))
        self._due_s += frame.num_frames / frame.sample_rate
        await asyncio.sleep(self._due_s - PIECE_S - now_s)
        return True


class Place(BaseTransport):
    """Where one is met."""

    def __init__(self) -> None:
        super().__init__()
        params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
        self.microphone, self.loudspeaker = Microphone(params), Loudspeaker(params)
        self._register_event_handler("on_client_connected")
        self._register_event_handler("on_client_disconnected")

    def input(self) -> Microphone:
        return self.microphone

    def output(self) -> Loudspeaker:
        return self.loudspeaker


@dataclass
class Hall:
    """A conversation that is going on, and its user."""

    place: Place
    conversation: Conversation
    file: Path
    over: asyncio.Task[None]

    @property
    def now_s(self) -> float:
        """The time of its messages and sounds."""
        return asyncio.get_running_loop().time()

    def received(self, kind: str, since_s: float = 0.0) -> list[dict[str, Any]]:
        """The data of every RTVI message of a kind."""
        told = self.place.loudspeaker.messages
        return [m.get("data") or {} for at, m in told if m["type"] == kind and at > since_s]

    def notices(self, kind: str = "notice") -> list[str]:
        """What the page was told to show."""
        return [m["text"] for m in self.received("server-message") if m["type"] == kind]

    @property
    def said(self) -> str:
        """The avatar's words as captions show them."""
        words: dict[int, str] = {}
        for data in self.received("bot-output"):
            if progress := data.get("spoken_progress"):
                before = words.get(data["segment_id"], "")
                words[data["segment_id"]] = max(before, progress["accumulated_text"], key=len)
        return " ".join(" ".join(words.values()).split())

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The transcript so far."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def first_sound(self, since_s: float) -> float | None:
        """When something was heard first since then."""
        sounds = self.place.loudspeaker.sounds
        loud = (at for at, pcm in sounds if at > since_s and np.abs(pcm).max(initial=0) > LOUD)
        return next(loud, None)

    async def type(self, text: str) -> float:
        """Write something; when that was."""
        await self._send("send-text", {"content": text})
        return self.now_s

    async def _send(self, kind: str, data: dict[str, Any]) -> None:
        message = {"label": "rtvi-ai", "type": kind, "id": "1", "data": data}
        await self.conversation.worker.queue_frame(InputTransportMessageFrame(message))

    async def until(self, condition: Callable[[], Any], what: str, limit_s: float = 15) -> Any:
        """Wait until something holds."""
        try:
            async with asyncio.timeout(limit_s):
                while not (found := condition()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                return found
        except TimeoutError:
            told = self.notices(), self.notices("failed")
            raise AssertionError(f"no {what}: {self.said!r} {told}") from None

    async def hushed(self, since_s: float, lasting_s: float = 1.0) -> None:
        """Wait until the avatar has spoken since then, and been quiet for so long."""
        await self.until(lambda: self.first_sound(since_s), "sound")
        quiet = lambda: not self.first_sound(self.now_s - lasting_s)  # noqa: E731
        await self.until(quiet, "end of it", 30)


@asynccontextmanager
async def open_hall(
    folder: Path,
    env: Mapping[str, Any],
    persona: Persona = BRIEF,
    parts: Mapping[str, Choice] | None = None,
    pictures: tuple[FrameProcessor, ...] = (),
) -> AsyncIterator[Hall]:
    """Hold a conversation with these settings, and these parts, until the block ends.

    Without an avatar unless the settings ask for one; `pictures` stand where its pictures pass.
    """
    settings = load_settings(**{"avatar": "none", "transport": "webrtc", **env})
    lineup = {**choose(settings, lambda _: Found(problem="nobody asked")), **(parts or {})}
    file = folder / "transcript.jsonl"
    place, transcript = Place(), Transcript(file.open("w"))
    async with aiohttp.ClientSession() as http:
        request = Request(settings, lineup, persona, RunnerArguments())
        conversation = assemble(request, http, transcript, Meeting(place, pictures))
        async with _running(conversation, transcript) as over:
            hall = Hall(place, conversation, file, over)
            about = {"version": "2.0.0", "about": {"library": "hall", "library_version": "0"}}
            await hall._send("client-ready", about)
            yield hall


@asynccontextmanager
async def _running(
    conversation: Conversation, transcript: Transcript
) -> AsyncIterator[asyncio.Task[None]]:
    runner, started = WorkerRunner(handle_sigint=False), asyncio.Event()
    await runner.add_workers(conversation.worker)

    @conversation.worker.event_handler("on_pipeline_started")
    async def opened(*_: Any) -> None:
        started.set()

    over = asyncio.create_task(runner.run())
    try:
        await asyncio.wait_for(started.wait(), 20)
        yield over
    finally:
        await conversation.guards.close()
        await conversation.host.close()
        if not over.done():
            await conversation.worker.queue_frame(EndFrame())
        await asyncio.wait_for(over, 20)
        conversation.recorder.close()
        transcript.close()
