"""What stands in for a face, by the setting."""

import aiohttp
import pytest

from pipelines.avatar.puppet import PuppetVideoService
from pipelines.guard.cast import cast
from pipelines.guard.portrait import Portrait
from pipelines.media.pace import VoiceOnly
from pipelines.persona import Persona
from pipelines.settings import load_settings

SIZE = (256, 144)


@pytest.mark.parametrize(
    ("fallback", "asked", "kinds"),
    [
        ("puppet", "heygen", [PuppetVideoService, Portrait]),
        ("portrait", "heygen", [Portrait]),
        ("none", "heygen", []),
        ("puppet", "puppet", [Portrait]),
        ("none", "puppet", []),
    ],
)
async def test_what_stands_in_is_what_was_asked_for(fallback, asked, kinds):
    settings = load_settings(avatar_fallback=fallback)
    async with aiohttp.ClientSession() as http:
        faces = cast(asked, VoiceOnly, settings, Persona(), http, SIZE)
        built = [build() for build in faces.stand_ins]
        assert [type(face) for face in built] == kinds
