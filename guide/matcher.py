"""Finds the topic of a spoken question, however speech recognition spelled it."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from guide import english
from guide.knowledge import Knowledge, Topic

UNKNOWN = "Unknown"  # the topic whose questions are known to be unknown
# Least score of a topic that is answered, for a question with no, one, or more strange words.
CERTAIN = (0.5, 0.55, 0.64)
NAMED = 0.66  # score of a topic whose name is said in an otherwise strange question
LATER = 0.001  # less per word before a name: of two names, the first decides
SAME_WORD = 84.0  # least rapidfuzz ratio (0-100) of two spellings of one word
SAME_NAME = 86.0  # the same for a name, which may have been split into words
LONG_NAME = 6  # letters from which a name is recognised by likeness
LONG_WORD = 4  # letters from which a word is
TELLING = 1.6  # least weight of a word that says what is asked for
# Weights of words that are in no known question: fillers, common words, and strange words, the
# last as a multiple of the greatest known weight, as a strange word makes a question strange.
FILLER, COMMON, STRANGE = 0.1, 0.6, 1.7
# A score is this part likeness of words, the rest likeness of letters and order.
BY_WORDS = 0.85


@dataclass(frozen=True)
class Match:
    """A topic and how well it fits, 0 to 1."""

    topic: Topic
    score: float


@dataclass(frozen=True)
class _Phrase:
    """One way to ask for a topic."""

    topic: Topic
    words: Sequence[str]
    vocabulary: frozenset[str]
    text: str
    weight: float


class Matcher:
    """Compares questions with everything a knowledge can be asked."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._names = _names_of(knowledge)
        self._long_names = _by_length(name for name in self._names if len(name) >= LONG_NAME)
        self._named = {_joined(t.names[0]): t for t in knowledge.values() if t.names}
        asked = [(t, self._spelled(q)) for t in knowledge.values() for q in t.questions]
        self._weights = _weights(asked)
        self._strange = max(self._weights.values(), default=1.0) * STRANGE
        self._long_words = [word for word in self._weights if len(word) >= LONG_WORD]
        self._asides = [" ".join(self._spelled(aside)) + " " for aside in english.ASIDES]
        self._phrases = [
            _Phrase(topic, words, frozenset(words), " ".join(words), self._weigh(words))
            for topic, words in asked
        ]

    def is_noise(self, text: str) -> bool:
        """Whether nothing was said that could be answered."""
        return all(word in english.NOISE for word in english.words(text))

    def match(self, text: str) -> Match | None:
        """The topic a question asks for, or None if it asks for none."""
        clauses = [self._words(clause) for clause in english.clauses(text)]
        parts = [words for words in clauses if self._asks(_without_openers(words))]
        found = [(words, self._best(words)) for words in parts]
        whole = [] if len(clauses) == len(parts) == 1 else [self._best(self._words(text))]
        matches = [match for match in (*whole, *(match for _, match in found)) if match]
        asked = [match for match in matches if not match.topic.small_talk]
        if asked:
            return max(asked, key=lambda match: match.score)
        if any(self._telling(words) >= 2 for words, match in found if not match):
            return None
        return max(matches, key=lambda match: match.score, default=None)

    def ranked(self, words: Sequence[str]) -> list[Match]:
        """The topics that share a word with a question, the best first."""
        best: dict[str, Match] = {}
        weight = self._weigh(words)
        for phrase in self._phrases:
            score = self._score(words, weight, phrase)
            if score > best.get(phrase.topic.title, Match(phrase.topic, 0.0)).score:
                best[phrase.topic.title] = Match(phrase.topic, score)
        for at, word in enumerate(words):
            if topic := self._named.get(word):
                score = best.get(topic.title, Match(topic, 0.0)).score
                best[topic.title] = Match(topic, max(score, NAMED - at * LATER))
        return sorted(best.values(), key=lambda match: match.score, reverse=True)

    def _best(self, words: Sequence[str]) -> Match | None:
        """The best topic for one clause, with and without the words before the question."""
        candidates = dict.fromkeys((tuple(words), self._core(words)))
        found = [match for candidate in candidates for match in self.ranked(candidate)[:1]]
        best = max(found, key=lambda match: match.score, default=None)
        strange = sum(self._weight(word) == self._strange for word in words)
        if best and best.score >= CERTAIN[min(strange, 2)] and best.topic.title != UNKNOWN:
            return best
        return None

    def _core(self, words: Sequence[str]) -> tuple[str, ...]:
        text = " ".join(_without_openers(words))
        for aside in self._asides:
            text = text.removeprefix(aside)
        return tuple(text.split())

    def _asks(self, words: Sequence[str]) -> bool:
        """Whether a clause can stand alone; "are you?" after a statement cannot."""
        return len(words) > 2 or self._telling(words) > 0

    def _telling(self, words: Sequence[str]) -> int:
        """How many of the words say what is asked for."""
        return sum(self._weight(word) >= TELLING for word in words)

    def _weight(self, word: str) -> float:
        if word in english.FILLERS:
            return FILLER
        return self._weights.get(word, COMMON if word in english.COMMON else self._strange)

    def _weigh(self, words: Iterable[str]) -> float:
        return sum(map(self._weight, words))

    def _score(self, words: Sequence[str], weight: float, phrase: _Phrase) -> float:
        """Likeness of a question and a phrase: shared weight, then order and spelling."""
        if phrase.vocabulary.isdisjoint(words):
            return 0.0
        said = self._weigh(word for word in words if word in phrase.vocabulary)
        known = self._weigh(word for word in phrase.words if word in words)
        by_words = math.sqrt(known / phrase.weight * said / weight)
        by_letters = fuzz.ratio(" ".join(words), phrase.text) / 100
        return BY_WORDS * by_words + (1 - BY_WORDS) * by_letters

    def _words(self, text: str) -> list[str]:
        """The words of a question, each replaced by the word the guide knows it as."""
        return [self._known(word) for word in self._spelled(text)]

    def _known(self, word: str) -> str:
        if word in self._weights or len(word) < LONG_WORD:
            return word
        found = process.extractOne(
            word, self._long_words, scorer=fuzz.ratio, score_cutoff=SAME_WORD
        )
        return found[0] if found else word

    def _spelled(self, text: str) -> list[str]:
        """The words of a text without endings, names as one word."""
        return [w if w in self._named else english.stem(w) for w in self._fold(english.words(text))]

    def _fold(self, words: Sequence[str]) -> list[str]:
        """The words with every name, however it was split, as one word."""
        folded: list[str] = []
        at = 0
        while at < len(words):
            size, name = self._name_at(words[at : at + 4])
            folded.append(name or words[at])
            at += size
        return folded

    def _name_at(self, words: Sequence[str]) -> tuple[int, str]:
        """How many of the leading words make a name, and the name; (1, "") if none do."""
        for size in range(len(words), 0, -1):
            heard = "".join(words[:size])
            if heard in self._names:
                return size, self._names[heard]
        for size in range(min(3, len(words)), 0, -1):
            heard = "".join(words[:size])
            if len(heard) >= LONG_NAME and (name := self._like_name(heard)):
                return size, name
        return 1, ""

    def _like_name(self, heard: str) -> str:
        names = self._long_names.get(len(heard), ())
        found = names and process.extractOne(
            heard, names, scorer=fuzz.ratio, score_cutoff=SAME_NAME
        )
        return self._names[found[0]] if found else ""


