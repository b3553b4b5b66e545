"""Who spoke when, and how fast, by the events of a FULL session as a page saw them.

LiveAvatar tells no moment of its own clock, so times are those at which the page saw an event.
"""

import functools
from collections import deque
from dataclasses import dataclass, field

from liveavatar.channel import Act, Speech, Tell, Words

from .events import Happening

# Of one conversation; a page that relays more is not believed.
MOST_TURNS = 500
# Characters of one answer, and those by which it is told from others.
LONGEST, COMPARED = 20_000, 400
# What the user does.
USERS = ("user.", "avatar.speak_response", "avatar.interrupt")
# An interruption is followed by silence within this, in seconds; what comes later is another end.
# After a click LiveAvatar may take longer.
CUT_S, HUSH_S = 1.5, 5.0


@dataclass
class Turn:
    """One turn of one speaker.

    Attributes:
        who: "user" or "avatar".
        at_s: when it began.
        text: what was said, as far as it is known; of an avatar that is cut off, more than that.
        steps: of an answer, seconds from the end of what the user said until "ears", "mind" and
            "voice" were done.
    """

    who: str
    at_s: float
    text: str = ""
    interrupted: bool = False
    steps: dict[str, float] = field(default_factory=dict)

    @functools.cached_property
    def key(self) -> str:
        """What of the text is compared, once it is known."""
        return key(self.text)

    @property
    def answered_s(self) -> float | None:
        """Seconds until the answer began; None for what was no answer."""
        return self.steps.get("voice")


class Turns:
    """Puts turns together from what happened; those that are over are in `done`, oldest first.

    Attributes:
        speaking: whether the avatar speaks.
        answering: whether the user has finished and no answer has begun.
        moved_s: when anything last happened; 0 before.
        user_s: when the user last did or said something; 0 before.
        spoken: how often the avatar has begun to speak.
    """

    def __init__(self) -> None:
        self.done: deque[Turn] = deque(maxlen=MOST_TURNS)
        self.speaking = self.answering = False
        self.moved_s = self.user_s = 0.0
        self.spoken = 0
        self._user_at_s: float | None = None
        self._stopped_s: float | None = None
        self._steps: dict[str, float] = {}
        self._answer: Turn | None = None
        # What the avatar says, or is about to: whole texts, and pieces of one that is not whole.
        self._whole: list[str] = []
        self._pieces = ""
        self._cut_until_s = 0.0

    def take(self, at_s: float, happening: Happening) -> Turn | None:
        """Note what happened; the turn that is over by it, if one is."""
        self.moved_s = max(self.moved_s, at_s)
        if happening.event_type.startswith(USERS):
            self.user_s = self.moved_s
        match happening:
            case Speech(who="user"):
                self._user(at_s, begins=happening.begins)
            case Speech():
                return self._begin(at_s) if happening.begins else self._end(at_s)
            case Words(who="user", is_final=True):
                return self._said(at_s, happening.text)
            case Words(who="avatar"):
                self._thought(at_s, happening.text, whole=happening.is_final)
            case Tell(event_type="avatar.speak_response"):
                return self._typed(at_s, happening.text)
            case Act(event_type="avatar.interrupt"):
                self._cut_until_s = at_s + HUSH_S
        return None

    def close(self, at_s: float) -> Turn | None:
        """The conversation is over: so is what was being said."""
        self._cut_until_s = at_s + CUT_S
        return self._end(at_s)

    def _user(self, at_s: float, *, begins: bool) -> None:
        if begins:
            self._user_at_s, self._cut_until_s = at_s, at_s + CUT_S
            self.answering = False
            self._forget_unsaid()
        else:
            self._stop(at_s)

    def _stop(self, at_s: float) -> None:
        thought = {"mind": 0.0} if self._pieces or self._whole else {}
        self._stopped_s, self._steps = at_s, {} if self.speaking else thought
        self.answering = True

    def _said(self, at_s: float, text: str) -> Turn | None:
        began_s, self._user_at_s = self._user_at_s, None
        self._step("ears", at_s)
        turn = Turn("user", at_s if began_s is None else began_s, text)
        before = self.done[-1] if self.done else None
        if before and before.who == "user" and key(text).startswith(before.key):
            turn.at_s = self.done.pop().at_s  # who goes on is heard again, with all of it
        return self._over(turn)

    def _typed(self, at_s: float, text: str) -> Turn | None:
        self._cut_until_s = at_s + CUT_S
        self._forget_unsaid()
        self._stop(at_s)
        return self._over(Turn("user", at_s, text))

    def _thought(self, at_s: float, text: str, *, whole: bool) -> None:
        self._step("mind", at_s)
        left = LONGEST - sum(map(len, self._whole))
        text = text[: max(0, left)]
        if whole:
            self._whole.append(text)
        self._pieces = "" if whole else joined(self._pieces, text)[: max(0, left)]

    def _forget_unsaid(self) -> None:
        if not self.speaking:
            self._whole, self._pieces = [], ""

    def _begin(self, at_s: float) -> None:
        self._step("voice", at_s)
        self._answer = Turn("avatar", at_s, steps=self._steps)
        self._steps, self._stopped_s = {}, None
        self.speaking, self.answering, self._cut_until_s = True, False, 0.0
        self.spoken += 1

    def _end(self, at_s: float) -> Turn | None:
        answer, self._answer = self._answer, None
        self.speaking = False
        if not answer:
            return None
        answer.text = " ".join([*self._whole, self._pieces]).strip()
        self._forget_unsaid()
        answer.interrupted = at_s < self._cut_until_s
        return self._over(answer)

    def _step(self, name: str, at_s: float) -> None:
        if self._stopped_s is not None:
            self._steps.setdefault(name, round(max(0.0, at_s - self._stopped_s), 3))

    def _over(self, turn: Turn) -> Turn | None:
        if not turn.text:
            return None
        self.done.append(turn)
        return turn


def joined(before: str, piece: str) -> str:
    """Pieces of an answer put together, be each of them more of it or all of it until then."""
    whole = piece.startswith(before)
    return piece if whole else f"{before}{piece}"


def key(text: str) -> str:
    """What of a text is compared."""
    return "".join(letter for letter in text[:LONGEST].casefold() if letter.isalnum())[:COMPARED]
