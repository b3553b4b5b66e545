"""What was said, and is it complete? Both are asked off the event loop, at the same time."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from pipecat.audio.turn.smart_turn import data
from pipecat.audio.turn.smart_turn.base_smart_turn import BaseSmartTurn
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3

from pipelines.media.optimized import optimized
from pipelines.once import once

from .voice import RATE, Sound

Transcribe = Callable[[Sound], str]
Complete = Callable[[Sound], float]
# The model that comes with Pipecat.
MODEL = Path(data.__path__[0]) / "smart-turn-v3.2-cpu.onnx"
# Smart Turn looks at this much sound.
SEEN_S = 8
# Of all conversations: more work at once than there are cores only makes every answer later.
WORKERS = max(2, os.cpu_count() or 2)


@once
def workers() -> ThreadPoolExecutor:
    """The threads in which models think, shared by all conversations."""
    return ThreadPoolExecutor(WORKERS, "ears")


class SmartTurn(LocalSmartTurnAnalyzerV3):
    """Pipecat's, whose runtime keeps no memory for the next time: 18 MB, and not faster."""

    def __init__(self) -> None:
        BaseSmartTurn.__init__(self)
        self._log_data = False
        self._session = optimized(f"smart-turn-{MODEL.stem}", MODEL.read_bytes)


@once
def smart_turn() -> LocalSmartTurnAnalyzerV3:
    """The end-of-turn model, loaded once for all conversations."""
    analyzer = SmartTurn()
    analyzer.set_sample_rate(RATE)
    return analyzer


def complete(sound: Sound) -> float:
    """How sure Smart Turn is that somebody who made this sound has finished, from 0 to 1."""
    seen = np.ascontiguousarray(sound[-SEEN_S * RATE :])
    return float(smart_turn()._predict_endpoint(seen)["probability"])


async def written(transcribe: Transcribe, sound: Sound) -> str:
    """The words in a sound."""
    return await asyncio.get_running_loop().run_in_executor(workers(), transcribe, sound)


async def certainty(complete: Complete, turn: Sound) -> float:
    """How sure it is that a turn is complete."""
    return await asyncio.get_running_loop().run_in_executor(workers(), complete, turn)


async def judged(
    transcribe: Transcribe, complete: Complete, piece: Sound, turn: Sound
) -> tuple[str, float]:
    """The words in the newest piece of a turn, and how sure it is that the turn is complete."""
    return await asyncio.gather(written(transcribe, piece), certainty(complete, turn))
