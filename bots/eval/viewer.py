"""A visitor who looks on: keeps how loud the voice is, and a small picture of each frame."""

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

from bots.eval.curve import HUSH, Curve, loudness, vowels
from bots.eval.sighting import PIXELS, Sighting
from bots.eval.stream import CLOCKS_HZ, Stream
from bots.eval.visitor import Visitor, luma, own_s, resampler, samples

# What can be heard, in log10 of full scale.
HEARD = -1.9
# An interruption is one of what was heard so shortly before, in seconds.
JUST_HEARD_S = 0.6


class Viewer(Visitor):
    """Looks, listens, and hands on what it is told.

    `told` gets every RTVI message, `heard` each piece of the voice as s16le mono 16 kHz. It keeps
    what is heard and seen in the first `looks_s` seconds.
    """

    def __init__(
        self,
        url: str,
        token: str,
        told: Callable[[dict[str, Any]], None],
        heard: Callable[[bytes], None],
        looks_s: float,
    ) -> None:
        super().__init__(url, token=token)
        self._looks_s = looks_s
        self.on_told, self.on_heard = told, heard
        self.began_s = time.monotonic()
        self.last_heard_s = 0.0
        """When the voice was last heard, in monotonic seconds; 0 if never."""
        self._sound, self._picture = (Stream(rate) for rate in CLOCKS_HZ.values())
        self._pictures: list[np.ndarray] = []
        self._picture_own_s: list[float] = []
        self._sizes: list[tuple[float, tuple[int, int]]] = []
        self._voices: list[Curve] = []
        self._vowels: list[np.ndarray] = []
        self._interruptions_s: list[float] = []
        self._speaks = False
        self._unsent: list[str] = []
        self._resampler = resampler()

    @property
    def now_s(self) -> float:
        """The second of the conversation."""
        return time.monotonic() - self.began_s

    @property
    def _looks(self) -> bool:
        return self.now_s < self._looks_s

    @property
    def _breaks_in(self) -> bool:
        return self._speaks and time.monotonic() - self.last_heard_s < JUST_HEARD_S

    def send_text(self, message: str) -> None:
        """Send a message, once that is possible."""
        if self._channel.readyState == "open":
            super().send_text(message)
        else:
            self._unsent.append(message)

    def _opened(self) -> None:
        for message in self._unsent:
            self._channel.send(message)
        self._unsent.clear()

    def _told(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "bot-started-speaking":
                self._speaks = True
            case "bot-stopped-speaking":
                self._speaks = False
            case "bot-interrupted" if self._breaks_in and self._looks:
                self._interruptions_s.append(self.now_s)
        self.on_told(message)

    def _track(self, track: MediaStreamTrack) -> None:
        stream = self._sound if track.kind == "audio" else self._picture
        stream.attach(self._peer, track, lambda: self._looks)
        super()._track(track)

    def _hear(self, frame: AudioFrame) -> None:
        sound, rate = samples(frame), frame.sample_rate
        heard = loudness(sound, rate)
        if self._looks:
            self._voices.append(Curve(heard.at_s + own_s(frame), heard.much))
            self._vowels.append(vowels(sound, rate).much)
        if heard.much.max(initial=np.log10(HUSH)) > HEARD:
            self.last_heard_s = time.monotonic()
        for piece in self._resampler.resample(frame):
            self.on_heard(piece.to_ndarray().tobytes())

    def _see(self, frame: VideoFrame) -> None:
        if not self._looks:
            return
        size = (frame.width, frame.height)
        if not self._sizes or self._sizes[-1][1] != size:
            self._sizes.append((self.now_s, size))
        self._pictures.append(smaller(luma(frame)))
        self._picture_own_s.append(own_s(frame))

    def sighting(self) -> Sighting:
        """What was heard and seen so far."""
        picture_own_s = np.array(self._picture_own_s)
        shown_s = self._picture.came(picture_own_s) - self.began_s
        voice_own_s = np.concatenate([v.at_s for v in self._voices] or [np.zeros(0)])
        much = np.concatenate([v.much for v in self._voices] or [np.zeros(0)])
        came_s = self._sound.came(voice_own_s) - self.began_s
        told = self._sound.tells and self._picture.tells
        return Sighting(
            pictures=_alike(self._pictures),
            came_s=shown_s,
            belongs_s=self._picture.day(picture_own_s) if told else shown_s,
            sizes=list(self._sizes),
            voice=Curve(came_s, much),
            vowels=np.concatenate(self._vowels or [np.zeros(0)]),
            voice_belongs_s=self._sound.day(voice_own_s) if told else came_s,
            interruptions_s=list(self._interruptions_s),
            ended_s=min(self.now_s, self._looks_s),
        )


def smaller(luma: np.ndarray) -> np.ndarray:
    """A picture's luma as it is kept, uint8 (height, width), of about PIXELS."""
    scale = (PIXELS / luma.size) ** 0.5
    height, width = (max(1, round(scale * side)) for side in luma.shape)
    return cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)


def _alike(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one shape, that of the last: uint8 (number, height, width)."""
    if not pictures:
        return np.zeros((0, 1, 1), np.uint8)
    shape = pictures[-1].shape[::-1]
    return np.stack([p if p.shape[::-1] == shape else cv2.resize(p, shape) for p in pictures])
