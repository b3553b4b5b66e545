"""How far a face has come, told from its sound."""

from math import ceil

import numpy as np
import pytest
from pipecat.frames.frames import SpeechOutputAudioRawFrame, TTSAudioRawFrame

from pipelines.media.follower import LONGEST, LOUD, Follower
from tests.faults.scale import REST_S, TONE_S, scale
from tests.speech import say

RATE = 24_000


def tone(duration_s):
    return (8000 * np.sin(np.arange(round(duration_s * RATE)) / 20)).astype(np.int16).tobytes()


def silence(duration_s):
    return bytes(2 * round(duration_s * RATE))


# A word at 0.1 s, another after a pause at 0.9 s, and the end of the voice at 1.6 s.
VOICE = silence(0.1) + tone(0.4) + silence(0.4) + tone(0.4) + silence(0.3)


def following(voice=VOICE):
    follower = Follower()
    follower.give(TTSAudioRawFrame(voice, RATE, 1))
    return follower


def hear(follower, pcm):
    """The position after each 20 ms of what the face gives back."""
    size = 2 * RATE // 50
    pieces = [pcm[n : n + size] for n in range(0, len(pcm), size)]
    return [follower.hear(SpeechOutputAudioRawFrame(piece, RATE, 1)) for piece in pieces]


def test_a_silent_face_has_not_begun():
    assert hear(following(), silence(3))[-1] == pytest.approx(0.1)


def test_a_face_that_is_late_is_waited_for():
    positions = hear(following(), silence(1.5) + tone(0.2))
    assert positions[-1] == pytest.approx(0.3, abs=0.03)


def test_a_longer_pause_of_the_face_is_followed():
    positions = hear(following(), silence(1) + tone(0.4) + silence(2) + tone(0.1))
    assert positions[-7] == pytest.approx(0.9)
    assert positions[-1] == pytest.approx(1.0, abs=0.03)


def test_a_shorter_pause_of_the_face_is_followed():
    positions = hear(following(), silence(1) + tone(0.4) + silence(0.2) + tone(0.1))
    assert positions[-1] == pytest.approx(1.0, abs=0.03)


def test_a_stop_of_the_face_in_a_short_silence_is_followed():
    follower = following(tone(0.4) + silence(0.1) + tone(0.4))
    positions = hear(follower, tone(0.4) + silence(0.7) + tone(0.1))
    assert positions[-6] == pytest.approx(0.5)
    assert positions[-1] == pytest.approx(0.6)


def test_a_click_within_a_word_is_no_pause():
    positions = hear(following(), silence(1) + tone(0.2) + silence(0.06) + tone(0.1))
    assert positions[-1] == pytest.approx(0.46, abs=0.03)


def test_a_word_that_is_late_on_its_way_is_not_taken_for_the_one_after_it():
    follower = following(3 * (tone(0.32) + silence(0.14)))
    positions = hear(follower, tone(0.48) + silence(0.24) + tone(0.2))
    assert positions[-1] == pytest.approx(0.66, abs=0.03)


def test_when_the_face_is_silent_again_all_was_said():
    positions = hear(following(), silence(1) + VOICE[len(silence(0.1)) :] + silence(1))
    assert positions[-1] == pytest.approx(1.6)


def test_after_an_interruption_the_next_voice_is_waited_for():
    follower = following()
    hear(follower, silence(1) + tone(0.2))
    follower.interrupt()
    follower.give(TTSAudioRawFrame(VOICE, RATE, 1))
    assert hear(follower, silence(2))[-1] == pytest.approx(1.7)
    assert hear(follower, tone(0.1))[-1] == pytest.approx(1.8, abs=0.03)


def test_a_voice_that_is_stretched_on_its_way_is_not_ahead():
    """A face that falters gives out each word longer than it is, the silence between as it was."""
    word_s, rest_s, words = 0.24, 0.12, 16
    follower = following((tone(word_s) + silence(rest_s)) * words)
    for number in range(words):
        positions = hear(follower, tone(word_s * 1.5) + silence(rest_s))
        begun_s = number * (word_s + rest_s)
        assert begun_s <= positions[0] < begun_s + 0.1
        assert positions[-1] <= begun_s + 2 * (word_s + rest_s)


