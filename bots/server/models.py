"""The parts' models: loaded before the first user comes."""

import asyncio
import gc
import time
from collections.abc import Callable
from types import ModuleType

from loguru import logger

from bots.server.casting import Cast
from pipelines.offer import offered_personas, persona_asked
from pipelines.parts import Lineup, load
from pipelines.settings import Settings

Say = Callable[..., None]


def warm_up(settings: Settings, lineup: Lineup, say: Say) -> None:
    """Import the chosen parts and load their models, so that the first conversation starts at once.

    Raises:
        UserError: a part cannot be loaded, or does not suit the persona.
    """
    offered = offered_personas(settings, lineup)
    personas = [persona_asked(settings, lineup, name) for name in offered]
    for choice in lineup.values():
        started_s = time.monotonic()
        module = load(choice.part)
        if hasattr(module, "warm_up"):
            say(f"loading {choice.part.value} …")
            for persona in personas:
                module.warm_up(settings, persona)
            logger.debug(f"{choice.part.value} loaded in {time.monotonic() - started_s:.2f} s")
    # What is loaded stays. Frozen, it makes the collection after each conversation ten times
    # shorter: 11 ms in which other conversations are not heard, not 100.
    gc.collect()
    gc.freeze()


async def suit(cast: Cast) -> None:
    """Find out whether the parts suit this persona and load what is not loaded yet.

    Raises:
        UserError: one does not.
    """
    await asyncio.to_thread(_suit, cast)


def _suit(cast: Cast) -> None:
    modules: list[ModuleType] = [load(choice.part) for choice in cast.lineup.values()]
    for module in modules:
        if hasattr(module, "warm_up"):
            module.warm_up(cast.settings, cast.persona)
