"""What guide.md may look like, and that ours reads well aloud."""

import re
from string import Template

import pytest

from guide.errors import GuideError
from guide.knowledge import KNOWLEDGE, REQUIRED, Answer, load_knowledge, parse_knowledge

NEEDED = "".join(f"\n## {title}\n> Something.\n" for title in REQUIRED)
OURS = load_knowledge(KNOWLEDGE)
ANSWERS = [
    pytest.param(topic, answer, id=f"{topic.title}-{at}")
    for topic in OURS.values()
    for at, answer in enumerate(topic.answers, start=1)
]


def spoken(answer: Answer) -> str:
    """What the voice gets, with a short answer to repeat."""
    return Template(answer.text).substitute(name="Mira", last="As I said.")


def test_a_topic_has_names_questions_and_answers():
    text = (
        "Notes for the editor.\n\n## Tea (small talk)\nNames: Tea, tee\n- Do you drink tea\n\n"
        "> Never. It is bad\n> for the keys. (yes: Unknown)\n\n> Rarely, says ${name}.\n" + NEEDED
    )
    tea = parse_knowledge(text, "guide.md")["Tea"]
    assert tea.small_talk
    assert tea.names == ["Tea", "tee"]
    assert tea.questions == ["Do you drink tea"]
    assert tea.answers == [
        Answer("Never. It is bad for the keys.", "Unknown"),
        Answer("Rarely, says ${name}."),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            "Hello\n> Hi.",
            "guide.md line 2 is an answer before the first topic: put a heading '## …' above it.",
            id="answer without topic",
        ),
        pytest.param(
            "## Tea\n> Yes.\nhello",
            "guide.md line 3 is no part of a topic: begin it with '- ', '> ', 'Names:' or '## '.",
            id="stray line",
        ),
        pytest.param(
            "## Tea\n> Yes.\n\n## Tea\n> No.",
            "guide.md line 4 has the heading 'Tea' a second time: give it another heading.",
            id="heading twice",
        ),
        pytest.param(
            "## Tea\n- Tea\n" + NEEDED,
            "guide.md line 1 begins the topic 'Tea', which has no answer: add a line with '> '.",
            id="no answer",
        ),
        pytest.param(
            "## Tea\n> For ${friend}.\n",
            "guide.md line 2 has the unknown ${friend}: use ${name} or ${last}.",
            id="unknown variable",
        ),
        pytest.param(
            "## Tea\n>\n",
            "guide.md line 2 is an empty answer: write something after '>'.",
            id="empty answer",
        ),
        pytest.param(
            "## Tea\n> It costs $ 3.\n\n- Tea",
            "guide.md line 2 has a lone $: write ${name} or ${last}.",
            id="lone dollar",
        ),
        pytest.param(
            "## Tea\n> More? (yes: Coffee)\n" + NEEDED,
            "guide.md line 1 begins the topic 'Tea', where (yes: Coffee) leads nowhere: "
            "use the heading of a topic.",
            id="offer that leads nowhere",
        ),
        pytest.param(
            "## Tea\n> Yes.",
            "guide.md line 2 comes to the end without the topic 'Not caught': add that heading.",
            id="needed topic missing",
        ),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_line(text: str, sentence: str):
    with pytest.raises(GuideError) as caught:
        parse_knowledge(text, "guide.md")
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("topic", "answer"), ANSWERS)
def test_every_answer_can_be_spoken(topic, answer):
    text = spoken(answer)
    assert re.fullmatch(r"[A-Za-z0-9 .,?!'-]+", text), "symbols, links or Markdown"
    assert not re.search(r"\w[.]\w|\bwww\b", text), "an address, or a number with a point"
    assert len(text.split()) <= 60
    assert len(re.split(r"(?<=[.?!]) ", text)[0].split()) <= 12, "first sentence too long"
    assert text.endswith((".", "!", "?"))


@pytest.mark.parametrize(("topic", "answer"), ANSWERS)
def test_an_offer_can_be_accepted(topic, answer):
    """Whoever is asked "shall I" may say yes."""
    if re.search(r"\b(shall I|would you like that|Want to hear|do you want)\b", answer.text, re.I):
        assert answer.leads_to


def test_every_topic_can_be_asked_for():
    unasked = {title for title, topic in OURS.items() if not topic.questions}
    assert unasked == {"Not caught", "Nothing to repeat"}


def test_no_question_belongs_to_two_topics():
    asked = [q.lower() for topic in OURS.values() for q in topic.questions]
    assert sorted(q for q in set(asked) if asked.count(q) > 1) == []
