"""The puppet's pictures keep step with its voice, whatever becomes of the voice on its way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.workers.runner import WorkerRunner

from pipelines.avatar.puppet import LONGEST_WAIT_S, PuppetVideoService
from pipelines.media.articulation import ArticulationFrame
from pipelines.media.marks import Marks
from pipelines.media.rate import PATIENCE_S, WINDOW_S, any_still, paces
from pipelines.media.sound import PIECES, VoiceTrack
from pipelines.media.speech import Phoneme
from puppet import SAMPLE_RATE, load_pack
from tests.pipelines.turns.clock import AtOnce, RoomClock, room_loop

FRAME_S = 0.04
PIECE_S = 0.01
# Each 40 ms of the voice is its number, so much louder.
LOUDER = 60
pytestmark = pytest.mark.usefixtures("room_time")


def number_of(audio: bytes) -> int:
    """Which 40 ms of the voice a sound is, from 1; 0 for silence."""
    samples = np.frombuffer(audio, np.int16)
    return round(samples[len(samples) // 2] / LOUDER)


class Face(PuppetVideoService):
    """A puppet that notes which sound a picture was drawn for.

    It draws in no time, or holds the event loop up for `draws_s` each time.
    """

    draws_s = 0.0

    def __init__(self) -> None:
        super().__init__(load_pack("theo"), (128, 128), seed=1)
        self._thread = AtOnce()
        self.sound_of: dict[int, int] = {}
        self.mouths: list[tuple[int, float]] = []

    async def _seen(self) -> tuple[OutputImageRawFrame, bytes | None]:
        picture, sound = await super()._seen()
        room_loop().now_s += self.draws_s
        number = self.sound_of[picture.id] = number_of(sound) if sound else 0
        self.mouths.append((number, self._player._motion._mouth.open))
        return picture, sound


class Eyes(FrameProcessor):
    """Notes when pictures pass it."""

    def __init__(self, face: Face) -> None:
        super().__init__()
        self._face = face
        self.seen: list[tuple[float, int]] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputImageRawFrame):
            self.seen.append((room_loop().time(), self._face.sound_of[frame.id]))
        await self.push_frame(frame, direction)


class Ears(BaseOutputTransport):
    """Sends sound at its pace, as a transport does; after some pieces it loses time."""

    def __init__(self, lost_s: dict[int, float]) -> None:
        super().__init__(TransportParams(audio_out_enabled=True))
        self._lost_s = lost_s
        self.heard: list[tuple[float, int]] = []

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        number = number_of(frame.audio)
        self.heard.append((room_loop().time(), number))
        await asyncio.sleep(FRAME_S + self._lost_s.get(number, 0))
        return True


class TrackEars(Ears):
    """Sends sound through the track that WebRTC has, as aiortc does: stamped, so that it is played
    when it was due.
    """

    def __init__(self) -> None:
        super().__init__({})
        self.track = VoiceTrack(SAMPLE_RATE)
        self.sending = asyncio.create_task(self._send())

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        await self.track.add_audio_bytes(frame.audio)
        return True

    async def _send(self) -> None:
        begun_s = room_loop().time()
        while True:
            packet = await self.track.recv()
            assert packet.pts is not None and packet.time_base
            due_s = begun_s + float(packet.pts * packet.time_base)
            samples = np.frombuffer(bytes(packet), np.int16)
            for place, piece in enumerate(np.split(samples, PIECES)):
                self.heard.append((due_s + place * PIECE_S, number_of(piece.tobytes())))


class Stage:
    """A puppet that speaks into ears, before eyes."""

    def __init__(self, ears: Ears) -> None:
        self.face, self.ears = Face(), ears
        self.eyes = Eyes(self.face)
        self.worker = PipelineWorker(
            Pipeline([self.face, self.eyes, ears, Marks()]),
            params=PipelineParams(audio_out_sample_rate=SAMPLE_RATE),
            clock=RoomClock(room_loop()),
            enable_rtvi=False,
            idle_timeout_secs=None,
        )

    async def speak(self, count: int, rate: int = SAMPLE_RATE, *told: Phoneme) -> None:
        """Say so many times 40 ms, of which is told what is heard when."""
        numbers = LOUDER * np.arange(1, count + 1, dtype=np.int16)
        pcm = np.repeat(numbers, round(FRAME_S * rate)).tobytes()
        sound = TTSAudioRawFrame(pcm, rate, 1)
        before = [TTSStartedFrame(), *([ArticulationFrame(told)] if told else [])]
        await self.worker.queue_frames([*before, sound, TTSStoppedFrame()])

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, 5 ms at a time."""
        for _ in range(round(seconds * 200)):
            await self.held_up(0.005)

    async def until(self, at_s: float) -> None:
        """Let time pass, of which pictures may take some."""
        while room_loop().time() < at_s:
            await self.held_up(0.005)

    async def held_up(self, seconds: float) -> None:
        """Let the event loop do nothing for so long, and then all that was to be done."""
        room_loop().now_s += seconds
        await room_loop().settle()

    def behind_s(self, shown: list[tuple[float, int]] | None = None) -> dict[int, float]:
        """How much later than its picture, of these or of all, each 40 ms of the voice began."""
        began = {number: at_s for at_s, number in reversed(self.ears.heard) if number}
        shown = self.eyes.seen if shown is None else shown
        return {number: began[number] - at_s for at_s, number in shown if number}


