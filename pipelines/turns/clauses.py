"""Where an answer is cut into what is spoken: at sentences, but the first at a clause if need be.

A mind that writes slowly has the first full stop of a long sentence only after seconds. Its first
clause is spoken meanwhile. One that is fast keeps whole sentences, which sound better.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from pipecat.utils.text.base_text_aggregator import Aggregation, TextType
from pipecat.utils.text.simple_text_aggregator import SimpleTextAggregator, _LookaheadState

# A mind that has not ended its first sentence after this long is slow.
SLOW_S = 0.15
# Worth saying are four words, about a second of speech; or as much in a script without spaces.
ENDS = r"(?:[,;:\u060c\u061b](?=\s)|\s?[\u2013\u2014](?=\s))"
UNSPACED_ENDS = "[\uff0c\uff1b\uff1a\u3001]"
CLAUSE = re.compile(
    rf"(?:\S+\s+){{3,}}?\S*[^\W\d_]['\"\u2019\u201d)]*{ENDS}|\S{{8,}}?{UNSPACED_ENDS}"
)


def first_clause(text: str) -> str:
    """The first clause of a text that is worth saying by itself, once more has come; else ""."""
    found = CLAUSE.match(text.lstrip())
    return found.group().strip() if found else ""


class Beginnings(SimpleTextAggregator):
    """Gives out sentences; of each answer the first clause already, if the mind is slow.

    Attributes:
        prepared: the beginning that was made ahead, which is given out as it is; "" for none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, **options: Any) -> None:
        """`clock` tells seconds."""
        super().__init__(**options)
        self.prepared = ""
        self._clock = clock
        self._begun_s: float | None = None
        self._given = False

    async def _check_sentence_with_lookahead(
        self, char: str, *, protected_end: int = 0
    ) -> Aggregation | None:
        if self._begun_s is None:
            self._begun_s = self._clock()
        found = None if self._given else self._beginning()
        if not found:
            found = await super()._check_sentence_with_lookahead(char, protected_end=protected_end)
        self._given = self._given or found is not None
        return found

    def _beginning(self) -> Aggregation | None:
        text = self._text.lstrip()
        beginning = self.prepared if text.startswith(self.prepared) else ""
        if not beginning and self.slow:
            beginning = first_clause(text)
        if not beginning or not text[len(beginning) :].strip():
            return None
        self._text = text[len(beginning) :]
        self._lookahead_state = _LookaheadState.IDLE
        return Aggregation(text=beginning, type=TextType.SENTENCE)

    @property
    def slow(self) -> bool:
        """Whether the answer has begun a while ago."""
        return self._begun_s is not None and self._clock() - self._begun_s > SLOW_S

    async def flush(self) -> Aggregation | None:
        """Give out what is left: the answer is whole."""
        rest = await super().flush()
        self._begin_anew()
        return rest

    async def handle_interruption(self) -> None:
        """Forget the answer."""
        await super().handle_interruption()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.prepared, self._begun_s, self._given = "", None, False
