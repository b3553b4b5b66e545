"""A room for turn taking: real ears in a real pipeline, a mind on cue, and a page.

Time is the room's: it moves on by 20 ms of sound when everything that was to be done is done, so
that a conversation goes the same way however fast the machine is.
"""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from hibari import SAMPLE_RATE as VOICE_RATE
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
    StartFrame,
    UserBackchannelFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.transcriptions.language import Language
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner

from pipelines.conversation import _follow_ears
from pipelines.host import Host
from pipelines.latency import TurnLatency
from pipelines.llm.guide import _no_model
from pipelines.media.pace import VoiceOnly
from pipelines.media.voice import Voice
from pipelines.page import follow_page
from pipelines.persona import Persona
from pipelines.recorder import Recorder
from pipelines.stt import moonshine
from pipelines.turns import judge
from pipelines.turns.ahead import prepare_ahead
from pipelines.turns.ears import TurnEars
from pipelines.turns.floor import Volume
from pipelines.turns.rules import PATIENCE
from pipelines.turns.speculation import Speculation
from pipelines.turns.taking import turns_for
from pipelines.turns.voice import Sound
from sessions.transcript import Transcript
from tests.pipelines.turns.clock import AtOnce, RoomClock, room_loop
from tests.pipelines.turns.page import Page
from tests.pipelines.turns.played import LOUD, words_in
from tests.pipelines.turns.sounds import RATE, speeches, voice

STEP_S = 0.02
LONG = (
    "That is a good question and there is quite a lot that one could tell about the mountains,"
    " because they are high and old and the weather on them is never what people hope for."
)
SHORT = "Certainly, here you are."
QUESTION = "What can you do?"
PERSONA = Persona(name="Mira", greeting="Hello, I am Mira, and I am glad that you have come.")


# Rooms that begin alike need not be listened to again.
@functools.lru_cache(512)
def _transcribed(sound: bytes) -> str:
    return moonshine.model().transcribe(np.frombuffer(sound, np.float32))


@functools.lru_cache(512)
def _complete(sound: bytes) -> float:
    return judge.complete(np.frombuffer(sound, np.float32))


def transcribe(sound: Sound) -> str:
    """The words in a sound."""
    return _transcribed(sound.tobytes())


def complete(sound: Sound) -> float:
    """How sure the end-of-turn model is that a sound is a whole turn."""
    return _complete(sound.tobytes())


class Microphone(BaseInputTransport):
    """Hands over 20 ms of sound a step: what is to be said, otherwise a quiet room."""

    def __init__(self, params: TransportParams, speaker: "Speaker") -> None:
        super().__init__(params)
        self.echo = 0.0
        self.is_off = self.is_muted = False
        self.left = np.zeros(0)
        self._speaker = speaker
        self._chance = np.random.default_rng(1)

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def step(self) -> None:
        """Hand over the next piece: silence when it is muted, and nothing at all when it is off."""
        size = round(STEP_S * RATE)
        piece, self.left = self.left[:size], self.left[size:]
        sound = np.zeros(size)
        sound[: len(piece)] = piece
        sound += self._chance.normal(size=size) * 10
        if self.echo:
            sound += self.echo * self._speaker.heard_before(0.15, size)
        if self.is_muted:
            sound[:] = 0
        if not self.is_off:
            pcm = sound.clip(-32768, 32767).astype(np.int16).tobytes()
            await self.push_audio_frame(InputAudioRawFrame(pcm, RATE, 1))


class Speaker(BaseOutputTransport):
    """Takes sound at the pace of a sound card; keeps it with the time at which it was heard."""

    def __init__(self, params: TransportParams, page: Page) -> None:
        super().__init__(params)
        self.sounds: list[tuple[float, np.ndarray]] = []
        self.levels: list[tuple[float, int]] = []
        self._page = page
        self._due_s = 0.0

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def send_message(
        self, frame: OutputTransportMessageFrame | OutputTransportMessageUrgentFrame
    ) -> None:
        self._page.read(frame.message)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        samples = np.frombuffer(frame.audio, np.int16)
        now_s = room_loop().time()
        self._due_s = max(now_s, self._due_s)
        self.sounds.append((self._due_s, samples))
        self.levels.append((self._due_s, int(np.abs(samples.astype(int)).max(initial=0))))
        self._due_s += len(samples) / frame.sample_rate
        await asyncio.sleep(self._due_s - STEP_S - now_s)
        return True

    def heard_before(self, ago_s: float, size: int) -> np.ndarray:
        """`size` samples at 16 kHz of what was heard so long ago."""
        start_s = room_loop().time() - ago_s
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
    """Gives the answer it was told to, without a model; the base class holds what is early."""

    def __init__(self) -> None:
        super().__init__(settings=_no_model())
        self.answer = SHORT
        self.thinks_s = 0.0
        self.asked: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        self.asked.append(str(frame.context.get_messages()[-1]["content"]))  # type: ignore[index]
        answer = self.answer
        await self.push_frame(LLMFullResponseStartFrame())
        await asyncio.sleep(self.thinks_s)
        await self._push_llm_text(answer)
        await self.push_frame(LLMFullResponseEndFrame())


