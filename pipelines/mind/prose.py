"""A mind's Markdown as prose: what a person would say who reads it aloud, while it comes."""

import re
from dataclasses import dataclass

from pipelines.language import base_language

from .signs import plain

FENCE = re.compile(r"(?:`{3,}|~{3,})[^`~]*$")
FENCES = ("```", "~~~")
MARKER = re.compile(r"\s*(?:(?P<block>[-*+•]\s+(?:\[[ xX]\]\s+)?|#{1,6}\s+)|>\s?)")
NUMBER = re.compile(r"\s*\d{1,3}[.)]\s")
# What of a line's beginning may become a marker, a number or a rule.
UNDECIDED = re.compile(r"[\s\d*+•#>|`~_=.)\-]*(?:[-*+•]\s+\[[ xX]?\]?\s*)?")
RULE = re.compile(r"[\s|:*_=+-]+")
DEFINITION = re.compile(r"\s*\[[^\]]+\]:\s+\S+.*")
# What a word with such a sign in it comes to is known at its end.
RISKY = re.compile(
    r"[*_`~#|\\&<>\[\]()!@/:.=+{}\-\u2190-\u2bff\u200d\ufe0f\U0001f000-\U0001faff\ufffd]"
)
HASH = re.compile(r"(?:^|\s)#+\s*$")
ADDRESSES = ("http", "https", "www")
WIDE_ENDS = "。！？，、；：…"
# A link, a note or a tag, or the beginning of one at the end.
SPAN = re.compile(
    r"!?\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*(?:\](?:\((?:[^()]|\([^()]*\))*(?:\([^()]*)?(?P<end>\))?)?)?"
    r"|<[A-Za-z/!][^<>]*(?P<over>>)?"
)
LONGEST_OPEN, LONGEST_WORD = 300, 2000
ENDS = ".!?…:;,。！？；：，、—–"
MOST_ROWS = 4


@dataclass(frozen=True)
class Phrases:
    """What is said in place of code, and of the rest of a long table."""

    code: str = ""
    and_so_on: str = ""


SAID = {
    "en": Phrases("Some code", "And so on"),
    "de": Phrases("Etwas Code", "Und so weiter"),
    "es": Phrases("Un poco de código", "Etcétera"),
}


class Prose:
    """Takes Markdown in pieces, cut anywhere, and gives each word as soon as it is sure."""

    def __init__(self, language: str = "en") -> None:
        self._said = SAID.get(base_language(language), Phrases())
        self._line = ""  # what of the current line is not given yet
        self._begun = False  # whether something of the line was given
        self._block = False  # whether the line is an item, a heading or a row
        self._fence = ""
        self._rows = 0
        self._within = ""  # the letter before, when a word is given in pieces
        self._last = ""  # the last character that was given
        self._gap = ""  # what parts the next word from the line before: "" within a line

    def hear(self, text: str) -> str:
        """The words that are sure by now and were not given before."""
        self._line += text
        words = ""
        while "\n" in self._line:
            line, _, rest = self._line.partition("\n")
            words += self._whole(line)
            self._line = rest
        return words + self._part()

    def end(self) -> str:
        """The rest: nothing more comes."""
        line, self._line = self._line, ""
        return self._whole(line)

    def _whole(self, line: str) -> str:
        """The rest of a line, and its end."""
        blank = not line.strip() and not self._begun
        words = self._rest(line)
        if blank or self._block or self._fence:
            self._gap = "."
        else:
            self._gap = self._gap or " "
        self._begun = self._block = False
        self._within = ""
        return words

    def _rest(self, line: str) -> str:
        if self._fence:
            if line.strip().startswith(self._fence) and not line.strip().strip("`~"):
                self._fence = ""
            return ""
        if not self._begun:
            if RULE.fullmatch(line) or DEFINITION.fullmatch(line):
                return ""
            if line.lstrip().startswith("|"):
                return self._row(line)
            line = self._begin(line)
        if fence := FENCE.search(line):
            return self._give(line[: fence.start()]) + self._code(fence[0])
        return self._give(line.rstrip())

    def _part(self) -> str:
        """The words of a line that goes on which are sure."""
        start = self._line.lstrip()
        if self._fence or not start:
            return ""
        if not self._begun:
            waits = start.startswith(("|", *FENCES)) or UNDECIDED.fullmatch(self._line)
            if waits or DEFINITION.fullmatch(f"{self._line}]: x"):
                return ""
            self._line = self._begin(self._line)
        sure = _sure(self._line)
        part, self._line = self._line[:sure], self._line[sure:]
        return self._give(part)

    def _begin(self, line: str) -> str:
        """A line without its markers."""
        self._begun, self._rows = True, 0
        while marker := MARKER.match(line):
            line = line[marker.end() :]
            self._block |= bool(marker["block"])
        self._block |= bool(NUMBER.match(line))
        if self._block and self._gap:
            self._gap = "."
        return line

    def _row(self, line: str) -> str:
        """A row of a table; of a long one, the first."""
        self._rows += 1
        self._block = True
        cells = [plain(cell).strip() for cell in line.strip().strip("|").split("|")]
        if self._rows > MOST_ROWS:
            return self._phrase(self._said.and_so_on if self._rows == MOST_ROWS + 1 else "")
        return self._phrase(", ".join(cell for cell in cells if cell))

    def _code(self, fence: str) -> str:
        self._fence = fence[:3]
        return self._phrase(self._said.code)

    def _phrase(self, words: str) -> str:
        """Words that stand by themselves."""
        self._gap = self._gap and "."
        return self._parted(words)

    def _give(self, part: str) -> str:
        """A part of a line as words."""
        if not part:
            return ""
        words = plain(self._within + part)[len(self._within) :]
        self._within = part[-1] if part[-1].isalnum() else ""
        return self._parted(words)

    def _parted(self, words: str) -> str:
        """Words, parted from what was given before as the lines between them ask."""
        words = words.rstrip()
        if not words.strip():
            return ""
        if self._gap or not self._last:
            words = self._between() + words.lstrip()
        self._gap, self._last = "", words[-1]
        return words

    def _between(self) -> str:
        if not self._last:
            return ""
        return ". " if self._gap == "." and self._last not in ENDS else " "


def _sure(line: str) -> int:
    """How much of a line that goes on can be given."""
    start = len(line) - len(re.split(r"\s", line)[-1])
    word = line[start:]
    sure = len(line)
    if _risky(word) and len(word) < LONGEST_WORD:
        sure = start + 1 + max(word.rfind(end) for end in WIDE_ENDS)
    for span in SPAN.finditer(line):
        goes_on = span.end() == len(line) and not (span["end"] or span["over"])
        if (goes_on or sure < span.end()) and len(span[0]) < LONGEST_OPEN:
            sure = min(sure, span.start())
    return len(HASH.sub("", line[:sure]).rstrip())


def _risky(word: str) -> bool:
    """Whether the end of a word may change what its beginning is."""
    small = word.lower()
    address = small and any(begin.startswith(small) for begin in ADDRESSES)
    return bool(address or small.startswith(ADDRESSES) or RISKY.search(word))
