"""Reading lips from sound."""

import numpy as np

from puppet.lips import HOP, LOOK_AHEAD, LipReader, Lips
from puppet.speech import SAMPLES_PER_FRAME


def read(pcm: bytes, chunk: int) -> list[Lips]:
    """Lips of every frame whose look-ahead is complete, heard in chunks of bytes."""
    reader, frames = LipReader(), []
    heard = 0
    for start in range(0, len(pcm), chunk):
        reader.hear(pcm[start : start + chunk])
        heard += len(pcm[start : start + chunk]) // 2
        while len(frames) * SAMPLES_PER_FRAME + LOOK_AHEAD <= heard:
            frames.append(reader.at(len(frames)))
    return frames


def test_look_ahead_fits_into_the_audio_that_playing_starts_with():
    assert LOOK_AHEAD <= 3 * SAMPLES_PER_FRAME


def test_the_cutting_of_the_sound_does_not_change_the_lips(speech):
    whole, pieces = read(speech, len(speech)), read(speech, 2 * 77)

    assert len(whole) == len(pieces) > 50
    assert np.allclose(whole, pieces, atol=1e-4)


def test_nothing_heard_is_a_shut_mouth():
    assert LipReader().at(0) == Lips(0, 0, 0, 0, 0)


def test_frames_asked_for_too_early_get_the_latest_reading(speech):
    reader = LipReader()
    reader.hear(speech[: 40 * HOP * 2])
    late = [reader.at(frame) for frame in range(30)]

    assert late[-1] == late[-2]
    assert late[0] != late[-1]


def test_louder_and_softer_voices_move_the_lips_alike(speech):
    samples = np.frombuffer(speech, "<i2").astype(np.float32)
    loud, soft = (read((samples * gain).astype("<i2").tobytes(), 1920) for gain in (0.9, 0.2))
    opening = [np.array([lips.open for lips in reading]) for reading in (loud, soft)]

    assert np.corrcoef(opening[0], opening[1])[0, 1] > 0.9
    assert opening[1].mean() > 0.6 * opening[0].mean()
