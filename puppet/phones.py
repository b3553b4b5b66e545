"""What the sounds of speech ask of the lips: IPA letters, and when each is heard."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import category

# A pause that is shorter is none: the lips go on to the next sound.
PAUSE_S = 0.09


class Phone(NamedTuple):
    """A sound of speech, a stress mark or a pause, and when it is heard, in seconds.

    Attributes:
        symbol: IPA letters, which share the time, with or without marks. A mark of stress alone
            goes with what follows it, one of length with what it follows; what is no letter is
            a pause.
    """

    symbol: str
    start_s: float
    end_s: float


class Sound(NamedTuple):
    """A sound as lips make it.

    Attributes:
        open: 0 shut .. 1.
        width: -1 spread .. 1 rounded.
        hold: how much it insists on its opening, against the sounds beside it.
        grip: the same of its width.
        shut: which part of its time the lips are pressed together for; none for most.
        bites: whether the lower lip is under the teeth.
        vowel: whether stress changes it.
    """

    open: float
    width: float
    hold: float
    grip: float
    shut: tuple[float, float] | None = None
    bites: bool = False
    vowel: bool = False


class Segment(NamedTuple):
    """A sound in time, or a pause (None).

    Attributes:
        stress: 0, 0.5 or 1, of a vowel.
        asks: whether a question ends with it.
    """

    sound: Sound | None
    start_s: float
    end_s: float
    stress: float = 0.0
    asks: bool = False


VOWELS = {
    "ɑɒ": (0.90, 0.05, 1.0, 0.6),
    "aɶ": (0.85, -0.1, 1.0, 0.6),
    "æ": (0.78, -0.45, 1.0, 0.8),
    "ʌɐ": (0.58, 0.0, 1.0, 0.5),
    "əɘ": (0.34, 0.0, 0.7, 0.3),
    "ɚɜɝɞ": (0.36, 0.3, 0.9, 0.7),
    "ɔ": (0.62, 0.6, 1.0, 1.0),
    "oɵɤ": (0.48, 0.8, 1.0, 1.1),
    "ʊ": (0.26, 0.75, 1.0, 1.1),
    "uʉɯ": (0.20, 1.0, 1.0, 1.3),
    "ɪᵻɨʏ": (0.30, -0.5, 0.9, 0.7),
    "iy": (0.26, -0.9, 1.0, 1.1),
    "e": (0.46, -0.65, 1.0, 0.9),
    "ɛ": (0.50, -0.45, 1.0, 0.8),
    "øœ": (0.40, 0.65, 1.0, 1.0),
}
CONSONANTS = {
    "wɥ": (0.12, 1.0, 1.0, 1.4),
    "ɹrɻɽʁʀ": (0.18, 0.5, 0.8, 0.8),
    "lɫɭʎʟ": (0.28, -0.1, 0.5, 0.2),
    "tdnɾʈɖɳɲ": (0.15, -0.1, 0.7, 0.2),
    "szʦʣ": (0.09, -0.35, 1.0, 0.5),
    "θð": (0.17, -0.1, 0.8, 0.3),
    "kɡgŋxɣçqɢɴχʝcɟ": (0.24, 0.0, 0.35, 0.1),
    "hɦʔħʕ": (0.30, 0.0, 0.15, 0.05),
    "ʃʒʧʤɕʑʂʐʨʥ": (0.17, 0.6, 0.9, 0.9),
    "j": (0.20, -0.65, 0.8, 0.7),
    "ɸβ": (0.05, 0.1, 1.0, 0.3),
}
# A stop is let go before its time is over, with a puff.
CLOSED = {"pb": (0.15, 0.7), "m": (0.15, 0.85)}
BITTEN = "fvʋɱ"
QUESTIONS = "?？؟"
STRESSES = {"ˈ": 1.0, "'": 1.0, "ˌ": 0.5}


def _sounds() -> Iterator[tuple[str, Sound]]:
    for letters, of in VOWELS.items():
        yield from ((letter, Sound(*of, vowel=True)) for letter in letters)
    for letters, of in CONSONANTS.items():
        yield from ((letter, Sound(*of)) for letter in letters)
    for letters, shut in CLOSED.items():
        yield from ((letter, Sound(0.0, 0.0, 1.0, 0.1, shut=shut)) for letter in letters)
    yield from ((letter, Sound(0.08, -0.1, 1.0, 0.3, bites=True)) for letter in BITTEN)


SOUNDS = dict(_sounds())


def readable(phones: Sequence[Phone]) -> bool:
    """Whether most of the letters are IPA, and not of another alphabet of sounds."""
    letters = [c for phone in phones for c in phone.symbol if category(c) in ("Lu", "Ll", "Lo")]
    return 2 * sum(letter in SOUNDS for letter in letters) >= len(letters)


def segments(phones: Sequence[Phone]) -> list[Segment]:
    """The sounds and pauses of some speech, each from where the one before ends."""
    reading = _Reading()
    for phone in phones:
        reading.take(phone)
    reading.close()
    return reading.found


class _Reading:
    """Turns phones into segments: marks and short pauses give their time to the sounds."""

    def __init__(self) -> None:
        self.found: list[Segment] = []
        self._stress = self._end_s = 0.0
        # Where a pause, and where the next sound, began, if they have.
        self._still_s: float | None = None
        self._begun_s: float | None = None

    def take(self, phone: Phone) -> None:
        sounds = [SOUNDS[letter] for letter in phone.symbol if letter in SOUNDS]
        stresses = [STRESSES[mark] for mark in phone.symbol if mark in STRESSES]
        self._stress = max(stresses, default=self._stress)
        self._end_s = phone.end_s
        if self.found and any(mark in QUESTIONS for mark in phone.symbol):
            self.found[-1] = self.found[-1]._replace(asks=True)
        if sounds:
            self._sound(sounds, phone)
        elif stresses:
            self._begun_s = phone.start_s if self._begun_s is None else self._begun_s
        elif self.found and self._still_s is None and phone.symbol[:1].isalpha():
            self.found[-1] = self.found[-1]._replace(end_s=phone.end_s)
        else:
            self._still_s = phone.start_s if self._still_s is None else self._still_s
            self._begun_s = None

    def _sound(self, sounds: Sequence[Sound], phone: Phone) -> None:
        start_s = phone.start_s if self._begun_s is None else self._begun_s
        start_s = self._pause(start_s)
        self._begun_s = None
        step_s = (phone.end_s - start_s) / len(sounds)
        for number, sound in enumerate(sounds):
            at_s = start_s + number * step_s
            stress = self._stress if sound.vowel else 0.0
            self.found.append(Segment(sound, at_s, at_s + step_s, stress))
            if sound.vowel:
                self._stress = 0.0

    def _pause(self, until_s: float) -> float:
        """End a pause, if there is one; where the next sound begins."""
        from_s = self.found[-1].end_s if self.found else until_s
        from_s = from_s if self._still_s is None else min(self._still_s, until_s)
        self._still_s = None
        if self.found and until_s - from_s < PAUSE_S:
            middle_s = (from_s + until_s) / 2
            self.found[-1] = self.found[-1]._replace(end_s=middle_s)
            return middle_s
        if until_s > from_s:
            self.found.append(Segment(None, from_s, until_s))
        return until_s

    def close(self) -> None:
        if self._still_s is not None:
            self.found.append(Segment(None, self._still_s, self._end_s))
