"""Voices in several microphones at once."""

import numpy as np

from pipelines.media.sentence import spoken
from pipelines.turns.voice import RATE, WINDOW, VoiceActivity, samples


def test_what_one_microphone_hears_is_nothing_to_another():
    voice = samples(spoken(RATE))[: 60 * WINDOW]
    noise = np.random.default_rng(0).normal(0, 0.1, len(voice)).astype(np.float32)

    def heard(sound, other=None):
        """How sure it is of a voice in each window, while another microphone hears the other."""
        one, another, sure = VoiceActivity(), VoiceActivity(), []
        for at in range(0, len(sound), WINDOW):
            one.hear(sound[at : at + WINDOW])
            sure.append(one._confidence)
            if other is not None:
                another.hear(other[at : at + WINDOW])
        return sure

    alone = heard(voice)
    assert max(alone) > 0.9
    assert heard(voice, noise) == alone
    assert heard(noise, voice) == heard(noise)
