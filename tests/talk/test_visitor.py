"""What the tests' own user counts."""

from tests.talk.visitor import Visitor


async def test_words_are_counted_once_though_announced_late_or_begun_before():
    visitor = Visitor("")
    visitor.messages = [
        _said(1, 7, "So"), _said(2, 7, "So far."),
        _said(3, 8, "I"), _said(4, 8, ""), _said(5, 8, "I can"),
    ]  # fmt: skip
    assert visitor.told() == [("So", 1), ("far.", 2), ("I", 3), ("can", 5)]
    assert visitor.told(1.5) == [("far.", 2), ("I", 3), ("can", 5)]


def _said(at_s, segment, spoken):
    data = {"segment_id": segment, "spoken_progress": {"accumulated_text": spoken}}
    return at_s, {"type": "bot-output", "data": data}
