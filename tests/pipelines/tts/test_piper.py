"""Piper as the voice: when it says each word."""

from dataclasses import replace
from itertools import pairwise

import aiohttp
import numpy as np
import pytest
from pipecat.frames.frames import (
    AggregatedTextProgressFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from piper import PiperVoice, download_voices

from pipelines.media import alignment
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.tts.piper import build, file_of, voice, voice_name
from tests.speech import SENTENCES, told_wrong_s
from tests.standins.stage import running

pytestmark = pytest.mark.patient


@pytest.fixture(scope="module")
def packaged():
    return voice(voice_name(load_settings(), Persona()))


@pytest.fixture
async def stage():
    async with aiohttp.ClientSession() as http:
        async with running(build(load_settings(), Persona(), http)) as stage:
            yield stage


def errors_s(packaged: PiperVoice, sentences: list[str]) -> list[float]:
    """How far each word's time is from where Whisper hears it, all spoken in one go."""
    speeches = [speech for text in sentences for speech in alignment.speak(packaged, text)]
    return told_wrong_s(speeches, packaged.config.sample_rate)


def test_words_are_placed_where_they_are_heard(packaged):
    clips = [SENTENCES[n : n + 6] for n in range(0, len(SENTENCES), 6)]
    errors = np.abs(np.concatenate([errors_s(packaged, clip) for clip in clips]))
    assert len(errors) > 200
    assert np.median(errors) < 0.1
    assert np.quantile(errors, 0.95) < 0.25, np.sort(errors)[-12:]


def test_the_packaged_model_tells_how_long_its_phonemes_are(packaged):
    (chunk,) = packaged.synthesize("You can talk to me.", include_alignments=True)
    told = sum(alignment.num_samples for alignment in chunk.phoneme_alignments)
    assert told == len(chunk.audio_float_array)


def test_it_is_told_what_is_heard_when(packaged):
    (speech,) = alignment.speak(packaged, "Stop, Bob: a map.")
    heard = speech.phonemes
    assert "".join(each.symbol for each in heard).replace(" ", "") == "stˈɑːp,bˈɑːb:ɐmˈæp."
    assert heard[0].start_s == 0 and heard[-1].end_s <= speech.duration_s
    assert all(one.end_s == other.start_s for one, other in pairwise(heard))
    word_s = dict(speech.words)["map."]
    (m,) = (each for each in heard if each.symbol == "m")
    assert m.start_s == pytest.approx(word_s, abs=0.05)


def test_a_model_without_durations_is_left_as_it_is():
    assert alignment.telling_durations(b"no such output") == b"no such output"


def test_words_of_a_model_that_does_not_tell_are_estimated(packaged):
    (chunk,) = packaged.synthesize("I run on this machine, without a key.", include_alignments=True)
    told = alignment.starts_s(chunk)
    estimated = alignment.starts_s(replace(chunk, phoneme_alignments=None))
    assert len(told) == len(estimated)
    assert max(abs(a - b) for a, b in zip(told, estimated, strict=True)) < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Wait – what? It is 3:45 p.m., and Mr. O'Neil (65) owes me $5.20.",
        "A list: one, two; three... and so on!",
        "Hm.",
    ],
)
def test_every_word_has_its_place_in_order(packaged, text):
    speeches = list(alignment.speak(packaged, text))
    words = [word for speech in speeches for word, _ in speech.words]
    assert words == [word for word in text.split() if any(c.isalnum() for c in word)]
    for speech in speeches:
        starts = [start for _, start in speech.words]
        assert starts == sorted(starts)
        assert all(0 <= start < speech.duration_s for start in starts)


def test_a_voice_is_there_once_it_is_downloaded_as_a_whole(tmp_path, monkeypatch):
    there, voices = tmp_path / "en_US-own-low.onnx", tmp_path / "cache" / "avatar" / "voices"
    pattern = "{lang_code}-{voice_name}-{voice_quality}{extension}"
    monkeypatch.setattr(download_voices, "URL_FORMAT", f"{tmp_path.as_uri()}/{pattern}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    there.write_bytes(b"model")
    with pytest.raises(OSError):
        file_of("en_US-own-low")
    assert list(voices.iterdir()) == [], "half of it would be taken for the voice"
    there.with_name(f"{there.name}.json").write_bytes(b"{}")
    assert file_of("en_US-own-low").read_bytes() == b"model"
    assert len(list(voices.iterdir())) == 2


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


async def test_the_page_is_told_how_far_the_voice_has_come(stage):
    text = LLMTextFrame("You can talk to me.")
    await stage.play(LLMFullResponseStartFrame(), text, LLMFullResponseEndFrame())
    await stage.first(TTSStoppedFrame, limit_s=30)
    progress = stage.all(AggregatedTextProgressFrame)
    assert [frame.accumulated_text for frame in progress[:2]] == ["You", "You can"]
    assert progress[-1].remaining_text == ""
