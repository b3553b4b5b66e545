"""One conversation with the guide: what it said last, what it offered, what comes next."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

from guide.knowledge import Answer, Topic
from guide.matcher import UNKNOWN, Matcher

# The persona's name where it only calls: at the start, after a comma or after a greeting.
ADDRESSED = (
    r"^\W*{name}\b\W+(?=\w)|,\s*{name}\b|\b"
    r"(?P<greeting>hello|hi|hey|thanks|thank you|bye|goodbye|morning|afternoon|evening)\s+{name}\b"
)


@dataclass(frozen=True)
class Memory:
    """What a script remembers of its conversation."""

    turns: Counter[str]
    offered: str
    last: str


# What is asked for is said at the end; what was said long before it only takes time.
LONGEST_QUESTION = 600


class Script:
    """Answers questions, and never gives the same answer twice in a row."""

    def __init__(self, matcher: Matcher, name: str) -> None:
        """`name` is the persona's. The matcher may be shared, a script may not."""
        self._matcher = matcher
        self._knowledge = matcher.knowledge
        self._name = name
        self._addressed = re.compile(ADDRESSED.format(name=re.escape(name)), re.IGNORECASE)
        self._turns: Counter[str] = Counter()
        self._offered = ""
        self._last = ""

    @property
    def memory(self) -> Memory:
        """What it remembers now, to return to if what it says next is not heard."""
        return Memory(self._turns.copy(), self._offered, self._last)

    @memory.setter
    def memory(self, memory: Memory) -> None:
        self._turns = memory.turns.copy()
        self._offered, self._last = memory.offered, memory.last

    def forget(self) -> None:
        """Begin anew."""
        self.memory = Memory(Counter(), "", "")

    def recall(self, questions: Sequence[str], said: str) -> None:
        """Note what was asked before, and what was said last, by this script or another."""
        for question in questions:
            self.answer(question)
        if said.split() != self._last.split():
            self._last, self._offered = said, ""

    def cut_off(self) -> str:
        """What to say when a noise cut it off: the same again, if there was something."""
        return self._repeat() if self._last else self._say(self._knowledge["Not caught"])

    def greeted(self, text: str) -> None:
        """Note what was said before the first answer, so that it can be repeated."""
        self._last = self._last or text

    def answer(self, question: str, before: str = "") -> str:
        """The answer to a question, as text for a voice.

        Args:
            question: what was said last.
            before: the same with what was said just before it and not answered; used when the
                question alone means nothing.
        """
        return self.reply(self.topic(question, before))

    def topic(self, question: str, before: str = "") -> Topic:
        """What a question is about, which takes a while; nothing is changed, so in any thread."""
        topic = self._topic(question)
        if before and topic.title in (UNKNOWN, "Not caught"):
            topic = self._topic(before)
        return topic

    def reply(self, topic: Topic) -> str:
        """The answer to a question about a topic."""
        if topic.title == "Go on" and self._offered:
            topic = self._knowledge[self._offered]
        return self._repeat() if topic.title == "Repeat" else self._say(topic)

    def _topic(self, question: str) -> Topic:
        question = self._addressed.sub(r"\g<greeting> ", _end_of(question))
        if self._matcher.is_noise(question):
            return self._knowledge["Not caught"]
        match = self._matcher.match(question)
        return match.topic if match else self._knowledge[UNKNOWN]

    def _say(self, topic: Topic) -> str:
        answer = self._next(topic)
        text = self._filled(answer)
        if text == self._last:
            return self._repeat()
        self._last, self._offered = text, answer.leads_to
        return text

    def _repeat(self) -> str:
        if not self._last:
            return self._say(self._knowledge["Nothing to repeat"])
        return self._filled(self._next(self._knowledge["Repeat"]))

    def _next(self, topic: Topic) -> Answer:
        """The answers of a topic take turns."""
        turn = self._turns[topic.title]
        self._turns[topic.title] += 1
        return topic.answers[turn % len(topic.answers)]

    def _filled(self, answer: Answer) -> str:
        return Template(answer.text).substitute(name=self._name, last=self._last)


def _end_of(question: str) -> str:
    """The last words of a question, as many as are looked at."""
    end = question[-LONGEST_QUESTION:]
    return end if end == question else end.partition(" ")[2] or end
