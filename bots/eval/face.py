"""The `face:` block of a scenario: what a viewer has to see. Pipecat's harness does not read it."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import UserError

SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, from `least` to `most`."""

    unit: str
    least: float
    most: float

    def read(self, value: Any) -> float:
        """The number. Raises: ValueError says what else was wanted."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"write a number of {self.unit}, and no unit")
        if not self.least <= value <= self.most:
            raise ValueError(f"it is in {self.unit}, from {self.least:g} to {self.most:g}")
        return float(value)


QUANTITIES = {
    "first_picture_within_s": Quantity("seconds", 0.05, 120),
    "pictures_a_second": Quantity("pictures a second", 0.1, 120),
    "longest_freeze_s": Quantity("seconds", 0.02, 120),
    "offset_ms": Quantity("milliseconds", 1, 1000),
    "mouth_shut_after_interruption_s": Quantity("seconds", 0.02, 20),
}
MOUTH, PIXELS = "mouth_open_while_speaking", "size"
KEYS = (*QUANTITIES, MOUTH, PIXELS)


@dataclass(frozen=True)
class Face:
    """What is wanted of the face; None is not looked at."""

    first_picture_within_s: float | None = None
    pictures_a_second: float | None = None
    longest_freeze_s: float | None = None
    offset_ms: float | None = None
    mouth_shut_after_interruption_s: float | None = None
    mouth_open_while_speaking: bool | None = None
    size: tuple[int, int] | None = None


def read_face(block: Any, where: str) -> Face:
    """Read a `face:` block; `where` names its scenario.

    Raises:
        UserError: it is none; says which key, and what it should be.
    """
    if not isinstance(block, Mapping) or not block:
        raise UserError(f"{where}: 'face:' is no list of keys", f"give it {', '.join(KEYS)}")
    check_keys(block, KEYS, f"{where}, 'face:'")
    return Face(**{key: _read(key, value, where) for key, value in block.items()})


def check_keys(block: Mapping[Any, Any], known: tuple[str, ...], where: str) -> None:
    """Raises: UserError for a key that is not known; names the one that was likely meant."""
    for key in block:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, 0.5)
            fix = f"did you mean {near[0]}? It knows" if near else "it knows"
            raise UserError(f"{where} has an unknown key {key!r}", f"{fix} {', '.join(known)}")


def _read(key: str, value: Any, where: str) -> Any:
    try:
        if key == MOUTH:
            return _yes_or_no(value)
        return _size(value) if key == PIXELS else QUANTITIES[key].read(value)
    except ValueError as error:
        raise UserError(f"{where}: '{key}: {value}' cannot be", str(error)) from None


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


def _size(value: Any) -> tuple[int, int]:
    found = SIZE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("write it as 1280x720, in pixels")
    return int(found[1]), int(found[2])
