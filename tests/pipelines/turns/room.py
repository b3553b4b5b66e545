"""A room for turn taking: real ears in a real pipeline, a mind and a voice on cue.

Time is the room's: it moves on by 20 ms of sound when everything that was to be done is done, so
that a conversation goes the same way however fast the machine is.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    OutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    UserBackchannelFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner

from pipelines.latency import Turn, TurnLatency
from pipelines.llm.guide import _no_model
from pipelines.persona import Persona
from pipelines.recorder import Recorder
from pipelines.settings import load_settings
from pipelines.stt import moonshine
from pipelines.turns.ears import TurnEars
from pipelines.turns.floor import Volume
from pipelines.turns.taking import turns_for
from sessions.transcript import Transcript
from tests.speech import say

RATE = 16_000
VOICE_RATE = 24_000
STEP_S = 0.02
LEAD_S = 0.12
LOUD = 600
# Turns of the event loop in which a frame passes the whole pipeline, and what it leads to as well.
HOPS = 150
LONG = (
    "That is a good question and there is quite a lot that one could tell about the mountains,"
    " because they are high and old and the weather on them is never what people hope for."
)


class Clock:
    """The room's time, in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._waiting: list[tuple[float, asyncio.Event]] = []

    def move_on(self) -> None:
        """By one step."""
        self.now_s += STEP_S
        for due_s, event in self._waiting:
            if due_s <= self.now_s:
                event.set()
        self._waiting = [pair for pair in self._waiting if not pair[1].is_set()]

    async def until(self, due_s: float) -> None:
        """Wait for a time."""
        if due_s > self.now_s:
            event = asyncio.Event()
            self._waiting.append((due_s, event))
            await event.wait()


class Microphone(BaseInputTransport):
    """Hands over 20 ms of sound a step: what is to be said, otherwise a quiet room."""

    def __init__(self, params: TransportParams, speaker: "Speaker") -> None:
        super().__init__(params)
        self.echo = 0.0
        self.left = np.zeros(0)
        self._speaker = speaker
        self._chance = np.random.default_rng(1)

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def step(self) -> None:
        """Hand over the next piece."""
        size = round(STEP_S * RATE)
        piece, self.left = self.left[:size], self.left[size:]
        sound = np.zeros(size)
        sound[: len(piece)] = piece
        sound += self._chance.normal(size=size) * 10
        if self.echo:
            sound += self.echo * self._speaker.heard_before(0.15, size)
        pcm = sound.clip(-32768, 32767).astype(np.int16).tobytes()
        await self.push_audio_frame(InputAudioRawFrame(pcm, RATE, 1))


