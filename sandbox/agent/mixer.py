"""Several microphones as one."""

import numpy as np

RATE = 16_000
PIECE_BYTES = 2 * RATE // 50
# Who is so far behind the others is not waited for until sound comes from there again.
LATE_BYTES = 5 * PIECE_BYTES


class Mixer:
    """Adds sounds up: s16le mono, 16 kHz, in whole pieces of 20 ms."""

    def __init__(self) -> None:
        self._waiting: dict[str, bytearray] = {}

    def hear(self, who: str, pcm: bytes) -> bytes:
        """Take some sound; what is complete by now, which may be nothing."""
        self._waiting.setdefault(who, bytearray()).extend(pcm)
        lengths = [len(waiting) for waiting in self._waiting.values()]
        late = max(lengths) >= LATE_BYTES
        size = (max(lengths) if late else min(lengths)) // PIECE_BYTES * PIECE_BYTES
        if late:
            self._waiting = {w: waiting for w, waiting in self._waiting.items() if waiting}
        return self._take(size) if size else b""

    def forget(self, who: str) -> None:
        """Somebody's microphone is gone."""
        self._waiting.pop(who, None)

    def _take(self, size: int) -> bytes:
        taken = [bytes(waiting[:size]).ljust(size, b"\0") for waiting in self._waiting.values()]
        for waiting in self._waiting.values():
            del waiting[:size]
        if len(taken) == 1:
            return taken[0]
        sums = sum(np.frombuffer(pcm, "<i2").astype(np.int32) for pcm in taken)
        return np.clip(sums, -32768, 32767).astype("<i2").tobytes()
