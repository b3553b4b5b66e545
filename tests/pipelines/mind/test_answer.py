"""What of a mind's stream is said, however it is cut into pieces."""

import time

import pytest

from pipelines.mind.answer import Answer, whole

PIECES = (1, 2, 3, 7, 10_000)


def said(text: str, letters: int, language: str = "en") -> str:
    """The words of a stream that comes in pieces of so many characters."""
    answer = Answer(language)
    pieces = [text[at : at + letters] for at in range(0, len(text), letters)]
    return "".join([*map(answer.hear, pieces), answer.end()])


@pytest.mark.parametrize("letters", PIECES)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("Hello there. How are you?", "Hello there. How are you?", id="plain"),
        pytest.param("<think>Brief!</think>\n\nHello there.", "Hello there.", id="thought"),
        pytest.param("<think>\nThe user </thin greets", "", id="thought without end"),
        pytest.param("[THINK]Hm.[/THINK]Yes, 1 < 2.", "Yes, 1 < 2.", id="other marks"),
        pytest.param("Well, <think>x</think>yes <thi", "Well, yes <thi", id="thought within"),
        pytest.param("**Bold** and *thin*, __so__, ~~no~~.", "Bold and thin, so, no.", id="bold"),
        pytest.param("2*3 = 6, 2 * 3, and \\*.", "2*3 = 6, 2 * 3, and *.", id="meant"),
        pytest.param("# A title\n\nA text\ngoes on.", "A title. A text goes on.", id="title"),
        pytest.param("These:\n- one\n* two\n  + three", "These: one. two. three", id="list"),
        pytest.param("1. First\n2. Second\nDone.", "1. First. 2. Second. Done.", id="numbered"),
        pytest.param("- [ ] to do\n- [x] done", "to do. done", id="boxes"),
        pytest.param("> one\n> text\n\nEnd", "one text. End", id="quotation"),
        pytest.param("Up\n---\n***\ndown", "Up down", id="rules"),
        pytest.param("`x_y` of __init__", "x y of init", id="code in a line"),
        pytest.param("So:\n```py\nprint(1)\n\n```\nDone.", "So: Some code. Done.", id="code"),
        pytest.param("~~~\nnever ended", "Some code", id="code without end"),
        pytest.param("|a|b|\n|:-|--|\n|1|*2*|\nEnd", "a, b. 1, 2. End", id="table"),
        pytest.param(
            "".join(f"| {n} |\n" for n in range(9)), "0. 1. 2. 3. And so on", id="long table"
        ),
        pytest.param("See [the site](https://a.org/x?y=1).", "See the site.", id="link"),
        pytest.param("![a cat](c.png) and [a_(b)](http://x.y/z_(w))", "a cat and a(b)", id="links"),
        pytest.param("At https://www.a.org:80/x?y=1, yes.", "At a.org, yes.", id="address"),
        pytest.param("<https://a.org/x> or a.org/x/y.", "a.org or a.org.", id="addresses"),
        pytest.param("Mail ann_b@a.org!", "Mail ann_b@a.org!", id="mail"),
        pytest.param("True [1], it is [2, 3].", "True, it is.", id="notes"),
        pytest.param("[[wiki]] and [[ -f x ]].", "wiki and -f x.", id="brackets"),
        pytest.param("Great 👍! 👨‍👩‍👧 family 👍🏽 🇩🇪", "Great! family", id="pictures"),
        pytest.param("1\ufe0f\u20e3 ❤️ 20 °C © ½", "1 20 °C © ½", id="signs that are words"),
        pytest.param("<b>Hi</b> &amp; bye<br>x < y", "Hi & bye x < y", id="HTML"),
        pytest.param("**米拉**！看[这里](https://a.cn)。", "米拉！看这里。", id="Chinese"),
        pytest.param("half \ud83d a\u2028line,\x00 no text", "half a line, no text", id="no text"),
        pytest.param("", "", id="nothing"),
        pytest.param(" \n\n ", "", id="white space"),
        pytest.param("… 👍 —", "", id="no sound"),
        pytest.param("… well.", "… well.", id="no sound at first"),
    ],
)  # fmt: skip
def test_only_words_are_said(text: str, words: str, letters: int):
    assert said(text, letters) == words


def test_a_word_is_said_as_soon_as_it_is_sure():
    answer = Answer("en")
    assert answer.hear("Hello") == "Hello"
    assert answer.hear("!") == "", "it may begin a picture"
    assert answer.hear(" How") == "! How"
    assert answer.hear(" are [you") == " are"
    assert answer.hear("](there) now") == " you now"


def test_a_thought_that_the_template_begins_is_known_from_the_second_time_on():
    first = Answer("en")
    assert first.hear("The user greets me.") + first.hear("</think>Hello.") + first.end()
    second = Answer("en", begun_thought=first.begun_thought)
    assert second.hear("The user asks. ") == second.hear("Brief!") == ""
    assert second.hear("</think>\n\nYes") == "Yes"


def test_an_answer_that_was_taken_for_a_thought_is_said_at_its_end():
    answer = Answer("en", begun_thought=True)
    assert answer.hear("Yes, gladly.") == ""
    assert answer.end() == "Yes, gladly."
    assert not answer.begun_thought


@pytest.mark.parametrize(
    ("language", "words"), [("de-DE", "Etwas Code"), ("es", "Un poco de código"), ("fi", "")]
)
def test_what_stands_for_code_is_in_the_persona_s_language(language: str, words: str):
    assert whole("```\nx\n```", language) == words


def test_nothing_that_a_model_writes_holds_the_loop_up():
    for text in ("[" * 9000, "a" * 9000, "<think>" + "so " * 9000, "**x** " * 3000, "`" * 9000):
        began_s = time.process_time()
        said(text, 9)
        assert time.process_time() - began_s < 5
