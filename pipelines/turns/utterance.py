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
# A word that began when the avatar's own were over may have begun so long before.
OVERLAP_S = 0.3
# The avatar that hears itself is listened to less often.
ECHO_AGAIN_S = 0.5


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
        over_avatar: whether it began while the avatar spoke.
        goes_on_with: the turn ended just before, which it may turn out to be the rest of.
        text: its words as of the last look.
        wait_s: the quiet that ends it; None while nobody knows.
        listen_at_s: the voice after which its words are looked at, while it is no turn.
    """

    listen_at_s: float
    is_turn: bool = False
    rejoins: bool = False
    over_avatar: bool = False
    goes_on_with: "Utterance | None" = None
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
    _echo: int = 0

    def hear(self, sound: Sound) -> None:
        """Keep more of it."""
        self._piece.append(sound)
        self._recent.append(sound)

    @property
    def piece(self) -> Sound:
        """The sound that is not written down for good."""
        self._piece = [np.concatenate(self._piece)]
        if not self.is_turn and (more := len(self._piece[0]) - round(UNDECIDED_S * RATE)) > 0:
            self._piece, self._echo = [self._piece[0][more:]], max(0, self._echo - more)
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

    def resume(self) -> None:
        """The pause is over, and with it everything that was thought about it.

        What was said long before need not be written down again.
        """
        self.pause += 1
        self.looks, self.looking, self.wait_s = 0, False, None
        if self.is_turn and self.text and seconds(self.piece) > PIECE_S:
            self._closed, self._piece = [self.text], []

    def go_on(self) -> None:
        """It was ended as a turn, too soon."""
        self.resume()
        self.rejoins, self.is_turn = True, False

    def join(self, earlier: "Utterance") -> None:
        """It is the rest of an earlier turn."""
        self._closed = [earlier.text, *self._closed]
        self.rejoins, self.goes_on_with = True, None

    def only_echo(self) -> None:
        """All that was heard so far was the avatar."""
        self.text = ""
        self.listen_at_s = self.voice_s + ECHO_AGAIN_S
        self._echo = len(self.piece)

    def take_the_floor(self) -> None:
        """It is a turn, of which the avatar's own voice is no part."""
        self.is_turn = True
        if self._echo:
            self._piece = [self.piece[max(0, self._echo - round(OVERLAP_S * RATE)) :]]
            self._recent, self._echo = list(self._piece), 0
