"""Modules that packages import and this application does not use, left out."""

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType


class _Empty(ModuleType):
    """Has None for whatever is imported from it."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """Have packages that are imported in the block do without a module of theirs.

    They keep None for what they take from it; who imports it later has the module itself.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _Empty(name)
    try:
        yield
    finally:
        del sys.modules[name]
