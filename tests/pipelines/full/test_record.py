"""The transcript of a FULL session: LiveAvatar's words, the page's times."""

import io
import json
import re
from typing import Any

import pytest

from liveavatar.channel import Words
from liveavatar.records import Line, Transcript
from pipelines.errors import Incompatible
from pipelines.full.events import LONGEST_WORDS, MOST_EVENTS, happenings, read
from pipelines.full.record import GRACE_S, Record
from pipelines.full.turns import LONGEST, Turns
from sessions import metrics
from sessions import transcript as kept

START_MS = 1_790_000_000_000
QUESTION = [
    (1.0, "user.speak_started", ""),
    (2.0, "user.speak_ended", ""),
    (2.3, "user.transcription", "What can you do?"),
    (2.5, "avatar.transcription.chunk", "I can"),
    (2.8, "avatar.speak_started", ""),
    (2.9, "avatar.transcription", "I can talk for a long time."),
]

ENDS = ("avatar.speak_ended", "")


def _told_monitors() -> int:
    """How many answers monitors know of."""
    told = re.findall(r'avatar_step_seconds_count\{step="answer"\} (\d+)', metrics.text().decode())
    return int(told[0]) if told else 0


class Talk:
    """A conversation whose clock is the test's."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.file = io.StringIO()
        self.turns = Turns()
        written = kept.Transcript(self.file, lambda: self.now_s)
        self.record = Record(written, self.turns, lambda: self.now_s)
        self.record.begin()

    def see(self, *events: tuple[float, str, str]) -> None:
        """Let the page relay each event when it happens."""
        for at_s, name, text in events:
            self.now_s = at_s
            event = {"event_type": name, **({"text": text} if text else {})}
            batch = read({"key": "", "events": [{"event": event}]})
            for happened_s, happening in happenings(batch.events, lambda: self.now_s):
                self.turns.take(happened_s, happening)

    def told(self, *lines: tuple[float, str, str], last: bool = False, unit: int = 1000) -> None:
        """Let LiveAvatar have written these down, by its own time."""
        said = [
            Line(
                role=who,
                transcript=text,
                absolute_timestamp=(START_MS + int(at_s * 1000)) * unit // 1000,
                relative_timestamp=int(at_s * unit),
            )
            for at_s, who, text in lines
        ]
        self.record.take(Transcript(transcript_data=said), last=last)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What is written."""
        return [json.loads(line) for line in self.file.getvalue().splitlines()]


def test_liveavatars_words_have_the_pages_times():
    talk = Talk()
    before = _told_monitors()
    talk.see(*QUESTION, (5.0, *ENDS))
    both = (2.2, "user", "What can you do?"), (5.1, "avatar", "I can talk for a long time.")
    talk.told(*both)
    talk.told(*both, last=True)
    talk.record.close()
    assert _told_monitors() == before + 1
    assert talk.lines == [
        {"who": "user", "text": "What can you do?", "at_s": 1.0},
        {
            "who": "avatar",
            "text": "I can talk for a long time.",
            "at_s": 2.8,
            "latency_s": 0.8,
            "steps": {"ears": 0.3, "mind": 0.5, "voice": 0.8},
        },
    ]


@pytest.mark.parametrize("how", ["user.speak_started", "avatar.interrupt"])
def test_what_was_not_said_any_more_is_not_written(how: str):
    talk = Talk()
    talk.see(*QUESTION, (4.0, how, ""), (4.2, "avatar.speak_ended", ""))
    talk.told((2.2, "user", "What can you do?"), (4.2, "avatar", "I can talk"), last=True)
    assert talk.lines[-1]["text"] == "I can talk" and talk.lines[-1]["interrupted"]


def test_what_is_taken_back_is_written_once_and_whole():
    talk = Talk()
    talk.told((1.0, "user", "What"))
    assert not talk.lines, "somebody may go on"
    talk.see((1.0, "user.transcription", "What"), (2.0, "user.transcription", "What can you do?"))
    talk.told((2.0, "user", "What can you do?"), last=True)
    talk.record.close()
    assert [line["text"] for line in talk.lines] == ["What can you do?"]
    assert talk.lines[0]["at_s"] == 1.0


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_what_a_closed_page_has_not_seen_is_written_all_the_same(unit: int):
    talk = Talk()
    talk.now_s = 60.0
    talk.told((2.0, "user", "Hello?"), (4.0, "avatar", "Hello."), last=True, unit=unit)
    assert talk.lines == [
        {"who": "user", "text": "Hello?", "at_s": 2.0},
        {"who": "avatar", "text": "Hello.", "at_s": 4.0},
    ]


