"""What a benchmark found: a table on the screen, and the same as JSON."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import OtherLoad, wait_until_quiet

MANY = 20


@dataclass(frozen=True)
class Figure:
    """One quantity, measured several times."""

    name: str
    unit: str
    values: Sequence[float]

    @property
    def row(self) -> str:
        """Its line of the table; a 95th percentile needs at least 20 values."""
        low, high, middle = min(self.values), max(self.values), statistics.median(self.values)
        p95 = f"{np.percentile(self.values, 95):.4g}" if len(self.values) >= MANY else "-"
        cells = (self.name, self.unit, f"{middle:.4g}", p95, f"{low:.4g} - {high:.4g}")
        return "| " + " | ".join((*cells, str(len(self.values)))) + " |"


class Report:
    """Collects figures from when it is made, together with what other processes used meanwhile."""

    def __init__(self, title: str, options: argparse.Namespace) -> None:
        wait_until_quiet(options.patience)
        self._title = title
        self._json: Path | None = options.json
        self._load = OtherLoad()
        self._first_load = os.getloadavg()[0]
        self.figures: list[Figure] = []
        self.details: dict[str, Any] = {}
        """More for the JSON file, by name."""

    def add(self, name: str, unit: str, values: Sequence[float]) -> None:
        """Add a quantity; one without values is left out."""
        if values:
            self.figures.append(Figure(name, unit, [round(float(value), 4) for value in values]))

    def finish(self) -> None:
        """Print the table, and write the file if asked."""
        other_pct, stolen_pct = self._load.pct
        print(f"\n{self._title}")
        print("| what | unit | median | p95 | range | n |\n|---|---|---|---|---|---|")
        for figure in self.figures:
            print(figure.row)
        print(
            f"{os.cpu_count()} cores, Python {platform.python_version()}, priority"
            f" {os.getpriority(os.PRIO_PROCESS, 0)}; load {self._first_load:.1f} at the start;"
            f" other processes used {other_pct:.0f} % of a core, the host took {stolen_pct:.0f} %."
        )
        if self._json:
            self._json.write_text(json.dumps(self._facts(other_pct, stolen_pct), indent=1) + "\n")

    def _facts(self, other_pct: float, stolen_pct: float) -> dict[str, Any]:
        return {
            "title": self._title,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "other_pct": round(other_pct, 1),
            "stolen_pct": round(stolen_pct, 1),
            "figures": [vars(figure) for figure in self.figures],
            **self.details,
        }


def options_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    parser.add_argument(
        "--patience", type=float, default=60, metavar="S", help="wait so long for a quiet machine"
    )
    return parser
