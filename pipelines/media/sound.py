"""Sound on its way out over WebRTC: no silence is put into a voice."""

import asyncio
import contextlib
from fractions import Fraction

from av import Packet
from pipecat.transports.smallwebrtc import transport
from pipecat.transports.smallwebrtc.transport import RawAudioTrack

from pipelines.media import opus

# More of the voice is under way for this long at most when an event loop that was held up goes on.
PATIENCE_S = 0.1
PIECES = 2  # of 10 ms, in a packet


class VoiceTrack(RawAudioTrack):
    """A WebRTC audio track of what it is given, and of silence after it.

    Pipecat's own plays silence for each piece that is due and not there yet. When the event loop
    was late that is within a word, and all that follows is later by it for as long as the avatar
    speaks. This one sends the piece when it comes, and makes up for it with the next ones.
    """

    def __init__(self, sample_rate: int, auto_silence: bool = True) -> None:
        super().__init__(sample_rate, auto_silence)
        self._begun_s: float | None = None
        self._came = asyncio.Event()
        self._goes_on = False
        self._silence = bytes(2 * self._samples_per_10ms)

    def add_audio_bytes(self, audio_bytes: bytes) -> asyncio.Future[bool]:
        """Send this next; done when the last piece of it is on its way."""
        sent = super().add_audio_bytes(audio_bytes)
        self._came.set()
        return sent

    async def recv(self) -> Packet:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The next 20 ms, s16le mono, when the last of them is due; `opus.py` encodes it.

        That is a packet: what would come in parts would be encoded for each, and not sooner.
        """
        begun = self._timestamp
        if not self._chunk_queue and not self._goes_on and self._in_s() > 0:
            await asyncio.sleep(self._in_s((PIECES - 1) * self._samples_per_10ms))
        packet = Packet(b"".join([await self._piece() for _ in range(PIECES)]))
        packet.pts, packet.time_base = begun, Fraction(1, self._sample_rate)
        return packet

    async def _piece(self) -> bytes:
        await self._due()
        if not self._chunk_queue and (self._goes_on or not self._auto_silence):
            await self._wait(PATIENCE_S if self._auto_silence else None)
        self._goes_on = bool(self._chunk_queue)
        self._timestamp += self._samples_per_10ms
        return self._next()

    async def _due(self) -> None:
        await asyncio.sleep(self._in_s())

    def _in_s(self, later: int = 0) -> float:
        """In how many seconds what comes so many samples later is due."""
        now_s = asyncio.get_running_loop().time()
        self._begun_s = now_s if self._begun_s is None else self._begun_s
        return self._begun_s + (self._timestamp + later) / self._sample_rate - now_s

    async def _wait(self, longest_s: float | None) -> None:
        self._came.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), longest_s)

    def _next(self) -> bytes:
        if not self._chunk_queue:
            return self._silence
        piece, sent = self._chunk_queue.popleft()
        if sent and not sent.done():
            sent.set_result(True)
        return piece


def install() -> None:
    """Let Pipecat's WebRTC transports of this process use it."""
    transport.RawAudioTrack = VoiceTrack
    opus.install()
