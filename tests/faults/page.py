"""The table of faults as a page: docs/faults.md."""

from itertools import groupby
from pathlib import Path

from tests.faults import Cell, table

FILE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """# When a part dies

What the user hears and sees, and within how long, for each way in which a part can fail. A line is
a test in `tests/faults`, from which `python -m tests.faults` writes this page: on real sockets if
the part has any, and on the part itself if it runs in this process. What cannot happen says why and
has no test. The time runs from the moment at which the fault can be known.
"""
NOTES = {
    "Deepgram": """
This is Flux. Nova, which hears the languages that Flux does not know, is given up when its
connection fails, and has no time limit; what it has not written down has to be said again.
"""
}


def written() -> str:
    """The whole page."""
    vendors = groupby(table(), key=lambda cell: cell.vendor)
    return HEAD + "".join(_section(vendor, list(cells)) for vendor, cells in vendors)


def _section(vendor: str, cells: list[Cell]) -> str:
    head = "| fault | heard | seen | within | left open |\n|---|---|---|---|---|\n"
    note = NOTES.get(vendor, "")
    return f"\n## {vendor}\n{note}\n{head}" + "".join(f"{_row(cell)}\n" for cell in cells)


def _row(cell: Cell) -> str:
    if cell.unreachable:
        return f"| {cell.fault} | cannot happen: {cell.unreachable} | | | |"
    within = f"{cell.within_s:g} s"
    return f"| {cell.fault} | {cell.heard} | {cell.seen} | {within} | {cell.left_open} |"
