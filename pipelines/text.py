"""Text that comes from outside, made fit to be kept, sent on and spoken."""

import re

# No text: what a terminal or a file format does something with, and what turns the direction of
# the words around it. Marks of joining stay, which some scripts need within words.
CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
LINE_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029]")


def clean(text: str) -> str:
    """The text without control characters; half a character is U+FFFD, line ends are \\n."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return CONTROLS.sub("", LINE_ENDS.sub("\n", whole))


def one_line(text: str, longest: int) -> str:
    """The cleaned text in one line of at most so many characters."""
    return " ".join(clean(text).split())[:longest].strip()


def has_sound(text: str) -> bool:
    """Whether there is anything in a text that a voice could say."""
    return any(letter.isalnum() for letter in text)


def letters(text: str) -> int:
    """How many letters and digits a text has: what is compared of it."""
    return sum(letter.isalnum() for letter in text)
