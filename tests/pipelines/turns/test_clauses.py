"""Where an answer is cut: at sentences, and the first at a clause when the mind is slow."""

import pytest

from pipelines.turns.clauses import Beginnings, first_clause

LONG = "That depends on the weather, which nobody knows, and on the season. Shall I go on?"
WHOLE = ["That depends on the weather, which nobody knows, and on the season.", "Shall I go on?"]


class Slow:
    """A clock that is a tenth of a second later each time it is looked at."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 0.1
        return self.now_s


async def cut(beginnings: Beginnings, *answer: str) -> list[str]:
    texts: list[str] = []
    for token in answer:
        texts += [found.text async for found in beginnings.aggregate(token)]
    last = await beginnings.flush()
    return [text.strip() for text in [*texts, last.text if last else ""]]


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("That depends on the weather, which", "That depends on the weather,"),
        ("It is easy to see – if you", "It is easy to see –"),
        ('She said "I will not come", and', 'She said "I will not come",'),
        ("Well, that depends on the weather, which", "Well, that depends on the weather,"),
        ("这取决于今天的天气，没有人", "这取决于今天的天气，"),
        ("That depends on the weather,", ""),
        ("Well, yes, of course, I", "Well, yes, of course,"),
        ("It costs about 1,000 dollars and", ""),
        ("It costs you about 1, 2 or", ""),
        ("One two three", ""),
    ],
)
def test_a_clause_is_worth_saying_from_four_words_on(text, clause):
    assert first_clause(text) == clause


async def test_a_fast_mind_keeps_its_sentences():
    assert await cut(Beginnings(lambda: 0.0), LONG) == WHOLE


async def test_a_slow_mind_is_heard_after_its_first_clause_and_then_by_sentences():
    beginnings = Beginnings(Slow())
    first, rest = "That depends on the weather,", "which nobody knows, and on the season."
    expected = [first, rest, "Shall I go on?"]
    for _ in "the same again for the next answer", "and the one after it":
        assert await cut(beginnings, *(f"{word} " for word in LONG.split())) == expected


async def test_an_answer_that_was_cut_off_leaves_nothing_behind():
    beginnings = Beginnings(Slow())
    beginnings.prepared = "Something else."
    async for _ in beginnings.aggregate("That depends on"):
        pass
    await beginnings.handle_interruption()
    assert await cut(beginnings, "Yes. ", "No.") == ["Yes.", "No."]


async def test_what_was_prepared_is_given_out_as_it_is():
    beginnings = Beginnings(lambda: 0.0)
    beginnings.prepared = "That depends on the weather,"
    assert (await cut(beginnings, LONG))[0] == "That depends on the weather,"
