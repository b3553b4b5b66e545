"""What goes on when a part dies: one table of faults, and a test on real sockets for each cell.

A module of cells says in `CELLS` what the user hears and sees of each fault of its vendors, and its
tests bring every one of them about. `python -m tests.faults` writes `docs/faults.md` from them.

    CELLS = (Cell("Gemini", "429", "the next mind's answer", "which mind answers", 3.0),)

    @pytest.mark.parametrize("cell", CELLS, ids=str)
    async def test_the_user_hears_and_sees(cell): ...
"""

import importlib
import importlib.util
from dataclasses import dataclass

FAULTS = (
    "refused",
    "401",
    "402",
    "429",
    "500",
    "DNS gone",
    "hangs at connect",
    "hangs in mid-stream",
    "slow 2x",
    "slow 10x",
    "closes in mid-stream",
    "garbage",
    "partial then silence",
    "empty answer",
)
# The modules that have cells, in the order in which the page shows them.
MODULES = ("speech", "faces", "places")


@dataclass(frozen=True)
class Cell:
    """One vendor and one fault of it.

    Attributes:
        vendor: what fails: "Gemini", "LiveKit room", "local voice".
        fault: how, one of FAULTS.
        heard: what the user hears all the same.
        seen: what the page tells of it.
        within_s: seconds from the moment at which the fault can be known until the user hears it.
        left_open: what stays open of it after the conversation.
        unreachable: why this cannot happen; then nothing else of the cell holds.
    """

    vendor: str
    fault: str
    heard: str = ""
    seen: str = ""
    within_s: float = 3.0
    left_open: str = "nothing"
    unreachable: str = ""

    def __post_init__(self) -> None:
        assert self.fault in FAULTS, f"{self.fault} is none of {FAULTS}"

    def __str__(self) -> str:
        return f"{self.vendor}, {self.fault}"


def table() -> list[Cell]:
    """Every cell there is."""
    found = [module for module in MODULES if importlib.util.find_spec(f"{__name__}.{module}")]
    modules = (importlib.import_module(f"{__name__}.{module}") for module in found)
    cells = [cell for module in modules for cell in module.CELLS]
    vendors = list(dict.fromkeys(cell.vendor for cell in cells))
    return sorted(cells, key=lambda c: (vendors.index(c.vendor), FAULTS.index(c.fault)))
