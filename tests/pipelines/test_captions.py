"""Voice and face together: each word leaves within the sound in which it is heard."""

import aiohttp
import numpy as np
import pytest
from pipecat.frames.frames import (
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    TTSTextFrame,
)

from pipelines.avatar import puppet
from pipelines.guard.cast import Cast
from pipelines.guard.face import FaceGuard
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.tts import hibari, piper
from tests.speech import differences_s, heard_words
from tests.standins.stage import Stage, running

pytestmark = pytest.mark.patient

RATE = 24_000
ANSWER = [
    "You can talk to me as you would to a person. ",
    "The train leaves at a quarter past seven, so we should hurry. ",
    "Turn left at the church, cross the bridge, and you will see the station.",
]


def sound_and_words(stage: Stage) -> tuple[bytes, list[tuple[str, float]]]:
    """What left the face: the sound, and how much of it had left when each word did, in seconds."""
    pcm, words = b"", []
    for frame in stage.seen:
        if isinstance(frame, SpeechOutputAudioRawFrame):
            pcm += frame.audio
        elif isinstance(frame, TTSTextFrame):
            words.append((frame.text, len(pcm) / 2 / RATE))
    return pcm, words


@pytest.mark.drawn
@pytest.mark.parametrize("voice", [hibari, piper], ids=["hibari", "piper"])
async def test_words_leave_the_face_with_the_sound_in_which_they_are_heard(voice):
    settings = load_settings(avatar_size="640x360")
    async with aiohttp.ClientSession() as http:
        speaker, face = (part.build(settings, Persona(), http) for part in (voice, puppet))
        async with running(speaker, FaceGuard(Cast(lambda: face))) as stage:
            await stage.first(OutputImageRawFrame)
            texts = [LLMTextFrame(text) for text in ANSWER]
            await stage.play(LLMFullResponseStartFrame(), *texts, LLMFullResponseEndFrame())
            await stage.first(SpeechOutputAudioRawFrame, lambda f: not any(f.audio), 60)
    pcm, words = sound_and_words(stage)
    assert [word for word, _ in words] == "".join(ANSWER).split()
    late_s = np.array(differences_s(words, heard_words(pcm, RATE)))
    assert len(late_s) > 0.8 * len(words)
    assert np.quantile(np.abs(late_s), 0.95) < 0.25, late_s
