"""How far an avatar has come, by what its WebSocket tells, on a clock that the test turns."""

import pytest
from pipecat.frames.frames import TTSAudioRawFrame

from pipelines.direct.playout import Playout

RATE = 24_000


class Avatar:
    """What is given to an avatar and told of it; its clock stands still otherwise."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.playout = Playout(lambda: self.now_s)

    def say(self, seconds: float, id_: str = "1", *, whole: bool = True) -> None:
        """Give it voice, and send it."""
        self.playout.give(TTSAudioRawFrame(bytes(2 * round(seconds * RATE)), RATE, 1))
        self.playout.sent(seconds, id_)
        if whole:
            self.playout.completed()

    def told(self, kind: str, **fields: str) -> None:
        """It tells something."""
        self.playout.hear({"type": f"agent.{kind}", **fields})

    def after(self, seconds: float) -> float:
        """Where it is so much later."""
        self.now_s += seconds
        return round(self.playout.at_s, 3)


OLDER = ({"kind": "speak_started"}, {"kind": "speak_ended"})
NEWER = (
    {"kind": "state_updated", "new_state": "talking"},
    {"kind": "state_updated", "new_state": "idle"},
)


@pytest.mark.parametrize("ways", [[OLDER], [NEWER], [OLDER, NEWER], [NEWER, OLDER]])
def test_it_speaks_from_when_it_says_so_until_it_has_ended(ways):
    avatar = Avatar()
    avatar.say(2.0)
    assert avatar.after(5) == 0
    for begins, _ in ways:
        avatar.told(**begins)
    assert avatar.after(0.5) == 0.5
    assert avatar.after(10) == 2.0
    for _, ends in ways:
        avatar.told(**ends)
    avatar.say(1.0, "2")
    assert avatar.after(5) == 2.0
    for begins, _ in ways:
        avatar.told(**begins)
    assert avatar.after(0.25) == 2.25


def test_it_has_come_no_further_than_it_was_sent_voice():
    avatar = Avatar()
    avatar.say(0.5, whole=False)
    avatar.told("speak_started")
    assert avatar.after(3) == 0.5
    avatar.say(2.0)
    assert avatar.after(0.25) == 0.75


def test_an_utterance_is_over_when_it_says_so_and_not_before_the_next_one():
    avatar = Avatar()
    avatar.say(1.0, "1")
    avatar.say(1.0, "2")
    avatar.told("speak_started", source_event_id="1")
    assert avatar.after(4) == 1.0
    avatar.told("speak_ended", source_event_id="1")
    assert avatar.after(1) == 1.0
    avatar.told("speak_started", source_event_id="2")
    avatar.now_s += 0.25
    avatar.told("speak_ended", source_event_id="2")
    assert avatar.after(0) == 2.0


def test_what_was_lost_with_a_websocket_is_known_by_what_comes_next():
    avatar = Avatar()
    avatar.say(1.0, "1")
    avatar.say(1.0, "2")
    avatar.told("speak_started", source_event_id="2")
    assert avatar.after(0.25) == 1.25
    avatar.say(1.0, "3")
    avatar.told("speak_ended", source_event_id="3")
    assert avatar.after(1) == 3.0


def test_an_interruption_leaves_nothing_to_be_said():
    avatar = Avatar()
    avatar.say(4.0, "1", whole=False)
    avatar.told("speak_started", source_event_id="1")
    avatar.now_s += 1
    avatar.playout.interrupt()
    assert avatar.after(0) == 4.0
    avatar.told("speak_ended", source_event_id="1")
    avatar.say(1.0, "2")
    assert avatar.after(1) == 4.0
    avatar.told("speak_started", source_event_id="2")
    assert avatar.after(0.5) == 4.5


async def test_who_waits_for_a_place_is_let_go_there_or_when_it_never_comes():
    avatar = Avatar()
    avatar.say(1.0)
    avatar.told("speak_started")
    avatar.now_s += 1
    assert await avatar.playout.reach(1.0)
    avatar.playout.stop()
    assert not await avatar.playout.reach(2.0)
