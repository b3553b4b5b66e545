"""A user without a screen: speaks into a conversation, and keeps all that is heard and seen."""

import asyncio
import fractions
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler, VideoFrame

RATE = 16_000
PIECE = RATE // 50
# The least of 32768 that can be heard.
LOUD = 400


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


@dataclass
class Sight:
    """One received picture: when (seconds, monotonic), its RTP time in seconds, its luma."""

    at_s: float
    rtp_s: float
    picture: np.ndarray = field(repr=False)


@dataclass
class Sound:
    """20 ms of received sound: when (seconds, monotonic) and samples, mono 16 kHz."""

    at_s: float
    samples: np.ndarray = field(repr=False)

    @property
    def loud(self) -> bool:
        """Whether it can be heard."""
        return bool(np.abs(self.samples).max(initial=0) > LOUD)


class Visitor:
    """Joins a conversation over WebRTC as a browser would; `token` is what lets in, if needed."""

    def __init__(self, url: str, body: dict[str, Any] | None = None, token: str = "") -> None:
        self._url = url
        self._body = body or {}
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.started: dict[str, Any] = {}
        self.microphone = Microphone()
        self.sights: list[Sight] = []
        self.sounds: list[Sound] = []
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self.over = asyncio.Event()
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._resampler = AudioResampler("s16", "mono", RATE)
        self._peer = RTCPeerConnection()
        self._channel = self._peer.createDataChannel("rtvi", ordered=True)

    async def __aenter__(self) -> Self:
        self._peer.addTrack(self.microphone)
        self._peer.addTransceiver("video", direction="recvonly")
        self._peer.on("track", self._track)
        self._channel.on("message", self._message)
        self._channel.on("open", self._opened)
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
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._peer.close()

    async def until(self, condition: Callable[[], Any], what: str, limit_s: float = 20.0) -> Any:
        """Wait until a condition holds; fails naming what was waited for."""
        async with asyncio.timeout(limit_s) as _:
            try:
                while not (result := condition()):
                    self._raise_if_broken()
                    self._news.clear()
                    await self._news.wait()
                return result
            except asyncio.CancelledError:
                seen = [message.get("type") for _, message in self.messages]
                raise AssertionError(f"waited {limit_s} s for {what}; messages: {seen}") from None

    async def hushed(self, since_s: float) -> float:
        """Wait until the avatar has spoken since then and been quiet for 1.5 s; when it ended.

        Its own "stopped speaking" may come in a pause between two sentences.
        """

        def loud() -> list[float]:
            return [sound.at_s for sound in self.sounds if sound.loud and sound.at_s > since_s]

        await self.until(loud, "the avatar's voice", 30)
        await self.until(lambda: self.sounds[-1].at_s - loud()[-1] > 1.5, "its end", 60)
        return loud()[-1]

    def _raise_if_broken(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    def received(self, kind: str, since_s: float = 0.0) -> list[dict[str, Any]]:
        """The data of every RTVI message of a kind."""
        return [
            m.get("data") or {} for at, m in self.messages if m["type"] == kind and at > since_s
        ]

    def told(self, since_s: float = 0.0) -> list[tuple[str, float]]:
        """The avatar's words as captions show them, and when each was told to be spoken."""
        words: list[tuple[str, float]] = []
        before: dict[int, int] = {}
        for at, message in self.messages:
            progress = (message.get("data") or {}).get("spoken_progress")
            if message["type"] != "bot-output" or not progress:
                continue
            spoken, segment = progress["accumulated_text"].split(), message["data"]["segment_id"]
            words += [(word, at) for word in spoken[before.get(segment, 0) :] if at > since_s]
            # A segment may be announced, without a word, after its first ones were told.
            before[segment] = max(before.get(segment, 0), len(spoken))
        return words

    def send(self, kind: str, data: dict[str, Any]) -> None:
        """Send an RTVI message."""
        message = {"label": "rtvi-ai", "id": f"m{len(self.messages)}", "type": kind, "data": data}
        self._channel.send(json.dumps(message))

    def tell_track(self, *, enabled: bool) -> None:
        """Tell by Pipecat's own message that the microphone is off or on."""
        status = {"type": "trackStatus", "receiver_index": 0, "enabled": enabled}
        self._channel.send(json.dumps({"type": "signalling", "message": status}))

    def _opened(self) -> None:
        about = {"library": "visitor", "library_version": "0"}
        self.send("client-ready", {"version": "2.0.0", "about": about})

    def _message(self, text: str) -> None:
        message = json.loads(text)
        if message.get("type") == "signalling":
            if (message.get("message") or {}).get("type") == "peerLeft":
                self.over.set()
        else:
            self.messages.append((time.monotonic(), message))
        self._news.set()

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
            else:
                assert isinstance(frame, VideoFrame)
                self._see(frame)
            self._news.set()

    def _hear(self, frame: AudioFrame) -> None:
        for piece in self._resampler.resample(frame):
            self.sounds.append(Sound(time.monotonic(), piece.to_ndarray()[0]))

    def _see(self, frame: VideoFrame) -> None:
        picture = frame.to_ndarray(format="gray")
        self.sights.append(Sight(time.monotonic(), own_s(frame), picture))


def own_s(frame: AudioFrame | VideoFrame) -> float:
    """When a frame is due by the clock of its stream, in seconds."""
    assert frame.pts is not None and frame.time_base
    return float(frame.pts * frame.time_base)
