"""What guide.md may look like, and that ours reads well aloud."""

import re
from collections.abc import Iterator
from string import Template

import pytest

from guide.errors import GuideError
from guide.knowledge import KNOWLEDGE, REQUIRED, Answer, load_knowledge, parse_knowledge

NEEDED = "".join(f"\n## {title}\n> Something.\n" for title in REQUIRED)
OURS = load_knowledge(KNOWLEDGE)
ANSWERS = [
    (f"{topic.title}, answer {at}", answer)
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


def hard_to_speak(answer: Answer) -> Iterator[str]:
    """Why a voice would stumble over an answer."""
    text = spoken(answer)
    if not re.fullmatch(r"[A-Za-z0-9 .,?!'-]+", text):
        yield "symbols, links or Markdown"
    if re.search(r"\w[.]\w|\bwww\b", text):
        yield "an address, or a number with a point"
    if len(text.split()) > 60:
        yield "more than 60 words"
    if len(re.split(r"(?<=[.?!]) ", text)[0].split()) > 12:
        yield "a first sentence of more than 12 words"
    if not text.endswith((".", "!", "?")):
        yield "no end of a sentence"


def test_every_answer_can_be_spoken():
    hard = [f"{where}: {why}" for where, answer in ANSWERS for why in hard_to_speak(answer)]
    assert not hard, "\n".join(hard)


def test_an_offer_can_be_accepted():
    """Whoever is asked "shall I" may say yes."""
    offer = re.compile(r"\b(shall I|would you like that|Want to hear|do you want)\b", re.I)
    lost = [where for where, each in ANSWERS if offer.search(each.text) and not each.leads_to]
    assert not lost, "\n".join(lost)


def test_every_topic_can_be_asked_for():
    unasked = {title for title, topic in OURS.items() if not topic.questions}
    assert unasked == {"Not caught", "Nothing to repeat"}


def test_no_question_belongs_to_two_topics():
    asked = [q.lower() for topic in OURS.values() for q in topic.questions]
    assert sorted(q for q in set(asked) if asked.count(q) > 1) == []
