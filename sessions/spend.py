"""What a conversation costs: what it uses of paid parts, at prices in US dollars."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MINUTE_S = 60
# Digits that are told: of amounts, and of dollars.
AMOUNT_DIGITS, DOLLAR_DIGITS = 3, 6


@dataclass
class Bill:
    """What was used so far, by item, and what all of it costs."""

    used: dict[str, float] = field(default_factory=dict)
    dollars: float = 0.0

    def add(self, used: Mapping[str, float], prices: Mapping[str, float]) -> None:
        """Add what was used, at prices in dollars for one of each; what has no price is left out.

        What is free has the price 0.
        """
        for item, amount in used.items():
            if amount and item in prices:
                self.used[item] = self.used.get(item, 0) + amount
                self.dollars += amount * prices[item]

    @property
    def told(self) -> dict[str, Any]:
        """The bill as page and transcript have it."""
        used = {item: round(amount, AMOUNT_DIGITS) for item, amount in self.used.items()}
        return {"dollars": round(self.dollars, DOLLAR_DIGITS), "used": used}


@dataclass
class Stay:
    """For how long something runs of which every minute that has begun is paid for.

    Attributes:
        item: what it is on the bill.
        clock: gives seconds, and only goes forward.
    """

    item: str
    clock: Callable[[], float] = time.monotonic
    _longest_s: float = math.inf
    _began_s: float | None = None
    _ended_s: float | None = None

    def begin(self, longest_s: float = math.inf) -> None:
        """It runs from now on, and ends by itself after so many seconds."""
        self._began_s, self._longest_s = self.clock(), longest_s

    def end(self) -> None:
        """It is over; as often as one likes."""
        self._ended_s = self.clock() if self._ended_s is None else self._ended_s

    @property
    def minutes(self) -> int:
        """How many minutes of it have begun so far."""
        if self._began_s is None:
            return 0
        until_s = self.clock() if self._ended_s is None else self._ended_s
        return max(1, math.ceil(min(until_s - self._began_s, self._longest_s) / MINUTE_S))
