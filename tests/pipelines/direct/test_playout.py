"""How far an avatar has come in its voice, by what is heard of it."""

import pytest
from pipecat.frames.frames import AudioRawFrame, TTSAudioRawFrame

from pipelines.direct.playout import Playout
from pipelines.guard.rules import SILENCE_S
from tests.faults.scale import RATE, REST_S, TONE_S, scale, tune

BOTH_S = TONE_S + REST_S
PIECE = 2 * RATE // 25
# Codec and cutting: two pieces.
ABOUT_S = 0.04


class Avatar:
    """What is given to an avatar, and heard of it."""

    def __init__(self, tones: int = 0) -> None:
        self.playout = Playout()
        if tones:
            self.say(scale(tones))

    def say(self, pcm: bytes) -> None:
        """Give it voice."""
        self.playout.give(TTSAudioRawFrame(pcm, RATE, 1))

    def heard(self, pcm: bytes) -> float:
        """Where it is when so much more was heard of it."""
        for at in range(0, len(pcm), PIECE):
            self.playout.hear(AudioRawFrame(pcm[at : at + PIECE], RATE, 1))
        return self.playout.at_s

    def silent(self, seconds: float) -> float:
        """Where it is when nothing was heard of it for so long."""
        return self.heard(bytes(2 * round(seconds * RATE)))


def test_it_has_come_as_far_as_it_is_heard_and_waits_in_a_silence_that_is_not_its_voices():
    avatar = Avatar(tones=4)
    assert avatar.silent(10) == pytest.approx(0, abs=ABOUT_S)
    begun = scale(4)[: 2 * round((BOTH_S + TONE_S / 2) * RATE)]
    assert avatar.heard(begun) == pytest.approx(BOTH_S + TONE_S / 2, abs=ABOUT_S)
    assert avatar.silent(10) == pytest.approx(BOTH_S + TONE_S / 2, abs=ABOUT_S)
    assert avatar.heard(scale(4)[len(begun) :]) == pytest.approx(4 * BOTH_S, abs=ABOUT_S)


def test_an_end_that_is_left_out_is_over_after_a_silence_unless_there_is_much_of_it():
    avatar = Avatar(tones=3)
    avatar.say(tune([3])[: 2 * round(TONE_S / 2 * RATE)])
    assert avatar.heard(scale(3)) < avatar.playout.given_s
    assert avatar.silent(SILENCE_S + ABOUT_S) == avatar.playout.given_s
    avatar.say(tune([4, 5, 6]))
    assert avatar.silent(10 * SILENCE_S) < avatar.playout.given_s
    assert avatar.heard(tune([4])) == pytest.approx(avatar.playout.given_s - 2 * BOTH_S, abs=0.1)


def test_an_interruption_leaves_nothing_to_be_said_and_the_next_words_are_followed():
    avatar = Avatar(tones=4)
    avatar.heard(scale(1))
    avatar.playout.interrupt()
    assert avatar.playout.at_s == 4 * BOTH_S == avatar.playout.given_s
    avatar.heard(tune([1])[:PIECE])  # what was on its way
    avatar.silent(0.2)
    avatar.say(tune([5, 6]))
    assert avatar.playout.at_s == 4 * BOTH_S
    assert avatar.heard(tune([5])) == pytest.approx(5 * BOTH_S, abs=ABOUT_S)


async def test_who_waits_for_a_place_is_let_go_there_or_when_it_never_comes():
    avatar = Avatar(tones=2)
    avatar.heard(scale(2))
    assert await avatar.playout.reach(BOTH_S)
    avatar.say(tune([2]))
    avatar.playout.interrupt()
    assert not await avatar.playout.reach(2.5 * BOTH_S), "it was interrupted before"
    avatar.say(tune([3]))
    avatar.playout.stop()
    assert not await avatar.playout.reach(4 * BOTH_S)