def _without_openers(words: Sequence[str]) -> Sequence[str]:
    for at, word in enumerate(words):
        if word not in english.OPENERS:
            return words[at:]
    return ()


def _joined(name: str) -> str:
    return "".join(english.words(name))


def _names_of(knowledge: Knowledge) -> dict[str, str]:
    """Every spelling of a name, without spaces, and the right spelling of it."""
    return {
        _joined(spelling): _joined(topic.names[0])
        for topic in knowledge.values()
        for spelling in topic.names
    }


def _by_length(names: Iterable[str]) -> dict[int, list[str]]:
    """By the length of what is heard, the names it can be like: the ratio tells of no others."""
    found: dict[int, list[str]] = {}
    for name in names:
        same = len(name)
        while 200 * same >= SAME_NAME * (same + len(name)):
            same -= 1
        longest = int(len(name) * (200 - SAME_NAME) // SAME_NAME)
        for length in range(same + 1, longest + 1):
            found.setdefault(length, []).append(name)
    return found


def _weights(asked: Iterable[tuple[Topic, Sequence[str]]]) -> dict[str, float]:
    """How much a word tells: more, the fewer topics use it."""
    uses = {(word, topic.title) for topic, words in asked for word in words}
    topics = len({title for _, title in uses})
    counts = Counter(word for word, _ in uses)
    return {word: math.log(1 + topics / count) for word, count in counts.items()}
