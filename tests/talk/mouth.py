"""Whether the mouth in a picture is open, judged from its pixels alone."""

import functools
import json
from dataclasses import dataclass

import numpy as np

from puppet import Player, load_pack
from tests.speech import say

CAVITY = 60  # luma below which a pixel is the inside of a mouth or a lip line


@dataclass(frozen=True)
class Gauge:
    """Reads mouths of one pack at one size; calibrated with pictures of known openness."""

    rows: slice
    columns: slice
    shut: float
    wide: float

    def openness(self, luma: np.ndarray) -> float:
        """0 for a shut mouth, about 1 for an open one. `luma` is uint8 (height, width)."""
        dark = _darkness(luma[self.rows, self.columns])
        return (dark - self.shut) / (self.wide - self.shut)


@functools.cache
def gauge(pack_name: str, size: tuple[int, int]) -> Gauge:
    """Calibrate on a spoken sentence."""
    player = Player(load_pack(pack_name), size, seed=3)
    width, height = size
    player.speak(say("Are you all far away, or is it a large and open harbour?", 24_000))
    player.end()
    frames = [player.tick() for _ in range(100)]
    rows, columns = _mouth(pack_name, size)
    shut = [_darkness(f.image[:height][rows, columns]) for f in frames if f.mouth < 0.03]
    wide = [_darkness(f.image[:height][rows, columns]) for f in frames if f.mouth > 0.4]
    return Gauge(rows, columns, float(np.mean(shut)), float(np.mean(wide)))


def _mouth(pack_name: str, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the lips at a 16:9 size; the pack's rectangle reaches to the chin."""
    meta = json.loads((load_pack(pack_name).folder / "meta.json").read_text())
    left, top, right, bottom = (side * size[1] / 720 for side in meta["mouth"]["rect"])
    width, height = right - left, bottom - top
    rows = slice(int(top + 0.1 * height), int(top + 0.5 * height))
    return rows, slice(int(left + 0.3 * width), int(right - 0.3 * width))


def _darkness(luma: np.ndarray) -> float:
    return float(np.clip(CAVITY - luma.astype(np.float32), 0, None).mean())
