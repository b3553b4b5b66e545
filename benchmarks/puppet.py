"""CPU time of the puppet per frame: `python -m benchmarks.puppet [--json FILE]`.

Motion, lips and drawing together, as `Player.tick()` does them, in process CPU time. The sound is
synthetic and lasts as long as the run, so no speech model is needed.
"""

import argparse
import json
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from puppet import SAMPLE_RATE, SAMPLES_PER_FRAME, Pack, Player, load_pack

SIZES = ((512, 512), (854, 480), (1280, 720), (1920, 1080))
WARM_UP_FRAMES = 10


@dataclass(frozen=True)
class Result:
    """CPU milliseconds per frame of one size and state, over several runs."""

    width: int
    height: int
    state: str
    runs_ms: list[float]

    @property
    def row(self) -> str:
        low, middle, high = min(self.runs_ms), statistics.median(self.runs_ms), max(self.runs_ms)
        size = f"{self.width}x{self.height}"
        return f"| {size:>9} | {self.state:<8} | {middle:6.2f} | {low:.2f} - {high:.2f} |"


def main() -> None:
    """Measure, print a table, and write the numbers to a file if asked."""
    options = _options()
    pack = load_pack(options.pack)
    print(f"{pack.name}, {options.runs} runs of {options.frames} frames, OpenCV {cv2.__version__}")
    print("|      size | state    | median | range         |  (CPU ms per frame)")
    print("| --------: | -------- | -----: | ------------- |")
    results = []
    for size in SIZES:
        for state in ("idle", "speaking"):
            results.append(measure(pack, size, state, options.runs, options.frames))
            print(results[-1].row, flush=True)
    if options.json:
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        report = machine | {"pack": pack.name, "results": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def measure(pack: Pack, size: tuple[int, int], state: str, runs: int, frames: int) -> Result:
    """CPU time per frame of a player that only ticks."""
    player = Player(pack, size)
    if state == "speaking":
        player.speak(_babble(runs * frames + WARM_UP_FRAMES))
        player.end()
    for _ in range(WARM_UP_FRAMES):
        player.tick()
    return Result(*size, state, [_run_ms(player, frames) for _ in range(runs)])


def _run_ms(player: Player, frames: int) -> float:
    started_s = time.process_time()
    for _ in range(frames):
        player.tick()
    return round((time.process_time() - started_s) / frames * 1000, 3)


def _babble(frames: int) -> bytes:
    """A buzz of 120 Hz that swells four times a second: s16le mono 24 kHz."""
    at_s = np.arange(frames * SAMPLES_PER_FRAME) / SAMPLE_RATE
    buzz = sum(np.sin(2 * np.pi * 120 * harmonic * at_s) / harmonic for harmonic in range(1, 25))
    return (6000 * buzz * (1 + np.sin(2 * np.pi * 4 * at_s)) / 2).astype("<i2").tobytes()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="CPU time of the puppet per frame.")
    parser.add_argument("--pack", default="mira", help="name or folder of a pack")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--frames", type=int, default=100, help="frames per run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
