"""Deepgram's Flux as ears that own the turn: what it says of turns, held against the rules.

Flux tells when a turn begins, when it has probably ended and when it has. Whether what it hears
while the avatar speaks is a turn, a sign of listening or the avatar itself is for the rules to say,
by the words so far; until then the avatar speaks softly, and nobody is told of a turn.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from pipecat.frames.frames import Frame, ProposedUserStartedSpeakingFrame
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.types import assert_given
from websockets.exceptions import ConnectionClosed

from . import rules
from .floor import VoiceEndedFrame
from .owner import TurnOwner
from .utterance import SURE_AFTER_S
from .voice import RATE, Heard, Sound, VoiceActivity, samples
from .words import Words, split

# How much surer of an end Flux has to be when waits are twice as long, and at most.
SURER, SUREST = 0.4, 0.9
# What Flux hears so long after the last voice was one that is too soft to be noticed here.
UNHEARD_S, UNHEARD_DB = 1.5, -100.0
# A connection that takes longer has failed; and so has one on which nothing comes back for so long.
CONNECT_S, DEAF_S = 3.0, 3.0
# A line on which a ping is not answered for so long is dead.
PONG_S = 2.0
# Flux tells of every quarter of a second that it hears; of so much voice it tells something, be it
# in several words that were said in vain, one soon after the other.
CLEAR_S, SOON_S = 1.0, 20.0


@dataclass
class Stretch:
    """A stretch of voice in the microphone, as heard here.

    Attributes:
        began_s: when it began, in seconds of a clock that only goes forward.
        over_avatar: whether the avatar spoke then.
        voice_s: seconds of voice so far.
        level_db: of its loudest 10 ms.
        over: whether it has been quiet for so long that a noise would be over.
        in_vain_s: seconds of voice before it of which nothing was told.
    """

    began_s: float
    over_avatar: bool
    level_db: float
    voice_s: float = SURE_AFTER_S
    over: bool = False
    in_vain_s: float = 0.0


@dataclass
class FluxTurn:
    """What is being said, from Flux's StartOfTurn to its EndOfTurn.

    Attributes:
        goes_on_with: the text of the turn that was ended just before, which it may be the rest of.
        is_turn: whether the floor was taken for it.
        rejoins: whether the turn it goes on with is still to be forgotten.
        echo_words: how many of its words at the beginning are the avatar's own.
        text: its words so far, without those.
    """

    goes_on_with: str = ""
    is_turn: bool = False
    rejoins: bool = False
    echo_words: int = 0
    text: str = ""

    @property
    def whole(self) -> str:
        """The text of the turn, with what was ended too soon."""
        return f"{self.goes_on_with} {self.text}".strip() if self.is_turn else self.text

    def own(self, transcript: str) -> str:
        """A transcript without the avatar's words."""
        return " ".join(transcript.split()[self.echo_words :]) if self.echo_words else transcript


