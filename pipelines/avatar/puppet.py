"""The CPU face as a Pipecat service: TTS audio in, video frames and paced audio out.

It behaves, frame for frame, like HeyGenVideoService: it takes every TTSAudioRawFrame, and pushes
SpeechOutputAudioRawFrame and OutputImageRawFrame in real time. The pictures go with the sound: a
mark before each picture's sound tells when the transport has come to it.
"""

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
from loguru import logger
from pipecat.audio.resamplers.base_audio_resampler import BaseAudioResampler
from pipecat.audio.utils import create_stream_resampler
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserBackchannelFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from pipecat.services.ai_service import AIService
from pipecat.services.settings import ServiceSettings

from pipelines.media.articulation import ArticulationFrame
from pipelines.media.marks import VoiceMark
from pipelines.media.rate import Rate, drawing
from pipelines.media.sentence import spoken
from pipelines.media.view import ViewFrame
from pipelines.packs import pack, pack_name, player
from pipelines.persona import Persona
from pipelines.settings import Settings
from puppet import (
    FPS,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Pack,
    Phone,
    Player,
)
from sessions import metrics

T = TypeVar("T")
FRAME_S = 1 / FPS
# The sound is handed over this far ahead of its pictures, so that a late picture is never heard.
LEAD_FRAMES = 2
# The transport notices the end of speech by hearing silence for 350 ms.
TRAILING_SILENCE_FRAMES = FPS
# A picture later than this is skipped; its sound is not.
LATE_S = 2 * FRAME_S
# A transport that does not send the voice for so long is not waited for.
LONGEST_WAIT_S = 1.0
# One that had a mark for so long before it came to it sends the voice at the pace of its own clock.
PACED_S = 0.01
# Pictures that the voice has left behind catch up by so much each.
CATCH_UP_S = FRAME_S / 2
SILENCE = bytes(2 * SAMPLES_PER_FRAME)


@dataclass(frozen=True)
class Ready:
    """A picture whose sound has been handed over, None for one that was not drawn."""

    picture: OutputImageRawFrame | None
    mark: VoiceMark | None
    """Before its sound; None if it has none."""
    given_s: float = 0.0
    """When the mark was handed over."""
    wanted: bool = False
    """Whether a picture is due."""


