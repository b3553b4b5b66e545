"""What was given to a face and not heard."""

import numpy as np
import pytest
from pipecat.frames.frames import EndFrame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame

from pipelines.guard.script import Script
from pipelines.media.articulation import ArticulationFrame
from pipelines.media.speech import Phoneme

RATE = 24_000


def voice(seconds, first=0):
    """Voice whose samples are all different, and loud."""
    samples = 1000 + first + np.arange(round(seconds * RATE)) // 24
    return TTSAudioRawFrame(samples.astype(np.int16).tobytes(), RATE, 1)


def given(*frames):
    script = Script()
    for frame in frames:
        script.give(frame, 1)
    return script


def rest_s(script):
    """Seconds of voice that another face would be given."""
    left = [f for f in script.cast(0.0) if isinstance(f, TTSAudioRawFrame)]
    return sum(frame.num_frames / RATE for frame in left)


def test_another_face_is_given_what_was_not_heard():
    script = given(TTSStartedFrame(), voice(1), voice(1), TTSStoppedFrame())
    for n in range(1, 61):
        script.hear(0.02 * n, loud=True)
    assert script.due_s == pytest.approx(0.8)
    assert rest_s(script) == pytest.approx(0.8)


def test_a_face_that_was_not_as_far_as_it_thought_is_believed():
    script = given(voice(2))
    script.hear(1.5, loud=True)
    script.hear(1.2, loud=True)
    assert rest_s(script) == pytest.approx(0.8)


def test_silence_at_the_end_of_what_was_heard_is_said_again():
    script = given(voice(1), TTSAudioRawFrame(bytes(RATE), RATE, 1), voice(1))
    script.hear(1.0, loud=True)
    script.hear(1.4, loud=False)
    assert rest_s(script) == pytest.approx(1.5)


def test_what_was_interrupted_is_not_said_by_another_face():
    script = given(voice(2))
    script.hear(0.5, loud=True)
    assert script.cut() == []
    script.hear(2.0, loud=False)
    script.give(voice(1), 1)
    script.hear(2.25, loud=True)
    assert rest_s(script) == pytest.approx(0.75)


def test_the_end_of_a_voice_is_told_again_while_some_of_it_is_left():
    script = given(voice(1), stop := TTSStoppedFrame())
    script.left(stop)
    script.hear(0.5, loud=True)
    assert stop in script.cast(0.0)
    script.hear(0.5, loud=True)
    assert stop not in script.cast(0.0)


def test_what_did_not_leave_the_face_is_given_to_the_next():
    script = given(end := EndFrame(), start := TTSStartedFrame())
    script.left(start)
    assert script.cast(0.0) == [end]


def articulated(start_s, end_s):
    return ArticulationFrame([Phoneme("m", start_s, end_s)])


def places_s(script):
    """When another face is told that each sound begins, in seconds of the voice it is given."""
    given_s, places = 0.0, []
    for frame in script.cast(0.0):
        if isinstance(frame, TTSAudioRawFrame):
            given_s += frame.num_frames / RATE
        elif isinstance(frame, ArticulationFrame):
            places += [given_s + p.start_s for p in frame.phonemes]
    return places


def test_another_face_is_told_where_the_sounds_are_in_what_it_is_given():
    script = given(articulated(0.9, 1.4), voice(1), articulated(-0.1, 0.2), voice(1))
    assert places_s(script) == pytest.approx([0.9, 0.9])
    script.hear(0.7, loud=True)
    assert places_s(script) == pytest.approx([0.2, 0.2])
    script.hear(0.55, loud=True)  # by the count of the next face
    script.give(articulated(0.5, 0.6), 1)
    assert places_s(script) == pytest.approx([-0.35, -0.35, 1.25])


def test_sounds_that_were_heard_or_interrupted_are_kept_no_longer():
    script = given(articulated(0.0, 0.5), voice(2), articulated(0.1, 0.2))
    script.hear(1.9, loud=True)
    assert len(places_s(script)) == 1
    script.cut()
    assert places_s(script) == []