@pytest.mark.parametrize("stall_s", [0.06, 0.12, 0.3, 1.5])
@pytest.mark.parametrize("at_s", np.arange(0.5, 1.38, 0.04).round(2))
def test_a_stall_anywhere_in_words_that_differ_is_waited_out(at_s, stall_s):
    voice, whole_s = scale(5), TONE_S + REST_S
    follower, cut = following(voice), 2 * round(at_s * RATE)
    hear(follower, voice[:cut])
    next_s = ceil(at_s / whole_s) * whole_s
    assert hear(follower, silence(stall_s))[-1] < max(at_s, next_s) + 0.04
    positions = np.array(hear(follower, voice[cut:]))
    truth_s = at_s + 0.02 * np.arange(1, len(positions) + 1)
    # A tone is the same from its beginning to its end, so within it a position is not known well.
    is_next = (truth_s > next_s) & (truth_s % whole_s < TONE_S - 0.01)
    assert np.abs(positions - truth_s)[is_next].max() < 0.05
    assert (positions - truth_s).max() < REST_S + 0.05


@pytest.mark.parametrize("lost_s", [0.02, 0.06, 0.1, 0.3])
def test_what_is_lost_on_its_way_is_not_waited_for(lost_s):
    voice, next_s = scale(3), TONE_S + REST_S
    follower = following(voice)
    hear(follower, voice[: 2 * round(0.1 * RATE)])
    positions = hear(follower, voice[2 * round((0.1 + lost_s) * RATE) :])
    first = round((next_s - 0.1 - lost_s) / 0.02)
    assert positions[first + 3] == pytest.approx(next_s + 0.08, abs=0.03)


def test_a_voice_that_was_changed_on_its_way_is_followed():
    """Another rate, another loudness, and pieces that begin anywhere."""
    voice = scale(4)
    samples = np.frombuffer(voice, np.int16)
    softer = np.repeat(samples, 2) // 3
    follower = following(voice)
    heard = np.concatenate([np.zeros(433, np.int16), softer]).astype(np.int16)
    for start in range(0, len(heard), 480):
        piece = heard[start : start + 480].tobytes()
        position_s = follower.hear(SpeechOutputAudioRawFrame(piece, 2 * RATE, 1))
        heard_s = (start + 480) / (2 * RATE)
        if 0.02 < heard_s % (TONE_S + REST_S) < TONE_S:
            assert position_s == pytest.approx(heard_s, abs=0.05)


def test_a_long_voice_needs_no_more_room_than_what_is_ahead():
    word = tone(0.4) + silence(0.2)
    follower = Follower()
    for number in range(1, 400):
        follower.give(TTSAudioRawFrame(word, RATE, 1))
        assert hear(follower, word)[-1] == pytest.approx(number * 0.6)
    assert len(follower._units) == LONGEST


def test_a_voice_that_is_given_long_before_it_is_heard_is_followed():
    word = tone(0.4) + silence(0.2)
    follower = following(word * 300)
    assert hear(follower, word * 3)[-1] == pytest.approx(1.8)


def silent_s(pcm):
    """How long a voice is silent before its first sound."""
    return int(np.argmax(np.abs(np.frombuffer(pcm, np.int16).astype(int)) > LOUD)) / RATE


def test_real_speech_that_falters_anywhere_is_followed():
    voice = say("Turn left at the church, cross the bridge, and you will see the station.", RATE)
    size, random = 2 * RATE // 50, np.random.default_rng(1)
    pieces = [voice[at : at + size] for at in range(0, len(voice), size)]
    late_s = []
    for _ in range(10):
        follower = following(voice)
        hear(follower, silence(0.6))
        for number, piece in enumerate(pieces, 1):
            position_s = hear(follower, piece)[-1]
            if np.abs(np.frombuffer(piece, np.int16)).max() > LOUD:
                late_s.append(position_s - number * 0.02)
            if random.random() < 0.02:
                hear(follower, silence(0.02 * random.integers(3, 40)))
    assert np.percentile(np.abs(late_s), 95) < 0.1


def test_real_speech_is_followed_through_its_pauses():
    """Each sentence begins later than the one before it ended, as a face's stalls add up."""
    sentences = [
        "You can talk to me as you would to a person.",
        "Turn left at the church, cross the bridge, and you will see the station.",
        "Well, that depends on what you would like to know.",
    ]
    spoken = [say(sentence, RATE) for sentence in sentences]
    positions = np.array(
        hear(following(b"".join(spoken)), b"".join(silence(0.6) + s for s in spoken))
    )
    heard_s = 0.02 * np.arange(1, len(positions) + 1)
    start_s = given_s = 0.0
    for pcm in spoken:
        duration_s = len(pcm) / 2 / RATE
        start_s += 0.6
        # Before its first sound a sentence cannot be heard to begin.
        begun_s = start_s + max(0.1, silent_s(pcm))
        during = (heard_s > begun_s) & (heard_s < start_s + duration_s - 0.5)
        late_s = positions[during] - given_s - (heard_s[during] - start_s)
        assert np.abs(late_s).max() < 0.1
        start_s, given_s = start_s + duration_s, given_s + duration_s
