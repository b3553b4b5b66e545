"""No face: voice only."""

import aiohttp

from pipelines.persona import Persona
from pipelines.settings import Settings


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> None:
    """Nothing: the voice goes straight to the user."""
    return None
