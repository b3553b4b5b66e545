"""Several microphones as one, by the mixer that Pipecat's LiveKit transport keeps to itself."""

from pipecat.transports.livekit.transport import _ParticipantAudioMixer

RATE = 16_000
PIECE_MS = 20
# Who is so far behind the others is not waited for until sound comes from there again.
LATE_MS = 100


class Mixer(_ParticipantAudioMixer):
    """Adds sounds up: s16le mono, 16 kHz, in whole pieces of 20 ms."""

    def __init__(self) -> None:
        super().__init__(sample_rate=RATE, num_channels=1, chunk_ms=PIECE_MS, max_wait_ms=LATE_MS)

    def hear(self, who: str, pcm: bytes) -> bytes:
        """Take some sound; what is complete by now, which may be nothing."""
        return b"".join(self.add(who, pcm))

    def forget(self, who: str) -> None:
        """Somebody's microphone is gone."""
        self._buffers.pop(who, None)