class Speaker(BaseOutputTransport):
    """Takes sound at the pace of a sound card; keeps it with the time at which it was heard."""

    def __init__(self, params: TransportParams, clock: Clock) -> None:
        super().__init__(params)
        self.sounds: list[tuple[float, np.ndarray]] = []
        self._clock = clock
        self._due_s = 0.0

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        samples = np.frombuffer(frame.audio, np.int16)
        self._due_s = max(self._clock.now_s, self._due_s)
        self.sounds.append((self._due_s, samples))
        self._due_s += len(samples) / frame.sample_rate
        await self._clock.until(self._due_s - STEP_S)
        return True

    def heard_before(self, ago_s: float, size: int) -> np.ndarray:
        """`size` samples at 16 kHz of what was heard so long ago."""
        start_s = self._clock.now_s - ago_s
        sound = np.zeros(size)
        for at_s, samples in self.sounds[-30:]:
            thirds = samples[: len(samples) // 3 * 3].reshape(-1, 3)
            lower = thirds[:, :2].reshape(-1).astype(float)
            first = round((at_s - start_s) * RATE)
            a, b = max(0, first), min(size, first + len(lower))
            if a < b:
                sound[a:b] += lower[a - first : b - first]
        return sound


class Mind(LLMService):
    """Gives the answers it was told to, without a model; the base class holds what is early."""

    def __init__(self) -> None:
        super().__init__(settings=_no_model())
        self.answers: list[str] = []
        self.asked: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        question = str(frame.context.get_messages()[-1]["content"])  # type: ignore[index]
        self.asked.append(question)
        await self.push_frame(LLMFullResponseStartFrame())
        await self._push_llm_text(self.answers[0] if self.answers else "Certainly, here you are.")
        await self.push_frame(LLMFullResponseEndFrame())


class Voice(TTSService):
    """Speaks with recorded speech at real pace."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            settings=TTSSettings(model=None, voice="test", language=None),
        )

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        pcm = say(text, VOICE_RATE)
        due_s = self._clock.now_s - LEAD_S
        step = VOICE_RATE // 25 * 2
        for at in range(0, len(pcm), step):
            await self._clock.until(due_s + at / 2 / VOICE_RATE)
            yield TTSAudioRawFrame(pcm[at : at + step], VOICE_RATE, 1, context_id=context_id)


class Pace(BaseObserver):
    """Notes when frames of some kinds were pushed first."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(observe_every_push=False)
        self._clock = clock
        self.seen: list[tuple[float, Frame]] = []

    async def on_push_frame(self, data: FramePushed) -> None:
        if isinstance(data.frame, InterruptionFrame | UserBackchannelFrame):
            self.seen.append((self._clock.now_s, data.frame))


class Room:
    """A conversation that is going on."""

    def __init__(self, folder: Path) -> None:
        params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
        self.clock = Clock()
        self.speaker = Speaker(params, self.clock)
        self.microphone = Microphone(params, self.speaker)
        settings = load_settings(avatar_patience="balanced")
        self.ears = _ears(moonshine.build(settings, Persona(), None))  # type: ignore[arg-type]
        self.mind, self.voice = Mind(), Voice(self.clock)
        self.turns = turns_for(self.ears, 0)
        self.latency, self.pace = TurnLatency(), Pace(self.clock)
        self.file = (folder / "transcript.jsonl").open("w+")
        self.transcript = Transcript(self.file)
        self.recorder = Recorder(self.transcript, self.turns, self.latency, self.ears)
        self.answered: list[float] = []
        self.said: list[str] = []

        @self.latency.event_handler("on_answered")
        async def answered(_: Any, turn: Turn) -> None:
            self.answered.append(turn.answered_s or 0)

        @self.turns.user().event_handler("on_user_turn_stopped")
        async def stopped(_: Any, _strategy: Any, message: Any) -> None:
            self.said.append(message.content)

        pipeline = [
            self.microphone, self.ears, self.turns.user(), self.mind, self.voice,
            Volume(), self.speaker, self.turns.assistant(),
        ]  # fmt: skip
        self.worker = PipelineWorker(
            Pipeline(pipeline),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=VOICE_RATE),
            observers=[self.latency, self.ears.said, self.pace],
            idle_timeout_secs=None,
            enable_rtvi=False,
        )

    @property
    def history(self) -> list[tuple[str, str]]:
        """Role and text of each message."""
        messages = self.turns.user().context.get_messages()
        return [(m["role"], str(m["content"])) for m in messages]  # type: ignore[index,typeddict-item]

    @property
    def written(self) -> list[tuple[str, str]]:
        """Who said what, as the transcript has it so far."""
        self.recorder.close()
        self.file.seek(0)
        lines = [json.loads(line) for line in self.file]
        return [(line["who"], line["text"]) for line in lines]

    @property
    def interruptions(self) -> list[float]:
        """When the avatar was interrupted,."""
        return [at for at, frame in self.pace.seen if isinstance(frame, InterruptionFrame)]

    @property
    def backchannels(self) -> list[str]:
        """What was taken for signs of listening."""
        return [f.text for _, f in self.pace.seen if isinstance(f, UserBackchannelFrame)]

    def loudness(self, since_s: float, until_s: float = 1e12) -> list[tuple[float, float]]:
        """When each piece of sound was heard and how loud it was at most."""
        return [
            (at, float(np.abs(x.astype(int)).max(initial=0)))
            for at, x in self.speaker.sounds
            if since_s <= at <= until_s
        ]

    def first_sound(self, since_s: float) -> float | None:
        """When the avatar was first heard since then,."""
        return next((at for at, loud in self.loudness(since_s) if loud > LOUD), None)

    async def step(self) -> None:
        """Let 20 ms pass, and everything happen that is to happen in them."""
        self.clock.move_on()
        await self.microphone.step()
        await self._settle()
        while self.ears.thinks:
            await asyncio.sleep(0.001)
            await self._settle()

    async def _settle(self) -> None:
        for _ in range(HOPS):
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.clock.now_s + seconds
        while self.clock.now_s < end_s:
            await self.step()

    async def say(self, *sounds: np.ndarray) -> float:
        """Say something; returns when its voice was over."""
        self.microphone.left = np.concatenate(sounds)
        while len(self.microphone.left):
            await self.step()
        return self.clock.now_s

    async def until(self, condition: Callable[[], Any], what: str, limit_s: float = 6) -> Any:
        """Let time pass until something holds."""
        end_s = self.clock.now_s + limit_s
        while not (found := condition()):
            assert self.clock.now_s < end_s, f"no {what}: {self.history} {self.mind.asked}"
            await self.step()
        return found

    async def quiet(self, lasting_s: float = 0.6, limit_s: float = 20) -> None:
        """Wait until nothing was heard for so long."""
        await self.wait(lasting_s)
        await self.until(
            lambda: not self.first_sound(self.clock.now_s - lasting_s), "silence", limit_s
        )

    async def answer(self, since_s: float) -> float:
        """Wait for the first sound since then; returns when it was heard."""
        return await self.until(lambda: self.first_sound(since_s), "answer")


def _ears(stt: STTService) -> TurnEars:
    assert isinstance(stt, TurnEars)
    return stt


@asynccontextmanager
async def open_room(folder: Path) -> AsyncIterator[Room]:
    """Hold a conversation until the block ends."""
    room = Room(folder)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(room.worker)
    running = asyncio.create_task(runner.run())
    started = asyncio.Event()

    @room.worker.event_handler("on_pipeline_started")
    async def opened(*_: Any) -> None:
        started.set()

    try:
        await asyncio.wait_for(started.wait(), 20)
        yield room
    finally:
        await room.worker.queue_frame(EndFrame())
        while not running.done():
            await room.step()
        room.recorder.close()
        room.transcript.close()


def voice(text: str, gain: float = 0.5) -> np.ndarray:
    """Somebody says a text: samples at 16 kHz without silence around them."""
    samples = np.frombuffer(say(text, RATE), np.int16).astype(float) * gain
    loud = np.flatnonzero(np.abs(samples) > 250)
    return samples[max(0, loud[0] - 320) : loud[-1] + 160]


def silence(seconds: float) -> np.ndarray:
    """Nothing is said."""
    return np.zeros(round(seconds * RATE))
