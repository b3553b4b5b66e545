"""One stretch of a user's voice, with the pauses in it: what was heard, and what it has come to."""

from dataclasses import dataclass, field

import numpy as np

from .judge import SEEN_S
from .voice import RATE, Sound
from .words import Words

# A turn is written down in pieces, as writing takes longer the more there is: one that is longer
# than this is closed at a pause.
PIECE_S = 4.0
# So much of what was heard before the voice was sure belongs to it.
BEFORE_S = 0.4
# Voice is this old when it is sure to be one.
SURE_AFTER_S = 0.1
# What may or may not become a turn is not kept for longer.
UNDECIDED_S = 4.0


def seconds(sound: Sound) -> float:
    """How long a sound lasts."""
    return len(sound) / RATE


@dataclass
class Utterance:
    """What a user is saying.

    Attributes:
        is_turn: whether the floor was taken for it.
        rejoins: whether it goes on with a turn that was ended too soon.
        voice_s: seconds of voice, without the pauses.
        pause: the number of the current pause; what was thought of an earlier one is void.
        text: its words as of the last look.
        wait_s: the quiet that ends it; None while nobody knows.
        listen_at_s: the voice after which its words are looked at, while it is no turn.
    """

    listen_at_s: float
    is_turn: bool = False
    rejoins: bool = False
    voice_s: float = SURE_AFTER_S
    resumed_s: float = 0.0
    pause: int = 0
    looks: int = 0
    looking: bool = False
    listening: bool = False
    level_db: float = -100.0
    text: str = ""
    wait_s: float | None = None
    _closed: list[str] = field(default_factory=list)
    _piece: list[Sound] = field(default_factory=list)
    _recent: list[Sound] = field(default_factory=list)

    def hear(self, sound: Sound) -> None:
        """Keep more of it."""
        self._piece.append(sound)
        self._recent.append(sound)

    @property
    def piece(self) -> Sound:
        """The sound that is not written down for good."""
        self._piece = [np.concatenate(self._piece)]
        if not self.is_turn:
            self._piece = [self._piece[0][-round(UNDECIDED_S * RATE) :]]
        return self._piece[0]

    @property
    def recent(self) -> Sound:
        """The last seconds of the turn, as many as the end-of-turn model looks at."""
        self._recent = [np.concatenate(self._recent)[-SEEN_S * RATE :]]
        return self._recent[0]

    def whole(self, newest: str) -> str:
        """The text of the whole turn, `newest` being that of its last piece."""
        return " ".join([*self._closed, newest]).strip()

    @property
    def words(self) -> Words:
        """Its words as of the last look."""
        return Words(self.text)

    def close_piece(self) -> None:
        """Somebody goes on after a pause: what was before need not be written down again."""
        if self.text and seconds(self.piece) > PIECE_S:
            self._closed, self._piece = [self.text], []

    def forget_sound(self) -> None:
        """What was heard so far was not the user."""
        self._piece, self._recent = self._piece[-1:], self._recent[-1:]
        self.voice_s = 0.0