@asynccontextmanager
async def playing(ears: Ears) -> AsyncIterator[Stage]:
    """A stage whose face is seen."""
    stage, runner = Stage(ears), WorkerRunner(handle_sigint=False)
    await runner.add_workers(stage.worker)
    running = asyncio.create_task(runner.run())
    while not stage.eyes.seen:
        await stage.pass_by(FRAME_S)
    try:
        yield stage
    finally:
        await stage.worker.cancel()
        while not running.done():
            await stage.pass_by(FRAME_S)


async def test_pictures_wait_for_a_voice_that_loses_time_on_its_way():
    async with playing(Ears({number: 0.07 for number in range(10, 100, 30)})) as stage:
        await stage.speak(100)
        await stage.pass_by(6)
        behind_s = stage.behind_s()
    assert [number for _, number in stage.ears.heard if number] == list(range(1, 101))
    assert list(behind_s) == list(range(1, 101)), "no picture is left out for it"
    assert max(map(abs, behind_s.values())) < 0.02, behind_s


async def test_fewer_pictures_are_drawn_for_a_voice_that_goes_on_losing_time():
    async with playing(Ears({number: 0.07 for number in range(10, 100, 10)})) as stage:
        await stage.speak(100)
        await stage.pass_by(6)
        behind_s = stage.behind_s()
        assert [number for _, number in stage.ears.heard if number] == list(range(1, 101))
        assert list(behind_s)[:30] == list(range(1, 31))
        assert (np.diff(list(behind_s)[-20:]) == 2).all()
        assert max(map(abs, behind_s.values())) < 0.02, behind_s


async def test_a_transport_that_sends_no_more_is_not_waited_for():
    async with playing(Ears({20: 3.0})) as stage:
        await stage.speak(40)
        await stage.pass_by(2.9)
        seen = [at_s for at_s, _ in stage.eyes.seen]
    assert np.diff(seen).max() == pytest.approx(LONGEST_WAIT_S, abs=0.1)
    assert seen[-1] == pytest.approx(room_loop().time(), abs=0.5)


async def test_an_interruption_is_seen_though_the_voice_had_lost_time():
    async with playing(Ears({20: 0.5})) as stage:
        await stage.speak(100)
        await stage.pass_by(20 * FRAME_S + 0.2)
        await stage.worker.queue_frame(InterruptionFrame())
        await stage.pass_by(0.1)
        assert [number for _, number in stage.eyes.seen[-2:]] == [0, 0]


