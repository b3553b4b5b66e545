"""Hibari as the voice: what it says, when it says each word, and what it says nothing of."""

import re
from itertools import pairwise
from typing import cast

import aiohttp
import numpy as np
import pytest
from hibari import SAMPLE_RATE
from pipecat.frames.frames import (
    ErrorFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)

from pipelines.errors import BadSetting
from pipelines.media import phonemes
from pipelines.media.speech import Speech
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.tts.hibari import VOICES, build, model
from tests.speech import SENTENCES, hear, told_wrong_s
from tests.standins.stage import running

pytestmark = pytest.mark.patient

QUIET = 0.01  # of full scale
SHORT = ["Yes.", "Hello.", "Four people came.", "Thanks, that is fine.", "Half of them."]


def spoken(text: str, name: str = "heart") -> list[Speech]:
    return list(phonemes.speak(model(), VOICES[name], text))


def samples(speech: Speech) -> np.ndarray:
    return np.frombuffer(speech.pcm, np.int16) / 32768


@pytest.fixture
async def stage():
    async with aiohttp.ClientSession() as http:
        async with running(build(load_settings(), Persona(), http)) as stage:
            yield stage


@pytest.mark.parametrize("name", VOICES)
def test_what_it_says_is_understood(name):
    for text in (SENTENCES[5], SENTENCES[10], SENTENCES[13], SENTENCES[15], SENTENCES[17]):
        pcm = b"".join(speech.pcm for speech in spoken(text, name))
        assert hear(pcm, SAMPLE_RATE).split() == re.sub(r"[^a-z ]", "", text.lower()).split()


@pytest.mark.parametrize("name", VOICES)
def test_words_are_placed_where_they_are_heard(name):
    clips = [SENTENCES[n : n + 6] for n in range(0, len(SENTENCES), 6)]
    speeches = [[speech for text in clip for speech in spoken(text, name)] for clip in clips]
    errors = np.abs(np.concatenate([told_wrong_s(clip, SAMPLE_RATE) for clip in speeches]))
    assert len(errors) > 200
    assert np.median(errors) < 0.1
    assert np.quantile(errors, 0.95) < 0.25, np.sort(errors)[-12:]


def test_the_packaged_model_tells_how_long_its_phonemes_are():
    ids = np.asarray([model().ids("həlˈO ðˈɛɹ.")], np.int64)
    outputs = model().sess.run(None, {"ids": ids, "speed": np.ones(1, np.float32)})
    *_, pitch_hz, frames = cast(list[np.ndarray], outputs)
    assert frames.shape == ids.shape[1:]
    assert frames.sum() * phonemes.FRAME_S == pytest.approx(pitch_hz.shape[1] * 0.0125)


@pytest.mark.parametrize("text", [*SHORT, *SENTENCES[:6]])
def test_it_begins_at_once_and_pauses_shortly_afterwards(text):
    (speech,) = spoken(text)
    loud = np.flatnonzero(np.abs(samples(speech)) > QUIET) / SAMPLE_RATE
    assert loud[0] < 0.06
    assert 0.2 < speech.duration_s - loud[-1] < 0.4


@pytest.mark.parametrize("text", SENTENCES)
def test_phonemes_follow_each_other_and_words_begin_with_one(text):
    for speech in spoken(text):
        assert speech.phonemes[0].start_s == 0
        assert all(one.end_s == other.start_s for one, other in pairwise(speech.phonemes))
        assert speech.phonemes[-1].end_s <= speech.duration_s
        assert len(speech.pcm) == round(2 * SAMPLE_RATE * speech.duration_s)
        starts_s = {phoneme.start_s for phoneme in speech.phonemes}
        assert {at_s for _, at_s in speech.words} <= starts_s


def test_a_word_begins_with_its_own_phonemes():
    (speech,) = spoken("It is 3:45 p.m., and Dr. Lee owes me $5.20 (or 5 km).")
    starts = {phoneme.start_s: n for n, phoneme in enumerate(speech.phonemes)}
    sounds = [phoneme.symbol for phoneme in speech.phonemes]
    said = {word: "".join(sounds[starts[at_s] :]) for word, at_s in speech.words}
    first = {"3:45": "θɹˈi", "p.m.,": "pˌiˈɛm", "and": "ænd", "Dr.": "dˈɑktəɹ", "me": "mˌi"}
    first |= {"$5.20": "fˈaɪv dˈɑləɹz", "(or": "(ɔɹ", "5": "fˈaɪv", "km).": "kəlˈɑməɾəɹz"}
    assert all(said[word].startswith(sound) for word, sound in first.items()), said


