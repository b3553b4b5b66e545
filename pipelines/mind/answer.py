"""What of a mind's stream is said: its answer, in words."""

from pipelines.text import clean, has_sound

from .prose import Prose
from .thoughts import Thoughts


class Answer:
    """One answer while it comes, without thoughts, signs, and anything before its first word."""

    def __init__(self, language: str, *, begun_thought: bool = False) -> None:
        """`begun_thought` is whether it is likely to begin with a thought that nothing marks."""
        self._thoughts = Thoughts(begun=begun_thought)
        self._prose = Prose(language)
        self._soundless = ""
        self.says_something = False

    @property
    def begun_thought(self) -> bool:
        """Whether the next one is likely to begin with a thought that nothing marks."""
        return self._thoughts.begun

    def hear(self, text: str) -> str:
        """The words that are sure by now and were not given before."""
        return self._sounding(self._prose.hear(self._thoughts.hear(clean(text))))

    def end(self) -> str:
        """The rest: nothing more comes."""
        return self._sounding(self._prose.hear(self._thoughts.end()) + self._prose.end())

    def _sounding(self, words: str) -> str:
        if not self.says_something:
            self._soundless += words
            self.says_something = has_sound(self._soundless)
            words = self._soundless if self.says_something else ""
        return words


def whole(text: str, language: str) -> str:
    """An answer that came in one piece."""
    answer = Answer(language)
    return answer.hear(text) + answer.end()
