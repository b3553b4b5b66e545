"""A user without a screen: speaks into a conversation, and keeps all that is heard and seen."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from av import AudioFrame, VideoFrame

from bots.eval import visitor
from bots.eval.visitor import PIECE, RATE, own_s, resampler

__all__ = ["LOUD", "PIECE", "RATE", "Sight", "Sound", "Visitor", "own_s"]

# The least of 32768 that can be heard.
LOUD = 400


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


class Visitor(visitor.Visitor):
    """Keeps everything; `token` is what lets in, if needed."""

    def __init__(self, url: str, body: dict[str, Any] | None = None, token: str = "") -> None:
        super().__init__(url, body, token)
        self.sights: list[Sight] = []
        self.sounds: list[Sound] = []
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self._news = asyncio.Event()
        self._resampler = resampler()

    async def until(self, condition: Callable[[], Any], what: str, limit_s: float = 20.0) -> Any:
        """Wait until a condition holds; fails naming what was waited for."""
        async with asyncio.timeout(limit_s) as _:
            try:
                while not (result := condition()):
                    self.raise_if_broken()
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
        self.send_text(json.dumps(message))

    def tell_track(self, *, enabled: bool) -> None:
        """Tell by Pipecat's own message that the microphone is off or on."""
        status = {"type": "trackStatus", "receiver_index": 0, "enabled": enabled}
        self.send_text(json.dumps({"type": "signalling", "message": status}))

    def _opened(self) -> None:
        about = {"library": "visitor", "library_version": "0"}
        self.send("client-ready", {"version": "2.0.0", "about": about})

    def _came(self) -> None:
        self._news.set()

    def _told(self, message: dict[str, Any]) -> None:
        self.messages.append((time.monotonic(), message))

    def _hear(self, frame: AudioFrame) -> None:
        for piece in self._resampler.resample(frame):
            self.sounds.append(Sound(time.monotonic(), piece.to_ndarray()[0]))

    def _see(self, frame: VideoFrame) -> None:
        picture = frame.to_ndarray(format="gray")
        self.sights.append(Sight(time.monotonic(), own_s(frame), picture))
