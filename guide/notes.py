"""A script that reads from somebody's notes: what is asked for is looked up, sentence by sentence.

>>> Notes("Breakfast is from seven to ten. Dogs are welcome.", "Theo").answer("When is breakfast?")
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from guide import english
from guide.knowledge import Answer, Topic, load_knowledge
from guide.matcher import UNKNOWN, Matcher
from guide.script import Script

NOTES = Path(__file__).with_name("notes.md")
# A voice reads no more of a sentence than this, in characters.
LONGEST_SENTENCE = 400
# The least share of a question's telling words that a sentence must hold to answer it.
LIKE = 0.5
# How it says whose words these are; the forms take turns.
QUOTES = ("My script says: {}", "I find this in my context: {}")
ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
# Words that a question has and that tell nothing of what it is about.
ASKING = english.FILLERS | frozenset(
    "what who whom whose when where why how which is are was were be do does did can could may "
    "will would shall should have has had i me my we us our you your it its he she they them a an "
    "the of to in on at for from with by about as and or not no any some there here that this "
    "these those tell know say please".split()
)


class Notes(Script):
    """Answers with the sentence of the notes that has most of the question's words.

    It never pretends to have understood: what it reads is introduced as read.
    """

    def __init__(self, notes: str, name: str) -> None:
        """`name` is the persona's."""
        super().__init__(_manners(), name)
        self._sentences = _sentences(notes)
        stems = [_stems(sentence) for sentence in self._sentences]
        uses = Counter(stem for each in stems for stem in set(each))
        self._weights = {s: math.log(1 + len(stems) / n) for s, n in uses.items()}
        self._strange = max(self._weights.values(), default=1.0)
        self._held = [frozenset(each) for each in stems]

    def _topic(self, question: str) -> Topic:
        topic = super()._topic(question)
        return (self._read(question) or topic) if topic.title == UNKNOWN else topic

    def _read(self, question: str) -> Topic | None:
        """The sentence that answers a question, as a topic; None if there is none."""
        asked = dict.fromkeys(_stems(question))
        weight = sum(self._weights.get(stem, self._strange) for stem in asked)
        scores = [self._score(asked, held) / weight for held in self._held] if asked else []
        best = max(scores, default=0.0)
        if best < LIKE:
            return None
        sentence = self._sentences[scores.index(best)].replace("$", "$$")
        return Topic(sentence, answers=[Answer(quote.format(sentence)) for quote in QUOTES])

    def _score(self, asked: dict[str, None], held: frozenset[str]) -> float:
        return sum(self._weights[stem] for stem in asked if stem in held)


@cache
def _manners() -> Matcher:
    return Matcher(load_knowledge(NOTES))


def _sentences(notes: str) -> list[str]:
    parts = (" ".join(part.split())[:LONGEST_SENTENCE] for part in ENDS.split(notes))
    return [part for part in parts if english.words(part)]


def _stems(text: str) -> Sequence[str]:
    """The telling words of a text, without their endings."""
    words = english.words(text)
    return [english.stem(word) for word in words if word not in ASKING]
