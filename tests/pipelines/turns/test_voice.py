"""What the model of voices is asked, and for whom."""

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


def test_silence_is_not_put_to_the_model_and_a_voice_after_it_is_heard_as_soon():
    voice, window_s = samples(spoken(RATE))[: RATE * 2], WINDOW / RATE

    def heard(silence_s):
        """When the voice begins, in windows; and how many windows the model was asked about."""
        activity, asked = VoiceActivity(), 0
        ask = activity._ask

        def counting(window):
            nonlocal asked
            asked += 1
            return ask(window)

        activity._ask = counting
        silence = np.zeros(round(silence_s / window_s) * WINDOW, np.float32)
        for at in range(0, len(silence), WINDOW):
            activity.hear(silence[at : at + WINDOW])
        in_silence = asked
        begins = [
            activity.hear(voice[at : at + WINDOW]).begins for at in range(0, len(voice), WINDOW)
        ]
        return begins.index(True), in_silence

    (short, few), (long, as_few) = heard(0.9), heard(20)
    assert abs(long - short) <= 2
    assert as_few <= few + 5


def test_a_pause_in_a_voice_is_put_to_the_model_whole():
    activity, voice = VoiceActivity(), samples(spoken(RATE))[: RATE * 2]
    pause = np.zeros(RATE // 2 // WINDOW * WINDOW, np.float32)
    for at in range(0, len(voice), WINDOW):
        activity.hear(voice[at : at + WINDOW])
    for at in range(0, len(pause), WINDOW):
        activity.hear(pause[at : at + WINDOW])
        assert not activity._unasked
