"""The puppet as a service: TTS audio in, paced sound and pictures out."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.utils.text.base_text_aggregator import TextType
from pipecat.workers.runner import WorkerRunner

from pipelines.avatar.puppet import LEAD_FRAMES, PuppetVideoService
from pipelines.guard.cast import Cast
from pipelines.guard.face import FaceGuard
from puppet import SAMPLES_PER_FRAME, load_pack

SIZE = (256, 144)
TONE = (8000 * np.sin(np.arange(24_000) * 2 * np.pi * 180 / 24_000)).astype(np.int16).tobytes()


@dataclass
class Seen:
    """One frame that left the puppet, and when."""

    frame: Frame
    at_s: float = field(default_factory=time.monotonic)


class Audience(FrameProcessor):
    """Keeps what reaches it."""

    def __init__(self):
        super().__init__()
        self.seen: list[Seen] = []
        self._news = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        self.seen.append(Seen(frame))
        self._news.set()
        await self.push_frame(frame, direction)

    def of(self, kind):
        return [seen for seen in self.seen if isinstance(seen.frame, kind)]

    async def until(self, condition, limit_s=15.0):
        async with asyncio.timeout(limit_s):
            while not condition():
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def stage(request):
    """A running pipeline of guarded puppet and audience; yields the worker and the audience."""
    audience = Audience()
    face = getattr(request, "param", PuppetVideoService)
    guard = FaceGuard(Cast(lambda: face(load_pack("theo"), SIZE, seed=1)))
    worker = PipelineWorker(Pipeline([guard, audience]), params=PipelineParams(), enable_rtvi=False)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await audience.until(lambda: audience.of(OutputImageRawFrame) or told_lost(audience))
    yield worker, audience
    await worker.cancel()
    await running


def speech(pcm=TONE):
    return [TTSStartedFrame(), TTSAudioRawFrame(pcm, 24_000, 1), TTSStoppedFrame()]


def heard(audience):
    return b"".join(seen.frame.audio for seen in audience.of(SpeechOutputAudioRawFrame))


async def test_all_of_the_voice_comes_out_unchanged_and_then_silence(stage):
    worker, audience = stage
    await worker.queue_frames(speech())
    await audience.until(lambda: len(heard(audience)) > len(TONE) + 24_000)
    assert heard(audience).startswith(TONE)
    assert not any(heard(audience)[len(TONE) :])
    assert not audience.of(TTSAudioRawFrame)


async def test_the_silence_after_speech_ends(stage):
    worker, audience = stage
    await worker.queue_frames(speech(TONE[:9600]))
    await audience.until(lambda: len(heard(audience)) > 9600)
    last = audience.of(SpeechOutputAudioRawFrame)[-1]
    await audience.until(lambda: time.monotonic() - last.at_s > 1.5)
    assert len(heard(audience)) <= 9600 + 2 * SAMPLES_PER_FRAME * 28


@pytest.mark.realtime
async def test_sound_is_paced_and_leads_its_pictures_by_two_frames(stage):
    worker, audience = stage
    await worker.queue_frames(speech())
    await audience.until(lambda: len(heard(audience)) >= len(TONE))
    spoken = audience.of(SpeechOutputAudioRawFrame)[:25]
    assert all(len(seen.frame.audio) == 2 * SAMPLES_PER_FRAME for seen in spoken)
    took_s = spoken[-1].at_s - spoken[0].at_s
    assert took_s > 0.04 * (len(spoken) - 1 - LEAD_FRAMES) - 0.04


async def test_pictures_are_i420_of_the_asked_size(stage):
    _, audience = stage
    picture = audience.of(OutputImageRawFrame)[0].frame
    assert (picture.size, picture.format) == (SIZE, "I420")
    assert len(picture.image) == SIZE[0] * SIZE[1] * 3 // 2


async def test_an_interruption_silences_the_voice_at_once(stage):
    worker, audience = stage
    await worker.queue_frames(speech(TONE * 4))
    await audience.until(lambda: len(heard(audience)) > 24_000)
    await worker.queue_frame(InterruptionFrame())
    await audience.until(lambda: audience.of(InterruptionFrame))
    cut = audience.of(InterruptionFrame)[0].at_s
    await audience.until(lambda: audience.of(OutputImageRawFrame)[-1].at_s > cut + 0.5)
    after = [s for s in audience.of(SpeechOutputAudioRawFrame) if s.at_s > cut]
    assert len(after) <= 1, "one frame may have been under way"


def told(audience, *times_s):
    """Words as a TTS service stamps them, `times_s` after a first sound that is sent now."""
    now_ns = audience.get_clock().get_time()
    words = [TTSTextFrame(f"{at_s}", TextType.WORD) for at_s in times_s]
    for word, at_s in zip(words, times_s, strict=True):
        word.pts = now_ns + round(at_s * 1e9)
    return words


def heard_before(audience, word):
    """Seconds of the voice that went out before a word."""
    frames = [seen.frame for seen in audience.seen]
    before = frames[: next(n for n, f in enumerate(frames) if getattr(f, "text", "") == word)]
    spoken = [f for f in before if isinstance(f, SpeechOutputAudioRawFrame) and any(f.audio)]
    return len(spoken) * SAMPLES_PER_FRAME / 24_000


@pytest.mark.realtime
async def test_words_go_with_the_sound_they_begin_in(stage):
    worker, audience = stage
    start, sound, stop = speech(TONE * 2)
    await worker.queue_frames([start, sound, *told(audience, 0.0, 0.5, 1.5), stop])
    await audience.until(lambda: len(heard(audience)) > 2 * len(TONE))
    for at_s in (0.0, 0.5, 1.5):
        assert heard_before(audience, f"{at_s}") == pytest.approx(at_s, abs=0.1)


async def test_words_that_were_not_said_are_dropped_by_an_interruption(stage):
    worker, audience = stage
    start, sound, stop = speech(TONE * 4)
    await worker.queue_frames([start, sound, *told(audience, 0.1, 3.0), stop])
    await audience.until(lambda: len(heard(audience)) > len(TONE) // 2)
    await worker.queue_frames([InterruptionFrame(), EndFrame()])
    await audience.until(lambda: audience.of(EndFrame))
    assert [seen.frame.text for seen in audience.of(TTSTextFrame)] == ["0.1"]


async def test_the_end_lets_the_last_words_be_spoken(stage):
    worker, audience = stage
    await worker.queue_frames([*speech(), EndFrame()])
    await audience.until(lambda: audience.of(EndFrame))
    assert heard(audience).startswith(TONE)


class StillFace(PuppetVideoService):
    """A puppet that has a picture an hour."""

    _frame_s = 3600.0


@pytest.mark.parametrize("stage", [StillFace], indirect=True)
async def test_a_voice_that_begins_waits_for_no_picture(stage):
    worker, audience = stage
    await worker.queue_frames(speech())
    await audience.until(lambda: audience.of(SpeechOutputAudioRawFrame))


class SlowFace(PuppetVideoService):
    """A puppet on a machine that takes 100 ms to draw a picture."""

    async def _seen(self):
        drawn = await super()._seen()
        await self._in_thread(lambda: time.sleep(0.1))
        return drawn


@pytest.mark.realtime
@pytest.mark.parametrize("stage", [SlowFace], indirect=True)
async def test_sound_keeps_its_pace_when_the_machine_does_not_keep_up(stage):
    worker, audience = stage
    await worker.queue_frames(speech(TONE * 4))
    await audience.until(lambda: len(heard(audience)) >= 4 * len(TONE))
    spoken = [s for s in audience.of(SpeechOutputAudioRawFrame) if any(s.frame.audio)]
    shown = audience.of(OutputImageRawFrame)
    assert heard(audience).startswith(TONE * 4)
    took_s = spoken[-1].at_s - spoken[0].at_s
    assert took_s == pytest.approx(4, abs=0.4)
    assert len([s for s in shown if s.at_s >= spoken[0].at_s]) < 60, "pictures were left out"


class BrokenFace(PuppetVideoService):
    """A puppet that cannot be drawn any more after half a second of speech."""

    pictures = 0

    async def _seen(self):
        self.pictures += self._player.speaking
        assert self.pictures < 13, "out of paint"
        return await super()._seen()


class UnpreparedFace(PuppetVideoService):
    """A puppet whose pictures cannot be prepared."""

    def __init__(self, pack, size, seed=0):
        super().__init__(pack, (31, 7), seed)


def told_lost(audience):
    return [s for s in audience.of(RTVIServerMessageFrame) if s.frame.data["type"] == "face-lost"]


def voice(audience):
    """What was spoken and said in which order: sound in seconds, words, beginnings and ends."""
    order = []
    for frame in (seen.frame for seen in audience.seen):
        if isinstance(frame, TTSTextFrame):
            order.append(frame.text)
        elif isinstance(frame, TTSStartedFrame | TTSStoppedFrame):
            order.append(type(frame))
    return order


@pytest.mark.parametrize("stage", [BrokenFace], indirect=True)
async def test_a_face_that_breaks_in_speech_leaves_the_voice(stage):
    worker, audience = stage
    errors = []
    worker.add_event_handler("on_pipeline_error", lambda _, error: errors.append(error.error))
    for times in (1, 2):
        start, sound, stop = speech(TONE * 2)
        await worker.queue_frames([start, sound, *told(audience, 0.1, 0.2, 1.5), stop])
        await audience.until(lambda times=times: voice(audience).count("1.5") == times)
    await worker.queue_frame(EndFrame())
    await audience.until(lambda: audience.of(EndFrame))
    spoken = heard(audience) + b"".join(s.frame.audio for s in audience.of(TTSAudioRawFrame))
    assert 4 * len(TONE) - len(spoken) <= 2 * SAMPLES_PER_FRAME, "no more than one frame is lost"
    utterance = ["0.1", "0.2", "1.5"]
    assert [what for what in voice(audience) if isinstance(what, str)] == 2 * utterance
    assert len(told_lost(audience)) == 1
    assert len(errors) == 1 and "out of paint" in errors[0]


@pytest.mark.parametrize("stage", [UnpreparedFace], indirect=True)
async def test_a_face_that_cannot_be_prepared_leaves_the_voice(stage):
    worker, audience = stage
    await worker.queue_frames([*speech(), EndFrame()])
    await audience.until(lambda: audience.of(EndFrame))
    assert b"".join(s.frame.audio for s in audience.of(TTSAudioRawFrame)) == TONE
    assert len(told_lost(audience)) == 1


class WatchedFace(PuppetVideoService):
    """A puppet that notes in which thread it is prepared."""

    prepared_in = ""

    def __init__(self, pack, size, seed=0):
        super().__init__(pack, size, seed)
        make = self._make_player
        assert not hasattr(self, "_player")

        def noted():
            WatchedFace.prepared_in = threading.current_thread().name
            return make()

        self._make_player = noted


@pytest.mark.parametrize("stage", [WatchedFace], indirect=True)
async def test_a_face_is_prepared_beside_the_event_loop(stage):
    assert WatchedFace.prepared_in.startswith("puppet")


class InterruptedFace(PuppetVideoService):
    """A puppet that is interrupted once, while it hands over the silence after its speech."""

    interrupted = False

    async def _push_sound(self, sound):
        await super()._push_sound(sound)
        if sound is None and self._silence_left and not self.interrupted:
            self.interrupted = True
            await self._interrupt()


@pytest.mark.parametrize("stage", [InterruptedFace], indirect=True)
async def test_an_interruption_between_sound_and_picture_does_not_stop_the_face(stage):
    worker, audience = stage
    await worker.queue_frames(speech(TONE[:9600]))
    await audience.until(lambda: len(heard(audience)) > 9600)
    shown = len(audience.of(OutputImageRawFrame))
    await audience.until(lambda: len(audience.of(OutputImageRawFrame)) > shown + 25)