class FluxEars(TurnOwner, DeepgramFluxSTTService):
    """Hears s16le mono, 16 kHz.

    Flux does not say when the voice ended, so that is heard here, in the microphone's own sound.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, **kwargs: Any) -> None:
        """`clock` gives seconds; all else is as for Pipecat's class."""
        super().__init__(sample_rate=RATE, **kwargs)
        self._now_s = clock
        self._activity = VoiceActivity()
        self._stretch: Stretch | None = None
        # Quiet since the last voice in the microphone, and when that was known.
        self._quiet_s = self._heard_at_s = 0.0
        self._turn: FluxTurn | None = None
        # How sure of an end Flux is to be, and how long a pause may be, as set; and how much more.
        self._sure = assert_given(self._settings.eot_threshold)
        self._longest_ms = assert_given(self._settings.eot_timeout_ms)
        self._longer = 1.0
        # The turn that was ended last, and when; "" once it is kept.
        self._ended, self._ended_at_s = "", 0.0
        self._told_at_s = 0.0

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Listen for voice, and let Flux hear the sound."""
        sound = samples(audio)
        await self._listen(sound, self._activity.hear(sound))
        async for frame in super().run_stt(audio):
            yield frame

    async def _listen(self, sound: Sound, heard: Heard) -> None:
        self._heard_at_s, self._quiet_s = self._now_s(), heard.quiet_s
        stretch = self._stretch
        if heard.begins and (stretch is None or (stretch.over and not self._turn)):
            await self._begin(heard.level_db)
        elif stretch and not heard.quiet_s:
            stretch.over = False
            stretch.voice_s += len(sound) / RATE
            stretch.level_db = max(stretch.level_db, heard.level_db)
        elif stretch and heard.quiet_s >= rules.NOISE_IS_OVER_S:
            if not stretch.over:
                self._see_whether_heard()
            stretch.over = True
            await self._turn_volume(1.0)
        if self._ended and self._heard_at_s - self._ended_at_s > rules.CUT_OFF_S:
            await self._keep_turn()
        if self._stretch and self._is_deaf(self._stretch):
            await self.push_error("Flux tells nothing", category=ErrorCategory.CONNECTIVITY)
            self._close_turn()

    def _is_deaf(self, stretch: Stretch) -> bool:
        """Whether Flux has told nothing for longer than it takes to end a turn, or to begin one."""
        told_s = self._now_s() - max(self._told_at_s, stretch.began_s)
        if self._turn is None:
            return stretch.in_vain_s + stretch.voice_s >= CLEAR_S and told_s > DEAF_S
        longest_s = (self._longest_ms or 0) / 1000 * self._longer
        return told_s > longest_s + DEAF_S

    async def _handle_message(self, data: dict[str, Any]) -> None:
        """Note that Flux is there."""
        self._told_at_s = self._now_s()
        await super()._handle_message(data)

    def _see_whether_heard(self) -> None:
        """A voice begins or ends: a word is too short for Flux's silence to tell."""
        if self._transport_is_active():
            self.create_task(self._try_line(), "try_line")

    async def _try_line(self) -> None:
        """See whether Flux can be reached."""
        try:
            async with asyncio.timeout(PONG_S):
                await (await self._get_websocket().ping())
            return
        except (TimeoutError, ConnectionClosed):
            problem = "Flux cannot be reached"
        if self._stretch:
            await self.push_error(problem, category=ErrorCategory.CONNECTIVITY)
            self._close_turn()

    async def _begin(self, level_db: float) -> None:
        """A voice begins, which may be the user's."""
        before, now_s = self._stretch, self._now_s()
        self._stretch = Stretch(now_s, self._avatar_speaks, level_db)
        if before and self._told_at_s < before.began_s and now_s - before.began_s < SOON_S:
            self._stretch.in_vain_s = before.in_vain_s + before.voice_s
        self._see_whether_heard()
        await self._make_room(level_db)

    async def _keep_turn(self) -> None:
        """It is too late to go on with the last turn, unless somebody began in time."""
        if not self._turn and (self._stretch is None or self._stretch.over):
            self._ended = ""
            await self._wait_longer(rules.stretched(self._longer, cut_off=False))
            await self._call_event_handler("on_turn_kept")

    async def _wait_longer(self, longer: float) -> None:
        """Have Flux wait so many times as long as was set."""
        if longer == self._longer or not self._sure or not self._longest_ms:
            return
        self._longer = longer
        sure = min(SUREST, self._sure + SURER * (longer - 1))
        wait = self.Settings(
            eot_threshold=round(sure, 2), eot_timeout_ms=round(self._longest_ms * longer)
        )
        await self._update_settings(wait)

    async def _handle_start_of_turn(self, transcript: str) -> None:
        """Somebody says something."""
        # By these, Pipecat's class knows of a turn whose sound or connection breaks off.
        self._user_is_speaking = True
        self._turn_transcript, self._turn_language = transcript, None
        self._turn = self._new_turn()
        await self._consider(self._turn, transcript)
        await self._call_event_handler("on_start_of_turn", transcript)

    def _new_turn(self) -> FluxTurn:
        if self._stretch is None or (self._stretch.over and self._quiet_s > UNHEARD_S):
            self._stretch = Stretch(self._now_s(), self._avatar_speaks, UNHEARD_DB)
        in_time = self._stretch.began_s - self._ended_at_s <= rules.CUT_OFF_S
        return FluxTurn(self._ended if in_time else "")

    async def _handle_update(self, transcript: str, data: dict[str, Any]) -> None:
        """More was said."""
        if transcript and self._turn and await self._consider(self._turn, transcript):
            await super()._handle_update(self._turn.whole, data)

    async def _handle_eager_end_of_turn(self, transcript: str, data: dict[str, Any]) -> None:
        """That was probably all: let the mind begin."""
        if self._turn and await self._consider(self._turn, transcript):
            await self._join(self._turn)
            await super()._handle_eager_end_of_turn(self._turn.whole, data)

    async def _handle_end_of_turn(self, transcript: str, data: dict[str, Any]) -> None:
        """That was all: a turn, or a sign of listening, or nothing."""
        turn = self._turn or self._new_turn()
        is_turn = await self._consider(turn, transcript)
        quiet_s = self._close_turn()
        if not is_turn:
            await self._pass_over(turn)
            return
        await self._join(turn)
        self._ended, self._ended_at_s = turn.whole, self._now_s()
        await self.push_frame(VoiceEndedFrame(quiet_s))
        await super()._handle_end_of_turn(turn.whole, data)

    async def is_well(self) -> bool:
        """Connect anew; what was said until now is not heard any more."""
        self._close_turn()
        await self._disconnect()
        await self._connect()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._connection_established_event.wait(), CONNECT_S)
        return self._transport_is_active() and self._connection_established_event.is_set()

    async def _websocket_connect(self, uri: str, **kwargs: Any) -> Any:
        return await super()._websocket_connect(uri, open_timeout=CONNECT_S, **kwargs)

    @property
    def unheard_s(self) -> float:
        """Seconds since the beginning of what was not written down."""
        return self._now_s() - self._stretch.began_s if self._stretch else 0.0

    async def _end_turn_cut_short(self) -> None:
        """The connection is lost: what was heard of a turn is answered, or heard anew by others."""
        turn = self._turn
        if self.hands_over() and self._stretch:
            await self.push_error("The connection is lost", category=ErrorCategory.CONNECTIVITY)
            self._close_turn()
            return
        quiet_s = self._close_turn()
        if turn and not turn.is_turn:
            await self._pass_over(turn)
        elif turn:
            await self._join(turn)
            self._turn_transcript = turn.whole
            await self.push_frame(VoiceEndedFrame(quiet_s))
            await super()._end_turn_cut_short()

    def _close_turn(self) -> float:
        """Forget what was heard of a turn that is over; the seconds since its last voice."""
        turn, self._turn = self._turn, None
        stretch, self._stretch = self._stretch, None
        if turn and turn.is_turn and stretch:
            self._user_db = stretch.level_db
        if stretch is None or not self._heard_at_s:
            return 0.0
        return self._quiet_s + self._now_s() - self._heard_at_s

    async def _consider(self, turn: FluxTurn, transcript: str) -> bool:
        """Note what was heard, and give the floor for it if it takes it; is it a turn?"""
        if not turn.is_turn:
            own = self._without_echo(transcript)
            turn.echo_words = len(split(transcript)) - len(split(own))
            if self._takes_the_floor(turn, Words(own)):
                await self._take_the_floor(turn)
            elif transcript and not own:
                await self._turn_volume(1.0)
        turn.text = turn.own(transcript) or turn.text
        return turn.is_turn

    def _without_echo(self, transcript: str) -> str:
        stretch = self._stretch
        if stretch and self._may_be_echo(stretch.over_avatar, stretch.level_db, transcript):
            return self.said.without(transcript)
        return transcript

    def _takes_the_floor(self, turn: FluxTurn, words: Words) -> bool:
        stretch = self._stretch
        if not stretch or not words:
            return False
        surely = self._like_the_user(stretch.level_db, rules.NEARLY_AS_LOUD_DB)
        if turn.goes_on_with and (surely or not stretch.over_avatar):
            return True
        speaks, before = self._avatar_speaks, Words(turn.text)
        return rules.takes_the_floor(words, stretch.voice_s, speaks, before, stretch.over)

    async def _take_the_floor(self, turn: FluxTurn) -> None:
        turn.is_turn = True
        turn.rejoins = bool(turn.goes_on_with)
        self._lowered, self._ended = False, ""
        if turn.rejoins:
            await self._wait_longer(rules.stretched(self._longer, cut_off=True))
            await self._call_event_handler("on_turn_taken_back")
        await self.broadcast_frame(ProposedUserStartedSpeakingFrame)

    async def _pass_over(self, turn: FluxTurn) -> None:
        """It took no turn, for Pipecat's class neither."""
        self._user_is_speaking, self._turn_transcript = False, ""
        await self._leave_floor(turn.text)
