"""What the guide says, turn by turn."""

import pytest

from guide.knowledge import KNOWLEDGE, REQUIRED, load_knowledge, parse_knowledge
from guide.matcher import Matcher
from guide.script import Script

OURS = load_knowledge(KNOWLEDGE)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(OURS)


@pytest.fixture
def conversation(matcher: Matcher) -> Script:
    return Script(matcher, "Theo")


def said(title: str, name: str = "Theo") -> list[str]:
    """The answers of a topic as they are spoken."""
    return [answer.text.replace("${name}", name) for answer in OURS[title].answers]


def test_of_a_long_text_the_end_is_the_question(conversation: Script):
    story = "I once had a dog that could bark at the moon all night. " * 1000
    assert conversation.answer(f"{story}How do you work?") in said("How do you work")
    assert conversation.answer("x" * 100_000) in said("Unknown")


def test_the_personas_name_is_filled_in(matcher: Matcher):
    assert "I am Mira" in Script(matcher, "Mira").answer("Who are you?")


@pytest.mark.parametrize(
    "question", ["Who are you?", "What is the capital of Spain?", "Uh.", "Repeat that.", "Yes."]
)
def test_no_answer_comes_twice_in_a_row(conversation: Script, question: str):
    answers = [conversation.answer(question) for _ in range(7)]
    assert all(first != second for first, second in zip(answers, answers[1:], strict=False))


def test_the_only_answer_of_a_topic_is_marked_as_repeated():
    needed = "".join(f"\n## {title}\n> Something.\n" for title in REQUIRED if title != "Repeat")
    text = f"## Tea\n- tea\n> Never.\n{needed}\n## Repeat\n- again\n> As I said. ${{last}}\n"
    conversation = Script(Matcher(parse_knowledge(text, "guide.md")), "Theo")
    assert [conversation.answer("tea") for _ in range(2)] == ["Never.", "As I said. Never."]


def test_repeat_that_says_the_last_answer_again(conversation: Script):
    answer = conversation.answer("How do you work?")
    first, second = (conversation.answer("Can you repeat that?") for _ in range(2))
    assert first.endswith(answer)
    assert second.endswith(answer)


def test_the_greeting_can_be_repeated(conversation: Script):
    conversation.greeted("Hi, I am Theo!")
    assert conversation.answer("Sorry, what did you say?").endswith("Hi, I am Theo!")


def test_there_may_be_nothing_to_repeat(conversation: Script):
    assert conversation.answer("Say that again") in said("Nothing to repeat")


def test_yes_accepts_what_was_offered(conversation: Script):
    assert conversation.answer("How do you work?") == said("How do you work")[0]
    assert conversation.answer("Yes, please.") == said("Hearing")[0]
    assert conversation.answer("Go on.") == said("Thinking")[0]


def test_no_takes_the_offer_back(conversation: Script):
    conversation.answer("How do you work?")
    assert conversation.answer("No, thank you.") in said("No")
    assert conversation.answer("Yes.") in said("Go on")


def test_a_yes_to_nothing_offers_something(conversation: Script):
    assert conversation.answer("Sure.") in said("Go on")


def test_noise_is_asked_about(conversation: Script):
    assert conversation.answer("Hmm.") in said("Not caught")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Good afternoon, Theo.", "Hello"),
        ("Theo, how do you work?", "How do you work"),
        ("Thank you Theo!", "Thanks"),
        ("Who is Theo?", "Change the face"),
    ],
)
def test_being_called_by_name_is_no_question(conversation: Script, text, title):
    assert conversation.answer(text) in said(title)


def test_a_question_in_two_pieces_is_understood(conversation: Script):
    answer = conversation.answer("the sandbox for", before="Tell me what you need the sandbox for")
    assert answer in said("Sandbox")
    assert conversation.answer("uh", before="How do you work? uh") in said("How do you work")


def test_the_unknown_is_admitted_with_an_offer(conversation: Script):
    answers = [conversation.answer("Who is the mayor of Paris?") for _ in range(4)]
    assert set(answers) <= set(said("Unknown"))
    assert all(answer.leads_to for answer in OURS["Unknown"].answers)


def test_conversations_share_a_matcher_and_nothing_else(matcher: Matcher):
    one, other = Script(matcher, "Theo"), Script(matcher, "Theo")
    one.answer("How do you work?")
    assert other.answer("Say that again.") in said("Nothing to repeat")
