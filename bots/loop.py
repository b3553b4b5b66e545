"""The event loop of what serves: uvloop's, which takes less of the CPU, or Python's own."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from loguru import logger

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do what `asyncio.run` does, on the loop that `factory` makes."""
    with asyncio.Runner(loop_factory=factory()) as runner:
        logger.debug(f"The event loop is that of {type(runner.get_loop()).__module__}")
        return runner.run(work)


def factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop: uvloop, where there is one for this system and this Python.

    Its clock and its timers know whole milliseconds: a sleep may end one too early. Debugging is
    for Python's own, whose debug mode some versions of uvloop do not survive.
    """
    with contextlib.closing(asyncio.new_event_loop()) as own:
        debugs = own.get_debug()
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return asyncio.new_event_loop if debugs else uvloop.new_event_loop
