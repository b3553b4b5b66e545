"""How the process ends where a thread still loads what nobody needs any more: without waiting."""

import os
import sys
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, NoReturn

_LEFT: list[Future[Any]] = []


def leave_behind(loading: Iterable[Future[Any]]) -> None:
    """Wait for none of these when the process ends; nobody could end them sooner."""
    _LEFT.extend(each for each in loading if not each.done())


def leave(code: int) -> NoReturn:
    """End the process with this exit code; Python would wait for every thread of an executor."""
    if any(not each.done() for each in _LEFT):
        leave_at_once(code)
    sys.exit(code)


def leave_at_once(code: int) -> NoReturn:
    """End the process with this exit code, whatever runs in it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