@pytest.mark.parametrize(
    "text",
    [
        "Wait – what? It is 3:45 p.m., and Mr. O'Neil (65) owes me $5.20.",
        "A list: one, two; three... and so on!",
        "Hm.",
        "See https://example.com/a?b=1&c=2 or write to ann@example.com, please.",
        "On 10/12/2019 it was -5 °C, i.e. cold, at 3-4 places.",
        "Call 555-1234.\nThen wait 👍 and\n\nlisten.",
    ],
)
@pytest.mark.parametrize("name", VOICES)
def test_every_word_has_its_place_in_order(text, name):
    speeches = spoken(text, name)
    words = [word for speech in speeches for word, _ in speech.words]
    assert words == [word for word in text.split() if any(c.isalnum() for c in word)]
    for speech in speeches:
        starts = [start for _, start in speech.words]
        assert starts == sorted(starts)
        assert all(0 <= start < speech.duration_s for start in starts)


@pytest.mark.parametrize("text", ["…", "👍", "?!", "- -", "日本語です", "", " \n", "$", "—"])
def test_what_has_no_sound_is_left_out(text):
    assert spoken(text) == []


@pytest.mark.parametrize("text", ["1" * 60, "4" * 600, "1," * 300, "a" * 500, "[x](/)", "= ^ ~"])
def test_what_nobody_would_say_is_no_failure(text):
    assert all(speech.duration_s > 0 for speech in spoken(text))


def test_a_long_sentence_is_made_in_parts_that_lose_no_word():
    text = " ".join(["we go on and on without a comma"] * 20) + ", and then, at last, we stop."
    parts = spoken(text)
    assert len(parts) > 3
    assert [word for part in parts for word, _ in part.words] == text.split()
    assert all(len(part.phonemes) <= phonemes.LONGEST for part in parts)


def test_a_sentence_is_parted_where_it_pauses():
    text = " ".join(["we go on and on, as ever,"] * 12) + " until the end."
    assert all(part.words[-1][0][-1] in ",." for part in spoken(text))


def test_the_lower_voice_has_a_mans_pitch_and_the_other_a_womans():
    text = "You can talk to me as you would to a person."
    assert 180 < pitch_hz(spoken(text, "heart")) < 230
    assert 100 < pitch_hz(spoken(text, "low")) < 140


def pitch_hz(speeches: list[Speech]) -> float:
    """The median pitch, by the shift at which a piece of 40 ms is most like itself."""
    sound = np.concatenate([samples(speech) for speech in speeches])
    size = SAMPLE_RATE // 25
    found = []
    for start in range(0, len(sound) - size, size // 4):
        piece = sound[start : start + size] - sound[start : start + size].mean()
        like = np.correlate(piece, piece, "full")[size - 1 :]
        shifts = like[SAMPLE_RATE // 400 : SAMPLE_RATE // 60]
        if like[0] > 1 and shifts.max() > like[0] / 2:
            found.append(SAMPLE_RATE / (SAMPLE_RATE // 400 + shifts.argmax()))
    return float(np.median(found))


async def test_texts_without_a_sound_do_not_end_the_voice(stage):
    for text in ("👍", "…", "?!", "👍 👍"):
        await stage.play(TTSSpeakFrame(text))
    await stage.play(TTSSpeakFrame("Hello."))
    await stage.first(TTSTextFrame, lambda frame: frame.text == "Hello.", 30)
    assert stage.all(ErrorFrame) == []


async def test_the_words_of_an_answer_count_from_its_first_sound(stage):
    answer = ["You can talk to me. ", "I am listening to you."]
    texts = [LLMTextFrame(text) for text in answer]
    await stage.play(LLMFullResponseStartFrame(), *texts, LLMFullResponseEndFrame())
    end = await stage.first(LLMFullResponseEndFrame, lambda frame: bool(frame.pts), 30)
    await stage.first(TTSStoppedFrame, limit_s=30)
    words = stage.all(TTSTextFrame)
    assert [word.text for word in words] == "".join(answer).split()
    first_s = sum(f.num_frames / f.sample_rate for f in stage.all(TTSAudioRawFrame)[:1])
    times_s = [(word.pts - words[0].pts) / 1e9 for word in words]
    assert times_s == sorted(times_s)
    assert first_s - 0.2 < times_s[5] < first_s + 0.2, "the second sentence begins after the first"
    assert end.pts == words[-1].pts


@pytest.mark.parametrize(
    ("settings", "persona", "said"),
    [
        ({"hibari_voice": "emma"}, {}, "HIBARI_VOICE=emma is not known: use heart or low."),
        ({}, {"voice": {"hibari": "kore"}}, "HIBARI_VOICE=kore is not known"),
        ({}, {"language": "de-DE"}, "AVATAR_LANGUAGE=de is not known to Hibari"),
    ],
)
async def test_a_voice_that_it_does_not_have_is_refused_with_the_fix(settings, persona, said):
    async with aiohttp.ClientSession() as http:
        with pytest.raises(BadSetting, match=re.escape(said)):
            build(load_settings(**settings), Persona(**persona), http)
