"""Ears that own the turn: what all of them know and tell, whatever they hear with."""

from collections.abc import Callable
from typing import Any, Protocol

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InterruptionFrame,
    LLMMessagesTransformFrame,
    STTMetadataFrame,
    UserBackchannelFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.stt_service import STTService
from pipecat.turns.eager_end_of_turn_mixin import EagerEndOfTurnSTTServiceMixin
from pipecat.utils.time import time_now_iso8601

from . import rules
from .echo import Said
from .floor import VolumeFrame, without_cut_off_turn
from .words import Words


class Rejoining(Protocol):
    """A turn, and whether the one it goes on with is still to be forgotten."""

    rejoins: bool


class TurnOwner(EagerEndOfTurnSTTServiceMixin, STTService):
    """Knows whether the avatar speaks, what it says, and how loud the user is.

    Attributes:
        muted: whether the user's microphone is off on purpose, where anybody knows.

    Events: `on_turn_taken_back(ears)` when the user goes on with the turn that was ended last,
    which is then as if it had not been; `on_turn_kept(ears)` when it is too late for that.
    """

    def __init__(self, **kwargs: Any) -> None:
        # Who owns the turn is the last who has need of the sound.
        super().__init__(audio_passthrough=False, **kwargs)
        self.said = Said()
        self.muted: Callable[[], bool] | None = None
        # Whether others go on with a turn that these ears have lost.
        self.hands_over: Callable[[], bool] = lambda: False
        self._avatar_speaks = self._lowered = False
        self._user_db: float | None = None
        self._register_event_handler("on_turn_kept", sync=True)
        self._register_event_handler("on_turn_taken_back", sync=True)

    @property
    def supports_ttfs(self) -> bool:
        """The time to the final segment is what these ears decide, not what they need."""
        return False

    def service_metadata_frame(self) -> STTMetadataFrame:
        """Recommends the strategies that let these ears own the turn."""
        frame = super().service_metadata_frame()
        frame.user_turn_strategies = self.recommended_user_turn_strategies(
            enable_interruptions=True
        )
        return frame

    @property
    def unheard_s(self) -> float:
        """Seconds since the beginning of what was not written down."""
        return 0.0

    def take_over(self, lost: "TurnOwner") -> None:
        """Know what other ears knew, in whose place these are."""
        self._avatar_speaks, self._user_db = lost._avatar_speaks, lost._user_db

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Know whether the avatar has the floor."""
        if isinstance(frame, BotStartedSpeakingFrame):
            self._avatar_speaks = True
        elif isinstance(frame, BotStoppedSpeakingFrame | InterruptionFrame):
            self._avatar_speaks = False
        await super().process_frame(frame, direction)

    def _like_the_user(self, level_db: float, softer_db: float) -> bool:
        return self._user_db is None or level_db > self._user_db - softer_db

    def _may_be_echo(self, over_avatar: bool, level_db: float, heard: str) -> bool:
        """Whether it could be the avatar: softer than the user, or more than a word or two."""
        loud = self._user_db is not None and self._like_the_user(level_db, rules.NEARLY_AS_LOUD_DB)
        return over_avatar and (not loud or len(Words(heard).all) > 2)

    async def _turn_volume(self, volume: float) -> None:
        if self._lowered != (volume < 1):
            self._lowered = volume < 1
            await self.push_frame(VolumeFrame(volume))

    async def _make_room(self, level_db: float) -> None:
        """A voice begins, which may be the user's: have the avatar speak softly."""
        if self._avatar_speaks and self._like_the_user(level_db, rules.SOFTER_DB):
            await self._turn_volume(rules.LOWERED)

    async def _leave_floor(self, text: str) -> None:
        """What was heard took no turn: the avatar goes on as loud as before."""
        await self._turn_volume(1.0)
        if text:
            await self.push_frame(UserBackchannelFrame(text, self._user_id, time_now_iso8601()))

    async def _join(self, turn: Rejoining) -> None:
        """Forget the turn that was ended too soon, and the answer begun: the whole turn follows."""
        if turn.rejoins:
            turn.rejoins = False
            await self.push_frame(LLMMessagesTransformFrame(without_cut_off_turn))
