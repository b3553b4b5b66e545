"""Which of Deepgram's models hears, and that it listens before anybody speaks."""

import aiohttp
import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.services.deepgram.flux.stt_base import language_to_deepgram_flux_language
from pipecat.transcriptions.language import Language

from pipelines.errors import BadSetting
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.stt.deepgram import (
    LANGUAGES,
    PATIENCE,
    build,
    model_for,
    nova_language,
    warm_up,
)
from pipelines.turns.flux import FluxEars
from tests.speech import say
from tests.standins.deepgram import Connection, Deepgram
from tests.standins.stage import running


@pytest.mark.parametrize(
    ("language", "set_to", "model"),
    [
        ("en", "", "flux-general-en"),
        ("en-GB", "", "flux-general-en"),
        ("de-DE", "", "flux-general-multi"),
        ("sv", "", "nova-3-general"),
        ("en", "nova-2", "nova-2"),
        ("en", "flux-general-multi", "flux-general-multi"),
    ],
)
def test_flux_hears_what_it_knows_and_a_model_that_is_set_wins(language, set_to, model):
    assert model_for(load_settings(deepgram_model=set_to), Persona(language=language)) == model


@pytest.mark.parametrize(
    ("language", "model"), [("de", "flux-general-en"), ("sv", "flux-general-multi")]
)
def test_a_model_that_does_not_know_the_language_is_refused(language, model):
    with pytest.raises(BadSetting, match=f"AVATAR_LANGUAGE={language} is not known to Deepgram's"):
        warm_up(load_settings(deepgram_model=model), Persona(language=language))


@pytest.mark.parametrize(
    ("written", "named"),
    [("pl_PL", "pl"), ("SV", "sv"), ("sv-se", "sv-SE"), ("zh_tw", "zh-TW"), ("de-AT", "de")],
)
def test_a_region_that_nova_does_not_know_is_left_out(written, named):
    assert nova_language(written) == named


def test_the_languages_are_those_that_pipecat_knows_of_flux():
    assert [language_to_deepgram_flux_language(Language(each)) for each in LANGUAGES] == [
        *LANGUAGES
    ]
    assert all(longest_ms < 3000 for _, _, longest_ms in PATIENCE.values())


@pytest.mark.parametrize(
    ("language", "path", "sent"),
    [
        ("en", "/v2/listen", {"model": "flux-general-en"}),
        ("de-DE", "/v2/listen", {"model": "flux-general-multi", "language_hint": "de"}),
        ("sv", "/v1/listen", {"model": "nova-3-general", "language": "sv"}),
        ("pl-PL", "/v1/listen", {"model": "nova-3-general", "language": "pl"}),
    ],
)
async def test_it_is_connected_before_anything_is_said(language, path, sent):
    async with Deepgram() as deepgram, aiohttp.ClientSession() as http:
        settings = load_settings(deepgram_api_key=deepgram.key, deepgram_base_url=deepgram.url)
        ears = build(settings, Persona(language=language), http)
        assert isinstance(ears, FluxEars) == path.startswith("/v2")
        async with running(ears):
            await deepgram.until(lambda: bool(deepgram.state.connections))
            (request,) = deepgram.requests
        assert request.path == path and sent.items() <= dict(request.query).items()


async def test_what_nova_takes_back_is_not_said_when_its_connection_is_lost():
    async with Deepgram() as deepgram, aiohttp.ClientSession() as http:
        deepgram.state.say("One two three four", voiced_s=1.0)
        settings = load_settings(deepgram_api_key=deepgram.key, deepgram_base_url=deepgram.url)
        async with running(build(settings, Persona(language="sv"), http)) as stage:
            await deepgram.until(lambda: bool(deepgram.state.connections))
            sound = InputAudioRawFrame(say("Where is it, then?"), 16_000, 1)
            await stage.play(VADUserStartedSpeakingFrame(), sound)
            await stage.first(InterimTranscriptionFrame)
            await stage.play(VADUserStoppedSpeakingFrame())
            told = deepgram.state.connections[0]
            assert isinstance(told, Connection)
            await deepgram.until(lambda: told.finals > 0)
            await deepgram.hang_up(code=1011)
            await stage.first(ErrorFrame)
            assert not stage.all(TranscriptionFrame)
