"""No face: voice only."""

import aiohttp

from pipelines.media.pace import VoiceOnly
from pipelines.persona import Persona
from pipelines.settings import Settings


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> VoiceOnly:
    """The processor that stands where a face would be."""
    return VoiceOnly()
