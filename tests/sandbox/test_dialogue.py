"""Events in the order of the protocol, frame by frame, with a real player and no clock."""

import itertools

import pytest

from liveavatar.wire import Event
from puppet import Phone, Player, load_pack
from sandbox.dialogue import Dialogue
from tests.sandbox.caller import tone

FRAME_S = 0.04


class Play:
    """A dialogue whose frames are shown as soon as they are made."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        numbers = itertools.count()
        self.player = Player(load_pack("mira"), size=(128, 128))
        self.dialogue = Dialogue(self.player, self.events.append, lambda: f"own-{next(numbers)}")

    def frames(self, count: int) -> None:
        for _ in range(count):
            self.dialogue.shown(self.dialogue.ticked(self.player.tick()))

    def told(self) -> list[str]:
        """Events since the last call, short: `talking`, `speak_started u1`, `appended`."""
        told = [_short(event) for event in self.events]
        self.events.clear()
        return told


def _short(event: Event) -> str:
    if event.new_state:
        return f"{event.previous_state}>{event.new_state}"
    name = event.type.removeprefix("agent.").removeprefix("audio_buffer_")
    return f"{name} {event.event_id}" if name.startswith("speak_") else name


@pytest.fixture
def play() -> Play:
    return Play()


def test_an_utterance_is_acknowledged_played_and_ended(play: Play) -> None:
    play.dialogue.speak(tone(0.2), "u1")
    play.dialogue.speak(tone(0.2), "u2")
    play.dialogue.speak_end(b"", "u3")
    assert play.told() == ["appended", "appended", "committed"]
    play.frames(1)
    assert play.told() == ["idle>talking", "speak_started u1"]
    play.frames(8)
    assert play.told() == []
    play.frames(1)
    assert play.told() == ["speak_ended u1", "talking>idle"]


def test_an_interruption_clears_interrupts_and_ends(play: Play) -> None:
    play.dialogue.speak(tone(2), "u1")
    play.frames(5)
    play.told()
    play.dialogue.interrupt(None)
    assert play.told() == ["cleared", "speak_interrupted u1", "speak_ended u1", "talking>idle"]
    play.frames(5)
    assert play.told() == []


def test_an_idle_avatar_only_acknowledges_an_interruption(play: Play) -> None:
    play.dialogue.interrupt("i1")
    assert play.told() == ["cleared"]


def test_speech_that_was_not_heard_yet_leaves_no_trace_when_interrupted(play: Play) -> None:
    play.dialogue.speak(tone(2), "u1")
    play.dialogue.interrupt("i1")
    assert play.told() == ["appended", "cleared"]


def test_speech_after_an_interruption_is_a_new_utterance(play: Play) -> None:
    play.dialogue.speak(tone(2), "u1")
    play.frames(3)
    play.dialogue.interrupt("i1")
    play.told()
    play.dialogue.speak(tone(0.2), "u1")
    play.frames(1)
    assert play.told() == ["appended", "idle>talking", "speak_started u1"]


def test_utterances_follow_each_other_without_a_gap_and_apart(play: Play) -> None:
    for name in ("u1", "u2"):
        play.dialogue.speak(tone(0.12), name)
        play.dialogue.speak_end(b"", name)
    play.told()
    play.frames(6)
    assert play.told() == [
        "idle>talking",
        "speak_started u1",
        "speak_ended u1",
        "talking>idle",
        "idle>talking",
        "speak_started u2",
        "speak_ended u2",
        "talking>idle",
    ]


def test_an_utterance_that_is_never_ended_goes_on(play: Play) -> None:
    play.dialogue.speak(tone(0.4), "u1")
    play.frames(30)
    assert "talking>idle" not in play.told()
    play.dialogue.speak_end(b"", None)
    play.frames(1)
    assert play.told() == ["committed", "speak_ended u1", "talking>idle"]


def test_listening_is_not_reported_while_the_avatar_talks(play: Play) -> None:
    play.dialogue.speak(tone(0.2), "u1")
    play.dialogue.speak_end(b"", "u1")
    play.frames(1)
    play.told()
    play.dialogue.listen(True, "l1")
    assert play.told() == []
    play.frames(4)
    assert play.told() == ["speak_ended u1", "talking>idle", "idle>listening"]


def test_a_silent_avatar_listens_at_once_and_stops_when_told(play: Play) -> None:
    play.dialogue.listen(True, None)
    play.dialogue.listen(True, None)
    play.dialogue.listen(False, None)
    assert play.told() == ["idle>listening", "listening>idle"]


def test_the_last_audio_may_come_with_the_end(play: Play) -> None:
    play.dialogue.speak_end(tone(0.2), "u1")
    play.frames(5)
    assert play.told() == [
        "committed",
        "idle>talking",
        "speak_started u1",
        "speak_ended u1",
        "talking>idle",
    ]


def test_an_end_without_speech_is_acknowledged(play: Play) -> None:
    play.dialogue.speak_end(b"", "u1")
    play.frames(3)
    assert play.told() == ["committed"]


def test_chunks_with_odd_bytes_are_joined(play: Play) -> None:
    pcm = tone(0.2)
    for begin in range(0, len(pcm), 777):
        play.dialogue.speak(pcm[begin : begin + 777], None)
    play.dialogue.speak_end(b"", None)
    spoken = b"".join(play.player.tick().audio or b"" for _ in range(5))
    assert spoken == pcm


def test_ids_correlate_with_what_the_client_sent(play: Play) -> None:
    play.dialogue.speak(tone(0.12), "mine")
    play.dialogue.speak_end(b"", "other")
    play.frames(3)
    appended, committed, _, started, ended, _ = play.events
    assert (appended.source_event_id, committed.source_event_id) == ("mine", "other")
    assert started.event_id == started.source_event_id == ended.event_id == "mine"
    assert appended.event_id != "mine"
    assert appended.task == started.task == ended.task == committed.task


def test_a_client_without_ids_gets_null_and_our_own_ids(play: Play) -> None:
    play.dialogue.speak(tone(0.12), None)
    play.frames(1)
    sent = [event.sent() for event in play.events]
    assert all(event["source_event_id"] is None and event["event_id"] for event in sent)


def test_a_mark_that_is_never_shown_still_ends_when_interrupted(play: Play) -> None:
    play.dialogue.speak(tone(0.12), "u1")
    play.dialogue.speak_end(b"", "u1")
    play.frames(2)
    play.dialogue.ticked(play.player.tick())
    play.told()
    play.dialogue.interrupt(None)
    assert play.told() == ["cleared", "speak_interrupted u1", "speak_ended u1", "talking>idle"]


def test_lips_follow_what_is_told_of_an_utterance_also_of_one_that_waits(play: Play) -> None:
    """Each is 0.8 s, of which the last half is open."""
    for event_id in ("u1", "u2"):
        play.dialogue.articulate([Phone("m", 0.0, 0.4)])
        play.dialogue.speak(tone(0.4), event_id)
        play.dialogue.articulate([Phone("ɑ", 0.0, 0.4)])
        play.dialogue.speak(tone(0.4), event_id)
        play.dialogue.speak_end(b"", event_id)
    mouths = []
    for _ in range(40):
        frame = play.player.tick()
        mouths.append(frame.mouth)
        play.dialogue.shown(play.dialogue.ticked(frame))
    opened = [n for n, mouth in enumerate(mouths) if mouth > 0.3]
    assert opened == [*range(10, 20), *range(30, 40)]


def test_what_was_told_of_what_was_cleared_is_forgotten(play: Play) -> None:
    play.dialogue.articulate([Phone("m", 0.0, 9.0)])
    play.dialogue.interrupt("u1")
    play.dialogue.articulate([Phone("ɑ", 0.0, 0.4)])
    play.dialogue.speak(tone(0.4), "u2")
    assert [play.player.tick().mouth > 0.3 for _ in range(5)][-1]
