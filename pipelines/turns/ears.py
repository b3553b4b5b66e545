"""Ears that own the turn: they say when it begins, when it has probably ended, and when it has.

What is heard is written down and judged after a moment of quiet already. If speech goes on, that is
withdrawn; if not, it is the transcript of the turn, so the mind may begin with it at once.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from typing import Any

import numpy as np
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    StartFrame,
    SystemFrame,
    TranscriptionFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.settings import STTSettings
from pipecat.transcriptions.language import Language
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.time import time_now_iso8601
from pipecat.utils.tracing.service_decorators import traced_stt

from . import rules
from .floor import VoiceEndedFrame
from .judge import Complete, Transcribe, certainty, complete, judged, written
from .owner import TurnOwner
from .utterance import BEFORE_S, SURE_AFTER_S, Utterance
from .voice import RATE, Heard, Sound, VoiceActivity, samples
from .words import Words

# Voice that goes on for so long after a pause is no echo of the room.
RESUMES_S = 0.06
# How often it is looked whether sound still comes, and after how many times without any time goes
# on all the same: soon if the microphone is known to be off, otherwise not before a network that
# stands still in the middle of a word would have brought the rest of it. Times are counted, not
# seconds: when the process stands still, what came meanwhile is heard before the next look.
LOOK_FOR_SOUND_S, LOOKS_WHEN_OFF, LOOKS_WITHOUT_SOUND = 0.05, 4, 20
# So much later than it is due a look may come and still count as time that has passed.
LATE_S = 0.05
# More silence than this tells nothing: what was said is all there is to keep, also while nobody
# has the time to look at it.
KEPT_QUIET_S = 1.0
# The avatar's own voice does not come back sooner.
ECHO_AFTER_S = 0.1
# Silence that stands for missing sound is heard in pieces as long as those that transports send.
SILENCE_S = 0.02
# A model that takes longer to write something down will not do so any more.
LONGEST_THOUGHT_S = 15.0


@dataclass
class NoSoundFrame(SystemFrame):
    """Sound has not come for so many seconds: it is as quiet as if there had been silence."""

    duration_s: float


class TurnEars(TurnOwner):
    """Speech to text that owns the turn. Hears s16le mono, 16 kHz."""

    def __init__(
        self,
        transcribe: Transcribe,
        patience: rules.Patience,
        language: Language,
        model: str,
        complete: Complete = complete,
        speculates: bool = True,
    ) -> None:
        """`transcribe` writes a sound down, `complete` says how sure it is that it is a whole turn.

        Both are called in threads, several at once. `speculates` lets the mind begin before the
        turn has ended.
        """
        super().__init__(
            enable_eager_end_of_turn=speculates,
            settings=STTSettings(model=model, language=language),
            sample_rate=RATE,
        )
        self._transcribe, self._complete = transcribe, complete
        self._patience, self._stretch = patience, 1.0
        self._language = language
        self._voice = VoiceActivity()
        self._before: list[Sound] = []
        self._utterance: Utterance | None = None
        # The turn that was ended last, and when, in seconds of sound heard.
        self._ended: Utterance | None = None
        self._ended_at_s = self._utterance_at_s = 0.0
        self._heard_s = self._avatar_began_s = 0.0
        self._looks_without_sound, self._missing_s = 0, 0.0
        self._sound_watch: asyncio.Task[None] | None = None
        self._thoughts: set[asyncio.Task[None]] = set()

    @property
    def transcribe(self) -> Transcribe:
        """What writes a sound down, in any thread."""
        return self._transcribe

    @property
    def thoughts(self) -> frozenset[asyncio.Task[None]]:
        """What models are being asked."""
        return frozenset(self._thoughts)

    async def start(self, frame: StartFrame) -> None:
        """Begin to watch whether sound comes."""
        await super().start(frame)
        self._sound_watch = self.create_task(self._watch_for_sound(), "watch_for_sound")

    async def stop(self, frame: EndFrame) -> None:
        """Whatever is missing now is missing because the conversation is over."""
        await self._stop_watching()
        await super().stop(frame)

    async def cancel(self, frame: CancelFrame) -> None:
        """As `stop`."""
        await self._stop_watching()
        await super().cancel(frame)

    async def cleanup(self) -> None:
        """Release what a conversation that never ended has left."""
        await super().cleanup()
        await self._stop_watching()

    async def _stop_watching(self) -> None:
        watch, self._sound_watch = self._sound_watch, None
        if watch:
            await self.cancel_task(watch)

    async def _watch_for_sound(self) -> None:
        """Let time go on for somebody whose microphone is turned off in the middle of a turn."""
        clock = asyncio.get_running_loop().time
        looked_s = clock()
        while True:
            await asyncio.sleep(LOOK_FOR_SOUND_S)
            passed_s, looked_s = clock() - looked_s, clock()
            self._looks_without_sound += 1
            self._missing_s += min(passed_s, LOOK_FOR_SOUND_S + LATE_S)
            off = self.muted is not None and self.muted()
            if self._looks_without_sound >= (LOOKS_WHEN_OFF if off else LOOKS_WITHOUT_SOUND):
                missing_s, self._missing_s = self._missing_s, 0.0
                await self.queue_frame(NoSoundFrame(missing_s))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Know that time passes without sound, too."""
        if isinstance(frame, BotStartedSpeakingFrame):
            self._avatar_began_s = self._heard_s
        if isinstance(frame, NoSoundFrame):
            await self._hear_nothing(frame.duration_s)
        else:
            await super().process_frame(frame, direction)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Hear a piece of the microphone's sound; what it leads to is pushed when it is known."""
        self._looks_without_sound, self._missing_s = 0, 0.0
        await self._hear(samples(audio))
        yield None

    async def _hear_nothing(self, duration_s: float) -> None:
        """Hear silence in place of sound that is missing, as long as something depends on it."""
        if self._utterance or self._ended:
            silence = np.zeros(round(duration_s * RATE), np.float32)
            for at in range(0, len(silence), round(SILENCE_S * RATE)):
                await self._hear(silence[at : at + round(SILENCE_S * RATE)])
        else:
            self._before.clear()

    async def _hear(self, sound: Sound) -> None:
        self._heard_s += len(sound) / RATE
        heard = self._voice.hear(sound)
        if self._utterance is None:
            await self._wait_for_voice(sound, heard)
        else:
            if heard.quiet_s < KEPT_QUIET_S:
                self._utterance.hear(sound)
            if heard.quiet_s:
                await self._in_a_pause(self._utterance, heard.quiet_s)
            else:
                await self._in_speech(self._utterance, heard, len(sound) / RATE)

    async def _wait_for_voice(self, sound: Sound, heard: Heard) -> None:
        self._before.append(sound)
        while sum(map(len, self._before[1:])) > BEFORE_S * RATE:
            self._before.pop(0)
        if self._ended and self._heard_s - self._ended_at_s > rules.CUT_OFF_S:
            await self._keep_turn()
        if heard.begins:
            await self._begin(heard.level_db)

    async def _begin(self, level_db: float) -> None:
        """A voice begins: the turn before goes on, or something new, which may be a noise."""
        ended, self._ended = self._ended, None
        # While the avatar is heard, what comes back of it must not be taken for the user.
        surely = not self._may_hear_itself or self._like_the_user(level_db, rules.NEARLY_AS_LOUD_DB)
        utterance = ended if ended and surely else None
        if utterance:
            utterance.go_on()
        else:
            utterance = Utterance(rules.LISTEN_S, goes_on_with=ended)
        self._utterance, self._utterance_at_s = utterance, self._heard_s
        utterance.over_avatar = self._avatar_speaks
        utterance.level_db = level_db
        utterance.hear(np.concatenate(self._before))
        self._before.clear()
        if utterance.rejoins:
            await self._take_the_floor(utterance)
        else:
            await self._make_room(level_db)

    @property
    def _may_hear_itself(self) -> bool:
        began_s = self._heard_s - SURE_AFTER_S
        return self._avatar_speaks and began_s - self._avatar_began_s > ECHO_AFTER_S

    async def _keep_turn(self) -> None:
        self._ended = None
        self._stretch = rules.stretched(self._stretch, cut_off=False)
        await self._call_event_handler("on_turn_kept")

    async def _in_speech(self, utterance: Utterance, heard: Heard, duration_s: float) -> None:
        utterance.voice_s += duration_s
        utterance.resumed_s += duration_s
        utterance.level_db = max(utterance.level_db, heard.level_db)
        if utterance.looks and (utterance.resumed_s >= RESUMES_S or heard.begins):
            utterance.resume()
            await self._cancel_eager_end_of_turn()
        due = utterance.voice_s >= utterance.listen_at_s
        if due and not utterance.is_turn and not utterance.listening:
            utterance.listening = True
            self._think(self._listen(utterance), "listen")

    async def _in_a_pause(self, utterance: Utterance, quiet_s: float) -> None:
        utterance.resumed_s = 0.0
        due = utterance.looks < len(rules.LOOKS_S) and quiet_s >= rules.LOOKS_S[utterance.looks]
        if due and not utterance.looking:
            utterance.looks += 1
            utterance.looking = True
            known = utterance.is_turn and utterance.looks > 1
            look = self._look_again if known else self._look
            self._think(look(utterance, utterance.pause), "look")
        elif utterance.wait_s is not None and quiet_s >= utterance.wait_s:
            await self._end(utterance, quiet_s)

    @property
    def unheard_s(self) -> float:
        """Seconds since the beginning of what was not written down."""
        return self._heard_s - self._utterance_at_s if self._utterance else 0.0

    def _think(self, thought: Coroutine[Any, Any, None], name: str) -> None:
        task = self.create_task(self._think_through(thought), name)
        self._thoughts.add(task)
        task.add_done_callback(self._thoughts.discard)

    async def _think_through(self, thought: Coroutine[Any, Any, None]) -> None:
        """Think; a thought that fails, or does not end, takes the utterance with it."""
        thinking = asyncio.ensure_future(thought)
        try:
            await asyncio.wait([thinking], timeout=LONGEST_THOUGHT_S)
        finally:
            ended = thinking.done() or not thinking.cancel()
        error = thinking.exception() if ended else TimeoutError("it takes too long")
        if error:
            await self._lose(error)

    async def _lose(self, error: BaseException) -> None:
        """What was said could not be written down."""
        await self.push_error(f"What was said is lost: {error!r}", category=ErrorCategory.UNKNOWN)
        await self._cancel_eager_end_of_turn()
        utterance, self._utterance = self._utterance, None
        if utterance and utterance.is_turn and not self.hands_over():
            await self.broadcast_frame(ProposedUserStoppedSpeakingFrame)

    async def _listen(self, utterance: Utterance) -> None:
        """Somebody speaks and has not the floor: are there words that take it?"""
        heard = await written(self._transcribe, utterance.piece)
        utterance.listening = False
        if utterance is self._utterance and not utterance.is_turn:
            utterance.listen_at_s = utterance.voice_s + rules.LISTEN_AGAIN_S
            await self._consider(utterance, heard, ended=False)

    async def _look(self, utterance: Utterance, pause: int) -> None:
        """A pause: what was said, how long to wait, and may the mind begin with it?"""
        heard, sure = await judged(
            self._transcribe, self._complete, utterance.piece, utterance.recent
        )
        if utterance is not self._utterance or utterance.pause != pause:
            return
        utterance.looking = False
        if not utterance.is_turn:
            await self._consider(utterance, heard, ended=True)
        if not utterance.is_turn:
            utterance.wait_s = rules.NOISE_IS_OVER_S
            return
        await self._guess(utterance, utterance.whole(heard) or utterance.text, sure)

    async def _look_again(self, utterance: Utterance, pause: int) -> None:
        """The pause goes on: is it sure now? What was said is known."""
        sure = await certainty(self._complete, utterance.recent)
        if utterance is self._utterance and utterance.pause == pause:
            utterance.looking = False
            await self._guess(utterance, utterance.text, sure)

    async def _consider(self, utterance: Utterance, heard: str, ended: bool) -> None:
        """Give the floor to whoever says something; leave it with the avatar that hears itself."""
        if self._may_be_echo(utterance.over_avatar, utterance.level_db, heard):
            heard = self.said.without(heard)
            if not heard:
                utterance.only_echo()
                await self._turn_volume(1.0)
                return
        before, utterance.text = utterance.words, utterance.whole(heard)
        voice_s, speaks = utterance.voice_s, self._avatar_speaks
        if rules.takes_the_floor(utterance.words, voice_s, speaks, before, ended):
            await self._take_the_floor(utterance)

    async def _guess(self, utterance: Utterance, text: str, sure: float) -> None:
        """Let the mind begin with what is probably the turn."""
        changed = text != utterance.text or not self.eager_end_of_turn_pending
        utterance.text = text
        utterance.wait_s = rules.wait_s(Words(text), sure, self._patience, self._stretch)
        if not changed:
            return
        await self._cancel_eager_end_of_turn()
        await self._join(utterance)
        await self._push_eager_end_of_turn(text, user_id=self._user_id, language=self._language)

    async def _take_the_floor(self, utterance: Utterance) -> None:
        if utterance.is_turn:
            return
        utterance.take_the_floor()
        self._lowered = False
        if utterance.goes_on_with:
            utterance.join(utterance.goes_on_with)
        if utterance.rejoins:
            self._stretch = rules.stretched(self._stretch, cut_off=True)
            await self._call_event_handler("on_turn_taken_back")
        await self.broadcast_frame(ProposedUserStartedSpeakingFrame)

    async def _end(self, utterance: Utterance, quiet_s: float) -> None:
        self._utterance = None
        if not utterance.is_turn and utterance.words and not self._avatar_speaks:
            await self._take_the_floor(utterance)  # the avatar has finished: it was an answer
        if utterance.is_turn:
            await self._end_turn(utterance, quiet_s)
            return
        if utterance.goes_on_with:
            await self._keep_turn()
        await self._leave_floor(utterance.text if utterance.words else "")

    @traced_stt
    async def _end_turn(self, utterance: Utterance, quiet_s: float) -> None:
        self._ended, self._ended_at_s = utterance, self._heard_s
        self._user_db = utterance.level_db
        self._clear_eager_end_of_turn()
        await self._join(utterance)
        await self.push_frame(VoiceEndedFrame(quiet_s))
        await self.push_frame(
            TranscriptionFrame(
                utterance.text, self._user_id, time_now_iso8601(), self._language, finalized=True
            )
        )
        await self.broadcast_frame(ProposedUserStoppedSpeakingFrame)