async def test_pictures_catch_up_with_a_voice_that_has_made_up_for_lost_time():
    makes_up = {number: -0.02 for number in range(21, 25)}
    async with playing(Ears({20: 0.08, **makes_up})) as stage:
        await stage.speak(60)
        await stage.pass_by(4)
        behind_s = stage.behind_s()
    assert list(behind_s) == list(range(1, 61))
    assert max(abs(behind_s[number]) for number in range(30, 61)) < 0.02, behind_s


@pytest.mark.parametrize("held_up_s", [0.03, 0.06, 0.25])
async def test_the_voice_keeps_step_when_the_event_loop_was_held_up(held_up_s):
    ears = TrackEars()
    async with playing(ears) as stage:
        await stage.speak(100)
        for _ in range(6):
            await stage.pass_by(0.3)
            await stage.held_up(held_up_s)
        await stage.pass_by(4)
        behind_s = stage.behind_s()
        ears.sending.cancel()
    heard = [number for _, number in ears.heard]
    spoken = heard[heard.index(1) : heard.index(100) + 4]
    assert spoken == [number for number in range(1, 101) for _ in range(4)], "no silence in it"
    assert max(map(abs, behind_s.values())) < 0.08, behind_s


@pytest.mark.parametrize(("draws_s", "pace"), [(0.05, "12.5"), (0.09, "1")])
async def test_pictures_give_way_to_the_sound_and_come_back(draws_s, pace):
    ears = TrackEars()
    async with playing(ears) as stage:
        stage.face.draws_s = draws_s
        begun_s = room_loop().time()
        await stage.speak(400)
        await stage.until(begun_s + 2 * WINDOW_S + 1)
        assert paces()[pace] == 1
        assert any_still() == (pace == "1")
        slow_s = room_loop().time()
        await stage.until(slow_s + 3)
        shown = list(stage.eyes.seen)
        stage.face.draws_s = 0.0
        await stage.until(room_loop().time() + 2 * (PATIENCE_S + WINDOW_S))
        assert paces()["25"] == 1
        ears.sending.cancel()
    behind_s = stage.behind_s(shown)
    seen = [at_s for at_s, _ in shown if at_s > slow_s]
    assert len(seen) == pytest.approx(3 * float(pace), abs=1)
    heard = [number for _, number in ears.heard]
    spoken = heard[heard.index(1) : heard.index(400) + 4]
    assert spoken == [number for number in range(1, 401) for _ in range(4)], "no silence in it"
    assert max(map(abs, behind_s.values())) < 0.1, behind_s


@pytest.mark.parametrize("rate", [24_000, 48_000, 16_000])
async def test_lips_move_with_the_sound_that_is_told_of_whatever_was_interrupted(rate):
    told = [Phoneme("", 0.0, 0.8), Phoneme("ɑ", 0.8, 1.6), Phoneme("", 1.6, 2.4)]
    async with playing(Ears({})) as stage:
        await stage.speak(60, rate, *told)
        await stage.pass_by(1.2)
        await stage.worker.queue_frame(InterruptionFrame())
        await stage.pass_by(0.5)
        for _ in range(2):
            stage.face.mouths.clear()
            await stage.speak(60, rate, *told)
            await stage.pass_by(3.2)
            opened = [number for number, mouth in stage.face.mouths if mouth > 0.3]
            assert opened == list(range(20, 42))


async def test_the_face_listens_thinks_and_greets_once():
    async with playing(Ears({})) as stage:
        player, seen = stage.face._player, []
        for frame in (UserStartedSpeakingFrame(), UserStoppedSpeakingFrame(), TTSStartedFrame()):
            await stage.worker.queue_frame(frame)
            await stage.pass_by(0.3)
            seen.append((player._resting(), player._motion._greeting > 0.5))
        await stage.pass_by(4)
        await stage.worker.queue_frame(TTSStartedFrame())
        await stage.pass_by(0.3)
        assert player._motion._greeting < 0.1
    assert seen == [("listening", False), ("thinking", False), ("idle", True)]