class PuppetVideoService(AIService):
    """Plays one avatar pack. Pictures are I420, 25 a second; audio is s16le mono 24 kHz.

    When pictures come late there are fewer of them, at their moments in the voice.

    `said_s` is how much of the voice was handed out, in seconds. A face that cannot be drawn (any
    more) is told once; it says nothing from then on.
    """

    _player: Player
    _frame_s = FRAME_S

    def __init__(self, pack: Pack, size: tuple[int, int], seed: int = 0) -> None:
        super().__init__(settings=ServiceSettings(model=None))
        self._make_player = functools.partial(player, pack, size, seed)
        self._failed: BaseException | None = None
        self._lost = False
        # What it owes of a voice is given at the end, however late the rest of it comes.
        self._resampler: BaseAudioResampler = create_stream_resampler(clear_after_secs=None)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="puppet")
        self._task: asyncio.Task[None] | None = None
        self._rate = Rate()
        self._ready: deque[Ready] = deque()
        # The last mark that was waited for: a transport that tells of none is not waited for.
        self._passed = VoiceMark()
        self._silence_left = 0
        self._silent = asyncio.Event()
        self._begins = asyncio.Event()
        self.said_s = 0.0
        self._greeted = False
        # Seconds of the current voice that came, and that the player was given.
        self._taken_s = self._given_s = 0.0

    @property
    def shows_face(self) -> bool:
        """Whether there is a face to wait for."""
        return not (self._lost or self._failed)

    def can_generate_metrics(self) -> bool:
        """The time from the first TTS audio to the first sound is measured."""
        return True

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Prepare the face, in a thread: for one that is not warmed up it takes long."""
        await super().setup(setup)
        made = self._in_thread(self._make_player)
        (player,) = await asyncio.gather(made, return_exceptions=True)
        if isinstance(player, BaseException):
            self._failed = player
        else:
            self._player = player

    async def start(self, frame: StartFrame) -> None:
        """Begin to show the face."""
        await super().start(frame)
        if self._failed:
            await self._lose(self._failed)
        else:
            self._task = self._task or self.create_task(self._perform())

    async def stop(self, frame: EndFrame) -> None:
        """Let the last words be spoken, then stop showing the face."""
        await super().stop(frame)
        if self._task:
            self._player.end()
            self._silent.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._silent.wait(), self._player.buffered_s + 1)
        await self._teardown()

    async def cancel(self, frame: CancelFrame) -> None:
        """Stop showing the face at once."""
        await super().cancel(frame)
        await self._teardown()

    async def cleanup(self) -> None:
        """Release the thread that draws."""
        await super().cleanup()
        await self._teardown()
        self._thread.shutdown(wait=False)

    async def _teardown(self) -> None:
        if self._task:
            task, self._task = self._task, None
            await self.cancel_task(task)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take the TTS audio, follow the conversation, pass on everything else."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            await self._speak(frame)
            return
        if self.shows_face:
            await self._follow(frame)
        await self.push_frame(frame, direction)

    async def _speak(self, frame: TTSAudioRawFrame) -> None:
        pcm = await self._resampler.resample(frame.audio, frame.sample_rate, SAMPLE_RATE)
        self._taken_s += frame.num_frames / frame.sample_rate
        self._give(pcm)

    def _give(self, pcm: bytes) -> None:
        if not self.shows_face:
            return
        if pcm and not self._player.speaking:
            self._begins.set()
        self._given_s += len(pcm) / 2 / SAMPLE_RATE
        self._player.speak(pcm)

    def _begin(self) -> None:
        """Look at the user to speak; the first time that is a greeting."""
        self._player.think(False)
        if not self._greeted:
            self._player.greet()
        self._greeted = True

    async def _end(self) -> None:
        """The voice is complete for now, with what the resampler owes of it."""
        self._give(await self._resampler.flush())
        self._taken_s = self._given_s = 0.0
        self._player.end()

    def _articulate(self, frame: ArticulationFrame) -> None:
        """Have the lips follow what is articulated; the resampler may owe some sound before it."""
        owed_s = self._taken_s - self._given_s
        phones = [Phone(p.symbol, p.start_s + owed_s, p.end_s + owed_s) for p in frame.phonemes]
        self._player.articulate(phones)

    async def _follow(self, frame: Frame) -> None:
        match frame:
            case ArticulationFrame():
                self._articulate(frame)
            case ViewFrame():
                self._rate.seen = frame.seen
            case TTSStartedFrame():
                self._begin()
                await self.start_ttfb_metrics()
            case TTSStoppedFrame():
                await self._end()
            case BotStartedSpeakingFrame():
                await self.stop_ttfb_metrics()
            case InterruptionFrame():
                await self._interrupt()
            case UserStartedSpeakingFrame():
                self._player.listen(True)
                self._player.think(False)
            case UserStoppedSpeakingFrame():
                self._player.listen(False)
                self._player.nod()
                self._player.think(True)
            case UserBackchannelFrame():
                self._player.nod()
            case _:
                pass

    async def _interrupt(self) -> None:
        self._player.interrupt()
        for ready in self._ready:
            if ready.mark:
                ready.mark.reach()
        self._ready.clear()
        self._rate.missed()
        self._silence_left = 0
        self._taken_s = self._given_s = 0.0
        await self._resampler.reset()

    async def _perform(self) -> None:
        """Show the face for as long as it can be drawn."""
        with drawing(self._rate):
            (error,) = await asyncio.gather(self._show(), return_exceptions=True)
        if isinstance(error, Exception):
            self._task = None
            await self._lose(error)

    async def _lose(self, error: BaseException) -> None:
        self._lost = True
        await self.push_error(f"The face cannot be drawn: {error!r}")

    async def _show(self) -> None:
        """Go on every 40 ms of a clock that stops and catches up as the voice does.

        Each time there is a picture to push, or none if fewer are drawn. Who begins to speak waits
        for no picture: the next one comes at once.
        """
        now_s = self.get_event_loop().time
        due = now_s()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._begins.wait(), max(0.0, due - now_s()))
                due = min(due, now_s())
            self._begins.clear()
            late = now_s() - due > LATE_S
            if not self._ready:
                await self._prepare(late)
            waited_s = 0.0 if late else await self._until_heard()
            self._rate.waited(now_s(), waited_s)
            pushed = await self._push_picture(late)
            self._note(pushed, now_s() - due - waited_s)
            while pushed.mark and self._player.speaking and len(self._ready) < LEAD_FRAMES:
                await self._prepare(late)
            due += self._frame_s + waited_s

    async def _prepare(self, late: bool) -> None:
        """Draw a picture, and hand over its sound ahead of it; when late, the sound alone."""
        wanted = self._rate.wants()
        draws = wanted and (not late or self._rate.is_overdue)
        picture, sound = await (self._seen() if draws else self._unseen())
        if picture:
            self._rate.drawn()
        mark = None if sound is None else VoiceMark()
        self._ready.append(Ready(picture, mark, self.get_event_loop().time(), wanted))
        if mark:
            await self.push_frame(mark)
        await self._push_sound(sound)

    async def _until_heard(self) -> float:
        """Wait until the transport has come to the sound of the next picture.

        Returns for how long; below zero, how much sooner the next ones are to come.
        """
        mark = self._ready[0].mark if self._ready else None
        if mark is None:
            return 0.0
        now_s = self.get_event_loop().time
        if mark.reached.is_set():
            paced = mark.reached_s - self._ready[0].given_s > PACED_S
            self._passed = mark
            return max(mark.reached_s - now_s(), -CATCH_UP_S) if paced else 0.0
        began = now_s()
        if self._passed.reached.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(mark.reached.wait(), LONGEST_WAIT_S)
        self._passed = mark
        return now_s() - began

    async def _push_picture(self, late: bool) -> Ready:
        """Push the next picture, if one is due and does not come too late; gives what was due."""
        # An interruption may have emptied the queue meanwhile.
        ready = self._ready.popleft() if self._ready else Ready(None, None)
        if ready.picture and (not late or self._rate.is_overdue):
            self._rate.shown()
            await self.push_frame(ready.picture)
        elif ready.wanted:
            self._rate.missed()
        if not self._ready and not self._player.speaking:
            self._silent.set()
        return ready

    def _note(self, pushed: Ready, late_s: float) -> None:
        """Let there be fewer pictures if they come late, or more again."""
        if not pushed.wanted:
            return
        metrics.pictured(late=late_s > FRAME_S)
        if self._rate.note(self.get_event_loop().time(), late_s):
            logger.info(f"The face is drawn at {self._rate.pace} pictures a second")

    async def _seen(self) -> tuple[OutputImageRawFrame, bytes | None]:
        frame = self._player.still() or await self._in_thread(self._player.tick)
        return OutputImageRawFrame(frame.data, frame.size, "I420"), frame.audio

    async def _unseen(self) -> tuple[None, bytes | None]:
        if not self._player.speaking:
            return None, self._player.skip()
        return None, await self._in_thread(self._player.skip)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self.get_event_loop().run_in_executor(self._thread, work)

    async def _push_sound(self, sound: bytes | None) -> None:
        """Hand over 40 ms of sound."""
        if sound is not None:
            self._silence_left = TRAILING_SILENCE_FRAMES
            self.said_s += FRAME_S
            await self.push_frame(SpeechOutputAudioRawFrame(sound, SAMPLE_RATE, 1))
        elif self._silence_left and not self._player.speaking:  # within, it would end the speech
            self._silence_left -= 1
            await self.push_frame(SpeechOutputAudioRawFrame(SILENCE, SAMPLE_RATE, 1))


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> PuppetVideoService:
    """The service.

    Raises:
        BadSetting: the pack cannot be shown.
    """
    chosen = pack(pack_name(settings, persona))
    return PuppetVideoService(chosen, settings.avatar_size, settings.puppet_seed)


def warm_up(settings: Settings, persona: Persona) -> None:
    """Load the pack and prepare its pictures before the first conversation."""
    player(pack(pack_name(settings, persona)), settings.avatar_size)


def exercise(settings: Settings, persona: Persona) -> float:
    """Draw some of a conversation; returns how many seconds of it."""
    pictures = performance(pack_name(settings, persona), settings.avatar_size)
    return len(pictures) / FPS


def performance(name: str, size: tuple[int, int]) -> list[bytes]:
    """The pictures, I420, of as much time in which a pack's face speaks as in which it listens."""
    shown = player(pack(name), size)
    shown.speak(spoken(SAMPLE_RATE)[: 2 * SAMPLE_RATE])
    shown.end()
    return [shown.tick().data for _ in range(2 * FPS)]
