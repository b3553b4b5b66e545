"""Ears that are listed: those that can take each other's place, and those that cannot."""

import aiohttp
import pytest
from pipecat.runner.types import RunnerArguments
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.stt_service import STTService

from bots.doctor import examine
from bots.server import models
from pipelines.conversation import Request
from pipelines.errors import Incompatible
from pipelines.guard.speech import build_speech
from pipelines.mind.endpoint import Found
from pipelines.parts import choose
from pipelines.persona import Persona
from pipelines.settings import Settings, load_settings
from pipelines.turns.flux import FluxEars
from pipelines.turns.owner import TurnOwner
from sessions.transcript import Transcript

NOVA = {"deepgram_api_key": "fake-key", "deepgram_model": "nova-3-general"}


def settings_with(stt: str, **more: str) -> Settings:
    return load_settings(stt=stt, llm="guide", tts="hibari", avatar="none", **more)


def lineup_of(settings: Settings):
    return choose(settings, lambda _: Found(problem="nobody asked"))


async def ears_of(settings: Settings) -> list[STTService]:
    async with aiohttp.ClientSession() as http:
        request = Request(settings, lineup_of(settings), Persona(), RunnerArguments())
        return build_speech(request, http, Transcript()).ears


async def test_whisper_takes_the_place_of_ears_of_either_kind():
    nova, spare = await ears_of(settings_with("deepgram,whisper", **NOVA))
    assert isinstance(nova, DeepgramSTTService) and not isinstance(spare, TurnOwner)
    spare, nova = await ears_of(settings_with("whisper,deepgram", **NOVA))
    assert isinstance(nova, DeepgramSTTService) and not isinstance(spare, TurnOwner)
    key = {"deepgram_api_key": "fake-key"}
    flux, spare = await ears_of(settings_with("deepgram,whisper", **key))
    assert isinstance(flux, FluxEars) and isinstance(spare, TurnOwner)


@pytest.mark.parametrize("stt", ["deepgram,moonshine", "moonshine,deepgram"])
async def test_ears_of_two_kinds_are_refused_at_start(stt):
    settings = settings_with(stt, **NOVA)
    with pytest.raises(Incompatible, match="deepgram and moonshine cannot take each other's place"):
        models.warm_up(settings, lineup_of(settings), lambda _: None)


async def test_the_doctor_finds_ears_of_two_kinds():
    settings = settings_with("deepgram,moonshine", **NOVA, deepgram_base_url="http://127.0.0.1:9")
    findings = {finding.what: finding for finding in await examine(settings, {})}
    assert findings["ears"].state == "bad"
    assert findings["ears"].fix == "leave one of them out of STT, or list whisper for moonshine"
