"""What the guide knows: topics, the ways to ask for them and their answers, read from Markdown."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Never

from guide.errors import GuideError

KNOWLEDGE = Path(__file__).with_name("guide.md")
SMALL_TALK = " (small talk)"
VARIABLES = {"name", "last"}
REQUIRED = ("Not caught", "Unknown", "Repeat", "Nothing to repeat", "Go on")
LEADS_TO = re.compile(r"\s*\(yes: (?P<topic>[^)]+)\)$")


@dataclass(frozen=True)
class Answer:
    """One answer: a Template text, and the heading of the topic that "yes" leads to, or ""."""

    text: str
    leads_to: str = ""


@dataclass
class Topic:
    """One heading of the file with everything under it."""

    title: str
    small_talk: bool = False
    names: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    line: int = 0


Knowledge = dict[str, Topic]


def load_knowledge(path: Path) -> Knowledge:
    """Read a file of topics; keys are their headings, in the order of the file.

    Raises:
        GuideError: a line cannot be understood, or a topic is incomplete; names the line.
    """
    return parse_knowledge(path.read_text(encoding="utf-8"), path.name)


def parse_knowledge(text: str, source: str) -> Knowledge:
    """As `load_knowledge`, from text; `source` is the file name in error messages."""
    return _Parser(source).parse(text)


class _Parser:
    """Reads line by line; `paragraph` is the answer being collected."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.topics: Knowledge = {}
        self.topic: Topic | None = None
        self.paragraph: list[str] = []
        self.line = 0
        self.answer_line = 0

    def parse(self, text: str) -> Knowledge:
        for self.line, raw in enumerate(text.splitlines(), start=1):
            self._read(raw.strip())
        self._end_answer()
        self._check()
        return self.topics

    def _read(self, line: str) -> None:
        if line.startswith(">"):
            self._current()
            self.paragraph.append(line[1:].strip())
            self.answer_line = self.line
            return
        self._end_answer()
        if line.startswith("## "):
            self._begin_topic(line[3:].strip())
        elif self.topic is not None and line:
            self._read_about(self.topic, line)

    def _read_about(self, topic: Topic, line: str) -> None:
        if line.startswith("- "):
            topic.questions.append(line[2:].strip())
        elif line.startswith("Names:"):
            topic.names += [name.strip() for name in line[6:].split(",") if name.strip()]
        else:
            self._fail("is no part of a topic", "begin it with '- ', '> ', 'Names:' or '## '")

    def _begin_topic(self, heading: str) -> None:
        title = heading.removesuffix(SMALL_TALK)
        if title in self.topics:
            self._fail(f"has the heading '{title}' a second time", "give it another heading")
        self.topic = Topic(title, small_talk=title != heading, line=self.line)
        self.topics[title] = self.topic

    def _current(self) -> Topic:
        if self.topic is None:
            self._fail("is an answer before the first topic", "put a heading '## …' above it")
        return self.topic

    def _end_answer(self) -> None:
        if self.topic is None or not self.paragraph:
            return
        text = " ".join(self.paragraph).strip()
        self.paragraph = []
        lead = LEADS_TO.search(text)
        answer = Answer(LEADS_TO.sub("", text), lead["topic"] if lead else "")
        self._check_answer(answer)
        self.topic.answers.append(answer)

    def _check_answer(self, answer: Answer) -> None:
        line = self.answer_line
        if not answer.text:
            self._fail("is an empty answer", "write something after '>'", line)
        template = Template(answer.text)
        if not template.is_valid():
            self._fail("has a lone $", "write ${name} or ${last}", line)
        for name in sorted(set(template.get_identifiers()) - VARIABLES):
            self._fail(f"has the unknown ${{{name}}}", "use ${name} or ${last}", line)

    def _check(self) -> None:
        for title in REQUIRED:
            if title not in self.topics:
                self._fail(f"comes to the end without the topic '{title}'", "add that heading")
        for topic in self.topics.values():
            self._check_topic(topic)

    def _check_topic(self, topic: Topic) -> None:
        where = f"begins the topic '{topic.title}'"
        if not topic.answers:
            self._fail(f"{where}, which has no answer", "add a line with '> '", topic.line)
        for answer in topic.answers:
            if answer.leads_to and answer.leads_to not in self.topics:
                self._fail(
                    f"{where}, where (yes: {answer.leads_to}) leads nowhere",
                    "use the heading of a topic",
                    topic.line,
                )

    def _fail(self, problem: str, fix: str, line: int | None = None) -> Never:
        raise GuideError(f"{self.source} line {line or self.line}", problem, fix)
