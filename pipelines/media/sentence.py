"""A sentence as somebody says it, to find out what it takes to hear it, say it and show it."""

from pathlib import Path

import av
import numpy as np

TEXT = "Could you tell me how all of this works, and what I need to run it on my own computer?"
FILE = Path(__file__).with_name("sentence.ogg")


def spoken(rate: int) -> bytes:
    """The sentence: s16le mono at `rate` Hz."""
    resampler = av.AudioResampler("s16", "mono", rate)
    with av.open(FILE) as container:
        decoded = [*container.decode(audio=0), None]  # None brings what the resampler still holds
        frames = [frame for each in decoded for frame in resampler.resample(each)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).tobytes()
