"""The parts' models: loaded before the first user comes, side by side."""

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from types import ModuleType

from loguru import logger

from bots.leaving import leave_behind
from bots.memory import give_back, put_away
from bots.server.casting import Cast
from pipelines.errors import BadSetting
from pipelines.guard.matching import own_turns
from pipelines.offer import offered_personas, persona_asked
from pipelines.parts import Lineup, Part, load
from pipelines.persona import Persona
from pipelines.settings import Settings

Say = Callable[..., None]
# Models that are loaded at once, beside what Python imports.
SIDE_BY_SIDE = 2
# The files that Moonshine's runtime maps, and packs in its own way into memory of its own.
WEIGHTS = ".ort"


def warm_up(
    settings: Settings, lineup: Lineup, say: Say, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Import the chosen parts and load their models, so that the first conversation starts at once.

    `meanwhile` is done beside the loading, most of which is done without Python.

    Raises:
        UserError: a part cannot be loaded, or does not suit the persona.
    """
    offered = offered_personas(settings, lineup)
    personas = [persona_asked(settings, lineup, name) for name in offered]
    gc.disable()  # what is imported stays, and would be looked through again and again
    try:
        _load(settings, lineup, personas, say, meanwhile)
    finally:
        gc.enable()
    # What is loaded stays. Frozen, it makes the collection after each conversation ten times
    # shorter: 11 ms in which other conversations are not heard, not 100.
    gc.freeze()


def _load(
    settings: Settings,
    lineup: Lineup,
    personas: Sequence[Persona],
    say: Say,
    meanwhile: Callable[[], object],
) -> None:
    for persona in personas:
        own_turns(lineup["stt"].parts, settings, persona)
    threads, loading = ThreadPoolExecutor(SIDE_BY_SIDE, "models"), list[Future[None]]()
    try:
        for row in (row for choice in lineup.values() for row in choice.parts):
            module = load(row)
            if hasattr(module, "warm_up"):
                say(f"loading {row.value} …")
                loading.append(threads.submit(_warm_up, row, module, settings, personas))
        loading += [threads.submit(_reserve, settings, lineup, persona) for persona in personas]
        meanwhile()
        wait(loading, return_when=FIRST_EXCEPTION)
        for each in loading:
            if each.done():
                each.result()
    finally:  # what fails is told at once, however long others would still load
        threads.shutdown(wait=False, cancel_futures=True)
        leave_behind(loading)


def rehearse(lineup: Lineup) -> None:
    """Have the parts do once what takes longer for the first time; then give back what is free."""
    for row in (row for choice in lineup.values() for row in choice.parts):
        module = load(row)
        if hasattr(module, "rehearse"):
            module.rehearse()
    put_away(WEIGHTS)
    give_back()


def _warm_up(
    row: Part, module: ModuleType, settings: Settings, personas: Sequence[Persona]
) -> None:
    started_s = time.monotonic()
    for persona in personas:
        module.warm_up(settings, persona)
    logger.debug(f"{row.value} loaded in {time.monotonic() - started_s:.2f} s")


def _reserve(settings: Settings, lineup: Lineup, persona: Persona) -> None:
    """Load the voice that speaks when those that are listed are gone, if it can."""
    from pipelines.guard.speech import reserve_voice

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
