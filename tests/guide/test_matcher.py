"""Which topic the guide hears in a question."""

from pathlib import Path

import pytest
import yaml
from rapidfuzz import fuzz

from guide import english
from guide.knowledge import KNOWLEDGE, load_knowledge
from guide.matcher import SAME_NAME, UNKNOWN, Matcher, _by_length

pytestmark = pytest.mark.patient

OURS = load_knowledge(KNOWLEDGE)
QUESTIONS = yaml.safe_load(Path(__file__).with_name("questions.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(OURS)


def heard_as(matcher: Matcher, text: str) -> str:
    match = matcher.match(text)
    return match.topic.title if match else UNKNOWN


def wrong(matcher: Matcher, expected: dict[str, list[str]]) -> list[str]:
    """A line for each question that is heard as another topic."""
    return [
        f"{title}: '{question}' was heard as {heard}"
        for title, questions in expected.items()
        for question in questions
        if (heard := heard_as(matcher, question)) != title
    ]


def count(expected: dict[str, list[str]]) -> int:
    return sum(map(len, expected.values()))


def test_every_question_of_the_guide_is_heard_as_its_own_topic(matcher: Matcher):
    mistakes = wrong(matcher, {title: topic.questions for title, topic in OURS.items()})
    assert not mistakes, "\n".join(mistakes)


def test_the_held_out_questions_are_held_out():
    known = {tuple(english.words(q)) for topic in OURS.values() for q in topic.questions}
    listed = [QUESTIONS["asked"], QUESTIONS["heard"], {UNKNOWN: QUESTIONS["unknown"]}]
    told = [q for part in listed for qs in part.values() for q in qs]
    assert [q for q in told if tuple(english.words(q)) in known] == []
    assert {t for part in listed for t in part} <= set(OURS)


def test_questions_in_other_words_find_their_topic(matcher: Matcher):
    mistakes = wrong(matcher, QUESTIONS["asked"])
    assert len(mistakes) <= 0.05 * count(QUESTIONS["asked"]), "\n".join(mistakes)


def test_misheard_questions_mostly_find_their_topic(matcher: Matcher):
    mistakes = wrong(matcher, QUESTIONS["heard"])
    assert len(mistakes) <= 0.15 * count(QUESTIONS["heard"]), "\n".join(mistakes)


def test_spoken_and_typed_questions_together_find_their_topic(matcher: Matcher):
    mistakes = wrong(matcher, QUESTIONS["asked"]) + wrong(matcher, QUESTIONS["heard"])
    total = count(QUESTIONS["asked"]) + count(QUESTIONS["heard"])
    assert len(mistakes) <= 0.05 * total, "\n".join(mistakes)


def test_what_the_guide_cannot_know_is_unknown(matcher: Matcher):
    mistakes = wrong(matcher, {UNKNOWN: QUESTIONS["unknown"]})
    assert len(mistakes) <= 0.05 * len(QUESTIONS["unknown"]), "\n".join(mistakes)


@pytest.mark.parametrize(
    ("misheard", "title"),
    [
        ("deep gram", "Deepgram"),
        ("pipe cat", "Pipecat"),
        ("hay gen", "LiveAvatar"),
        ("oh llama", "Ollama"),
        ("Olama", "Ollama"),
        ("seal ero", "Turn taking"),
        ("car teja", "Cartesia"),
        ("live kit", "LiveKit"),
        ("web RTC", "WebRTC"),
    ],
)
def test_a_name_is_recognised_however_it_was_spelled(matcher: Matcher, misheard, title):
    assert heard_as(matcher, f"What is {misheard}?") == title
    assert heard_as(matcher, f"I heard a lot about {misheard} from a colleague") == title


def test_small_talk_steps_back_for_a_question(matcher: Matcher):
    assert heard_as(matcher, "Hello!") == "Hello"
    assert heard_as(matcher, "Hello! How do you move your lips?") == "Face"
    assert heard_as(matcher, "Thanks. What leaves my computer?") == "Privacy"


def test_small_talk_does_not_hide_an_unknown_question(matcher: Matcher):
    assert heard_as(matcher, "Thanks. How do I bake bread?") == UNKNOWN


def test_of_two_names_the_first_decides(matcher: Matcher):
    assert heard_as(matcher, "Is Cartesia nicer than Piper?") == "Cartesia"
    assert heard_as(matcher, "Is Piper nicer than Cartesia?") == "Piper"


@pytest.mark.parametrize("text", ["", "Uh.", "Hmm...", "you", "um, uh", "..."])
def test_noise_is_noise(matcher: Matcher, text: str):
    assert matcher.is_noise(text)


def test_one_word_can_be_more_than_noise(matcher: Matcher):
    assert not matcher.is_noise("help")


@pytest.mark.parametrize("length", [6, 9, 12, 16])
def test_names_are_kept_for_every_length_that_can_be_like_them(length: int):
    name = "abcdefghijklmnop"[:length]
    kept = _by_length([name])
    for heard in range(1, 3 * length):
        same = fuzz.ratio(("abcdefghijklmnop" * 3)[:heard], name)
        assert (same >= SAME_NAME) == (name in kept.get(heard, ()))
