"""The parts' models: loaded before the first user comes."""

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable
from types import ModuleType

from loguru import logger

from bots.server.casting import Cast
from pipelines.errors import BadSetting
from pipelines.guard.matching import own_turns
from pipelines.guard.speech import reserve_voice
from pipelines.offer import offered_personas, persona_asked
from pipelines.parts import Lineup, load
from pipelines.persona import Persona
from pipelines.settings import Settings

Say = Callable[..., None]


def warm_up(settings: Settings, lineup: Lineup, say: Say) -> None:
    """Import the chosen parts and load their models, so that the first conversation starts at once.

    Raises:
        UserError: a part cannot be loaded, or does not suit the persona.
    """
    offered = offered_personas(settings, lineup)
    personas = [persona_asked(settings, lineup, name) for name in offered]
    for row in (row for choice in lineup.values() for row in choice.parts):
        started_s = time.monotonic()
        module = load(row)
        if hasattr(module, "warm_up"):
            say(f"loading {row.value} …")
            for persona in personas:
                module.warm_up(settings, persona)
            logger.debug(f"{row.value} loaded in {time.monotonic() - started_s:.2f} s")
    for persona in personas:
        own_turns(lineup["stt"].parts, settings, persona)
        _reserve(settings, lineup, persona)
    # What is loaded stays. Frozen, it makes the collection after each conversation ten times
    # shorter: 11 ms in which other conversations are not heard, not 100.
    gc.collect()
    gc.freeze()


def _reserve(settings: Settings, lineup: Lineup, persona: Persona) -> None:
    """Load the voice that speaks when those that are listed are gone, if it can."""
    if voice := reserve_voice(lineup, persona):
        with contextlib.suppress(BadSetting):
            load(voice).warm_up(settings, persona)


async def suit(cast: Cast) -> None:
    """Find out whether the parts suit this persona and load what is not loaded yet.

    Raises:
        UserError: one does not.
    """
    await asyncio.to_thread(_suit, cast)


def _suit(cast: Cast) -> None:
    rows = [row for choice in cast.lineup.values() for row in choice.parts]
    modules: list[ModuleType] = [load(row) for row in rows]
    for module in modules:
        if hasattr(module, "warm_up"):
            module.warm_up(cast.settings, cast.persona)
    own_turns(cast.lineup["stt"].parts, cast.settings, cast.persona)