def test_a_page_that_is_behind_is_waited_for_and_not_for_long():
    talk = Talk()
    hello = (1.0, "avatar", "Hello.")
    talk.told(hello)
    assert not talk.lines
    talk.now_s = GRACE_S
    talk.told(hello)
    assert [line["text"] for line in talk.lines] == ["Hello."]


def test_what_a_page_makes_up_is_its_word_alone():
    talk, before = Talk(), _told_monitors()
    talk.see((1.0, "user.transcription", "Promise me a car."))
    for at_s in range(2, 20, 3):
        talk.see(*((at + at_s, name, text) for at, name, text in QUESTION), (at_s + 4, *ENDS))
    talk.told((2.0, "avatar", "Hello."), last=True)
    talk.record.close()
    assert _told_monitors() == before
    assert talk.lines[1] == {
        "who": "user",
        "text": "Promise me a car.",
        "at_s": 1.0,
        "told_by": "page",
    }


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (None, ""),
        ([], ""),
        ({}, "key"),
        ({"key": 1}, "key"),
        ({"key": "k", "events": {}}, "events"),
        ({"key": "k", "events": [{"event": "x"}]}, "events.0.event"),
        ({"key": "k", "events": [{"event": {}, "age_s": -1}]}, "events.0.age_s"),
        ({"key": "k", "events": [{"event": {}, "age_s": float("nan")}]}, "events.0.age_s"),
        ({"key": "k", "events": [{"event": {}}] * (MOST_EVENTS + 1)}, "events"),
    ],
)
def test_what_is_no_relay_is_refused_in_a_sentence(content: Any, where: str):
    with pytest.raises(Incompatible, match=rf"This is no relay of events \({where}: "):
        read(content)


def test_events_that_nobody_knows_are_passed_over_and_texts_are_bounded():
    strange = [
        {},
        {"event_type": 1},
        {"event_type": "constructor"},
        {"event_type": "user.transcription", "text": {"no": "text"}},
    ]
    long = {"event_type": "user_transcription", "text": "a\x07" * LONGEST_WORDS}
    events = [{"event": event} for event in [*strange, long]]
    ((at_s, happening),) = happenings(read({"key": "k", "events": events}).events, lambda: 5.0)
    assert at_s == 5.0
    assert isinstance(happening, Words)
    assert happening.text == "a" * (LONGEST_WORDS // 2)


def test_a_page_may_send_anything_in_any_order():
    talk = Talk()
    names = [name for _, name, _ in QUESTION] + ["avatar.speak_ended", "avatar.speak_response"]
    for at, name in enumerate(name for _ in range(400) for name in reversed(names)):
        talk.see((float(at), name, "So?"))
    talk.turns.close(talk.now_s)
    assert 0 < len(talk.turns.done) <= 500


def test_the_line_that_is_the_same_is_found_before_one_that_only_begins_so():
    talk = Talk()
    talk.see((1.0, "user.transcription", "Yes, but tomorrow."), (2.0, "avatar.speak_started", ""))
    talk.see((3.0, "avatar.speak_ended", ""), (4.0, "user.transcription", "Yes."))
    talk.told((1.1, "user", "Yes."), (1.2, "user", "Yes, but tomorrow."), last=True)
    assert [(line["text"], line["at_s"]) for line in talk.lines] == [
        *(("Yes.", 4.0), ("Yes, but tomorrow.", 1.0)),
    ]


def test_an_answer_without_an_end_does_not_grow_for_ever():
    talk = Talk()
    for at_s in range(50):
        talk.see((float(at_s), "avatar.transcription", f"{at_s} " * 900))
        talk.see((float(at_s), "avatar.transcription.chunk", f"{at_s}. " * 900))
    talk.see((60.0, "avatar.speak_started", ""), (61.0, "avatar.speak_ended", ""))
    [answer] = talk.turns.done
    assert LONGEST / 2 < len(answer.text) < 1.1 * LONGEST
