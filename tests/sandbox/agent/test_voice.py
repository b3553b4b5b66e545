"""What a voice of ElevenLabs' does not say is said by the one of this machine."""

import aiohttp
import pytest
from pipecat.frames.frames import TTSAudioRawFrame, TTSSpeakFrame, TTSStoppedFrame

from pipelines.guard.voice import VoiceChain, VoiceGuard
from pipelines.persona import load_persona
from pipelines.settings import load_settings
from sandbox.agent.voice import Bulletin, voices_of
from sandbox.brief import CustomVoice
from tests.speech import is_heard
from tests.standins.elevenlabs import KEY, ElevenLabs, Mood
from tests.standins.stage import running

TEXT = "The ferry leaves at seven in the morning."


async def spoken(vendor: ElevenLabs, key: str) -> tuple[bytes, list[str]]:
    """What is heard of a text, s16le mono 24 kHz; and what is told of failures."""
    settings, told = load_settings(elevenlabs_base_url=vendor.url), list[str]()
    async with aiohttp.ClientSession() as http:
        own = CustomVoice("ann", key)
        voices = voices_of(own, settings, load_persona("mira"), http)
        chain = VoiceChain([*voices])
        guard = VoiceGuard([*voices], chain.strategy, Bulletin(voices, told.append))
        guard.chain, chain.guard = chain, guard
        async with running(chain) as stage:
            await stage.play(TTSSpeakFrame(TEXT))
            await stage.first(TTSStoppedFrame, lambda _: guard.idle)
        await guard.close()
    return b"".join(frame.audio for frame in stage.all(TTSAudioRawFrame)), told


@pytest.mark.parametrize("mood", ["silent", "mute", "garbage", "closing"])
async def test_a_text_that_elevenlabs_does_not_say_is_said_all_the_same(mood: Mood) -> None:
    async with ElevenLabs() as vendor:
        vendor.state.mood = mood
        heard, told = await spoken(vendor, KEY)
        assert vendor.state.spoken[0] == ("ann", TEXT)
    assert told and "hibari takes its place" in told[0]
    assert is_heard(TEXT, heard, 24_000)


async def test_a_key_that_elevenlabs_refuses_is_said_so_and_not_shown() -> None:
    key = "an-elevenlabs-key-of-old"
    async with ElevenLabs() as vendor:
        heard, told = await spoken(vendor, key)
    assert "elevenlabs refused the key; hibari takes its place." in told[0]
    assert heard and key not in str(told)