class Pace(BaseObserver):
    """Notes when frames of some kinds were pushed first."""

    def __init__(self) -> None:
        super().__init__(observe_every_push=False)
        self.seen: list[tuple[float, Frame]] = []

    async def on_push_frame(self, data: FramePushed) -> None:
        if isinstance(data.frame, InterruptionFrame | UserBackchannelFrame):
            self.seen.append((data.timestamp / 1e9, data.frame))


class Room:
    """A conversation that is going on; one that is traced has OpenTelemetry know what it does."""

    def __init__(self, folder: Path, traced: bool = False) -> None:
        params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
        self.loop, self.page = room_loop(), Page()
        self.speaker = Speaker(params, self.page)
        self.microphone = Microphone(params, self.speaker)
        self.ears = TurnEars(transcribe, PATIENCE["balanced"], Language.EN, "tiny", complete)
        self.mind = Mind()
        self.texts: dict[str, None] = {}
        self.turns = turns_for(self.ears, 0)
        self.latency, self.pace = TurnLatency(), Pace()
        self.file = (folder / "transcript.jsonl").open("w+")
        self.transcript = Transcript(self.file)
        self.recorder = Recorder(self.transcript, self.turns, self.latency, [self.ears])
        self.speculation = Speculation()
        self.worker = self._worker(traced)
        self.host = Host(self.worker, PERSONA, 1e6, 0)
        follow_page(self.worker, self.latency, self.speculation, self.host)
        _follow_ears([self.ears], self.speculation, self.worker)

    def _worker(self, traced: bool) -> PipelineWorker:
        voice = Voice(self._speak, VOICE_RATE, AtOnce(), "heart")
        prepare_ahead(self.turns, [self.mind], [voice])
        pipeline = [
            self.microphone, self.ears, self.turns.user(), self.mind, voice, VoiceOnly(),
            Volume(), self.speaker, self.turns.assistant(),
        ]  # fmt: skip
        return PipelineWorker(
            Pipeline(pipeline),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=VOICE_RATE),
            observers=[self.latency, self.speculation, self.ears.said, self.pace],
            clock=RoomClock(self.loop),
            idle_timeout_secs=None,
            enable_tracing=traced,
        )

    def _speak(self, text: str) -> Any:
        self.texts[text] = None
        return iter(speeches(text))

    @property
    def now_s(self) -> float:
        """The time in the room."""
        return self.loop.now_s

    @property
    def history(self) -> list[tuple[str, str]]:
        """Who said what, as the mind remembers it."""
        messages = self.turns.user().context.get_messages()
        return [
            (str(m["role"]).replace("assistant", "avatar"), str(m["content"]))  # type: ignore[index,typeddict-item]
            for m in messages
        ]

    @property
    def written(self) -> list[tuple[str, str]]:
        """Who said what, as the transcript has it so far."""
        self.recorder.close()
        self.file.seek(0)
        lines = [json.loads(line) for line in self.file]
        return [(line["who"], line["text"]) for line in lines]

    @property
    def played(self) -> list[str]:
        """The words of the avatar that really came out of the loudspeaker."""
        heard = np.concatenate([samples for _, samples in self.speaker.sounds] or [np.zeros(0)])
        known = [speech for text in self.texts for speech in speeches(text)]
        return words_in(heard.astype(np.int16), known)

    @property
    def interruptions(self) -> list[float]:
        """When the avatar was interrupted."""
        return [at for at, frame in self.pace.seen if isinstance(frame, InterruptionFrame)]

    @property
    def backchannels(self) -> list[str]:
        """What was taken for signs of listening."""
        return [f.text for _, f in self.pace.seen if isinstance(f, UserBackchannelFrame)]

    def loudness(self, since_s: float, until_s: float = 1e12) -> list[int]:
        """How loud each piece of sound was at most that was heard between two moments."""
        return [level for at_s, level in self.speaker.levels if since_s <= at_s <= until_s]

    def first_sound(self, since_s: float) -> float | None:
        """When the avatar was first heard since then."""
        loud = (at_s for at_s, level in self.speaker.levels if at_s >= since_s and level > LOUD)
        return next(loud, None)

    async def step(self) -> None:
        """Let 20 ms pass, and everything happen that is to happen in them."""
        self.loop.now_s += STEP_S
        await self.microphone.step()
        await self.loop.settle()
        while thoughts := self.ears.thoughts:
            await asyncio.wait(thoughts)
            await self.loop.settle()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            await self.step()

    async def say(self, *sounds: np.ndarray) -> float:
        """Say something; returns when its voice was over."""
        self.microphone.left = np.concatenate(sounds)
        while len(self.microphone.left):
            await self.step()
        return self.now_s

    async def say_at_once(self, sound: np.ndarray) -> None:
        """What a network has held back comes all together."""
        self.microphone.left = sound
        while len(self.microphone.left):
            await self.microphone.step()
        await self.step()

    async def press(self, message: str, **data: Any) -> None:
        """The page sends a message of its own."""
        asked = {"t": message, "d": data}
        await self.worker.queue_frame(
            InputTransportMessageFrame(
                {"label": "rtvi-ai", "type": "client-message", "id": "1", "data": asked}
            )
        )

    async def until(self, condition: Callable[[], Any], what: str, limit_s: float = 6) -> Any:
        """Let time pass until something holds."""
        end_s = self.now_s + limit_s
        while not (found := condition()):
            assert self.now_s < end_s, f"no {what}: {self.history} {self.mind.asked}"
            await self.step()
        return found

    async def quiet(self, lasting_s: float = 0.5, limit_s: float = 20) -> None:
        """Wait until nothing was heard for so long."""
        await self.wait(lasting_s)
        await self.until(lambda: not self.first_sound(self.now_s - lasting_s), "silence", limit_s)

    async def answer(self, since_s: float, limit_s: float = 6) -> float:
        """Wait for the first sound since then; returns when it was heard."""
        return await self.until(lambda: self.first_sound(since_s), "answer", limit_s)

    async def speaking(self, after_s: float = 1.2) -> None:
        """Ask something, and let the avatar begin a long answer."""
        self.mind.answer = LONG
        await self.answer(await self.say(voice(QUESTION)))
        await self.wait(after_s)

    def goes_on(self, for_s: float = 0.5) -> bool:
        """Whether the avatar has been heard just now."""
        return self.first_sound(self.now_s - for_s) is not None

    def agreed(self) -> list[tuple[str, str]]:
        """Who said what, by history, transcript, page and loudspeaker, which agree.

        The word in which the avatar is cut off may count as said or not.
        """
        history = self.history
        assert history == self.written
        assert _plain(history) == _plain(self.page.shown)
        assert _differences(self.played, self.page.ever_said) <= len(self.interruptions)
        return history


def _plain(said: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    return [(who, text.split()) for who, text in said]


def _differences(played: list[str], shown: list[str]) -> int:
    """How many words are in one of them only."""
    same = SequenceMatcher(None, played, shown, autojunk=False).get_matching_blocks()
    print(f"played: {played}\nshown: {shown}")
    return len(played) + len(shown) - 2 * sum(block.size for block in same)


@asynccontextmanager
async def open_room(folder: Path, traced: bool = False) -> AsyncIterator[Room]:
    """Hold a conversation until the block ends."""
    room = Room(folder, traced)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(room.worker)
    running = asyncio.create_task(runner.run())
    started = asyncio.Event()

    @room.worker.event_handler("on_pipeline_started")
    async def opened(*_: Any) -> None:
        started.set()

    try:
        await started.wait()
        yield room
    finally:
        await room.host.close()
        await room.worker.queue_frame(EndFrame())
        while not running.done():
            await room.step()
        room.recorder.close()
        room.transcript.close()
