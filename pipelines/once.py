"""What all conversations share is made once, though several threads ask for it at a time."""

import functools
import threading
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

Key = TypeVarTuple("Key")
T = TypeVar("T")


def once(make: Callable[[*Key], T]) -> Callable[[*Key], T]:
    """As functools.cache, in which who asks while it is being made waits for it.

    What was made for one key is had while that for another is being made. Failures are not kept.
    """
    made: dict[tuple[*Key], T] = {}
    making: dict[tuple[*Key], threading.Lock] = {}

    @functools.wraps(make)
    def asked(*key: *Key) -> T:
        if key not in made:
            with making.setdefault(key, threading.Lock()):
                if key not in made:
                    made[key] = make(*key)
        return made[key]

    return asked
