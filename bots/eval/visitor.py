"""Joins a conversation over WebRTC as a browser does: speaks, types, hears and sees."""

import asyncio
import fractions
import json
import time
from types import TracebackType
from typing import Any, Self

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler, VideoFrame

RATE = 16_000
PIECE = RATE // 50


class Microphone(MediaStreamTrack):
    """Speaks what it is given at real pace, and silence otherwise. PCM is s16le mono 16 kHz.

    `noise_rms` is the level of the room's noise, of 32768.
    """

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._pcm = bytearray()
        self._start_s: float | None = None
        self._pieces = 0
        self.quiet = asyncio.Event()
        self.quiet_at_s = 0.0
        self.noise_rms = 0.0
        self._chance = np.random.default_rng(1)

    @property
    def speaks(self) -> bool:
        """Whether something is still to be said."""
        return bool(self._pcm)

    def say(self, pcm: bytes) -> None:
        """Begin to say something."""
        self._pcm += pcm
        self.quiet.clear()

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        self._start_s = self._start_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._start_s + self._pieces * 0.02 - time.monotonic()))
        piece = bytes(self._pcm[: 2 * PIECE]).ljust(2 * PIECE, b"\0")
        if self._pcm and len(self._pcm) <= 2 * PIECE:
            self.quiet.set()
            self.quiet_at_s = time.monotonic()
        del self._pcm[: 2 * PIECE]
        sound = np.frombuffer(piece, np.int16)
        if self.noise_rms:
            noisy = sound + self._chance.normal(size=PIECE) * self.noise_rms
            sound = noisy.clip(-32768, 32767).astype(np.int16)
        frame = AudioFrame.from_ndarray(sound[None, :], layout="mono")
        frame.sample_rate, frame.pts = RATE, self._pieces * PIECE
        frame.time_base = fractions.Fraction(1, RATE)
        self._pieces += 1
        return frame


class Visitor:
    """Joins a conversation; `token` is what lets in, if needed.

    A subclass says what becomes of what is heard, seen and told.
    """

    def __init__(self, url: str, body: dict[str, Any] | None = None, token: str = "") -> None:
        self._url = url
        self._body = body or {}
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.started: dict[str, Any] = {}
        self.microphone = Microphone()
        self.over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._peer = RTCPeerConnection()
        self._channel = self._peer.createDataChannel("rtvi", ordered=True)

    async def __aenter__(self) -> Self:
        self._peer.addTrack(self.microphone)
        self._peer.addTransceiver("video", direction="recvonly")
        self._peer.on("track", self._track)
        self._channel.on("message", self._message)
        self._channel.on("open", self._opened)
        try:
            await self._join()
        except BaseException:
            await self._peer.close()
            raise
        return self

    async def _join(self) -> None:
        await self._peer.setLocalDescription(await self._peer.createOffer())
        async with aiohttp.ClientSession(raise_for_status=True, headers=self._headers) as http:
            start = {"transport": "webrtc", "body": self._body}
            async with http.post(f"{self._url}/start", json=start) as response:
                self.started = await response.json()
                session = self.started["sessionId"]
            offer = {"sdp": self._peer.localDescription.sdp, "type": "offer"}
            url = f"{self._url}/sessions/{session}/api/offer"
            async with http.post(url, json=offer) as response:
                answer = await response.json()
        await self._peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._peer.close()

    def raise_if_broken(self) -> None:
        """Raise what went wrong while something was taken in."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    def send(self, kind: str, data: dict[str, Any]) -> None:
        """Send an RTVI message."""
        self.send_text(json.dumps({"label": "rtvi-ai", "id": "m", "type": kind, "data": data}))

    def send_text(self, message: str) -> None:
        """Send a message as it is."""
        self._channel.send(message)

    def _opened(self) -> None:
        """Messages can be sent."""

    def _told(self, message: dict[str, Any]) -> None:
        """An RTVI message came."""

    def _hear(self, frame: AudioFrame) -> None:
        """A piece of sound came."""

    def _see(self, frame: VideoFrame) -> None:
        """A picture came."""

    def _came(self) -> None:
        """Any of these was taken in."""

    def _message(self, text: str) -> None:
        message = json.loads(text)
        if message.get("type") != "signalling":
            self._told(message)
        elif (message.get("message") or {}).get("type") == "peerLeft":
            self.over.set()
        self._came()

    def _track(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._follow(track)))

    async def _follow(self, track: MediaStreamTrack) -> None:
        """Take in what comes of a track until it ends."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, AudioFrame):
                self._hear(frame)
            elif isinstance(frame, VideoFrame):
                self._see(frame)
            self._came()


def resampler() -> AudioResampler:
    """What makes sound s16 mono 16 kHz."""
    return AudioResampler("s16", "mono", RATE)


def own_s(frame: AudioFrame | VideoFrame) -> float:
    """When a frame is due by the clock of its stream, in seconds."""
    assert frame.pts is not None and frame.time_base
    return float(frame.pts * frame.time_base)


def samples(frame: AudioFrame) -> np.ndarray:
    """The left channel, int16."""
    return frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]


def luma(frame: VideoFrame) -> np.ndarray:
    """How bright it is, uint8 (height, width)."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]
