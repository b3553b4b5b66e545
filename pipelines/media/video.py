"""Video frames on their way out: the newest wins, no queue can grow."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from fractions import Fraction

import cv2
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import Packet, VideoFrame
from av.video.reformatter import VideoReformatter
from loguru import logger
from pipecat.frames.frames import CancelFrame, EndFrame, Frame, OutputImageRawFrame, StartFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipelines.media.again import AGAIN
from pipelines.media.view import UNSEEN_S, View, ViewFrame, frame_of, shrunk

VIDEO_CLOCK = 90_000
# Of pictures that are the same so many are encoded once: it is what a new viewer waits for.
LONGEST_AGAIN = 6


class Newest:
    """A place for one picture: a new one replaces the one that waits."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._waiting: tuple[OutputImageRawFrame, float] | None = None
        self.replaced = 0
        self.shown = asyncio.Event()

    def put(self, picture: OutputImageRawFrame) -> None:
        """Leave a picture, stamped with the time it came."""
        self.replaced += self._waiting is not None
        self._waiting = (picture, time.monotonic())
        self._arrived.set()

    def forget(self) -> None:
        """Leave no picture waiting."""
        self._waiting = None

    async def take(self) -> tuple[OutputImageRawFrame, float]:
        """Wait for the newest picture; returns it and its time in seconds."""
        while self._waiting is None:
            self._arrived.clear()
            await self._arrived.wait()
        taken, self._waiting = self._waiting, None
        self.shown.set()
        return taken


class FaceTrack(MediaStreamTrack):
    """A WebRTC video track that shows the newest picture, stamped with its real time.

    Pipecat's own track stamps every picture 1/30 s apart and queues without bound.
    """

    kind = "video"

    def __init__(self, newest: Newest | None = None, view: View | None = None) -> None:
        super().__init__()
        self.newest = newest or Newest()
        self._view = view or View()
        self._sent_s = -math.inf
        self._start_s: float | None = None
        self._reformatter = VideoReformatter()
        self._last: bytes | None = None
        self._size = (0, 0)
        self._repeated = 0

    async def recv(self) -> VideoFrame | Packet:
        """The next picture to encode, I420, or `again` if it is the same as before."""
        while self.readyState == "live":
            picture, at_s = await self.newest.take()
            if not self._view.seen and at_s - self._sent_s < UNSEEN_S:
                continue
            self._sent_s = at_s
            # An error here would end the track for good.
            try:
                return self._stamped(self._frame(picture), at_s)
            except ValueError as error:
                logger.error(f"A picture of {picture.size} {picture.format} is left out: {error}")
        raise MediaStreamError

    def _frame(self, picture: OutputImageRawFrame) -> VideoFrame | Packet:
        """What is to be encoded, or nothing at all for the same picture."""
        size = self._view.fitted(picture.size)
        same = picture.image is self._last and size == self._size
        self._repeated = self._repeated + 1 if same else 0
        # A viewer that asks for a whole picture gets it with the next one that is encoded.
        if self._repeated % LONGEST_AGAIN:
            return Packet(AGAIN)
        frame = self._video_frame(picture, size)
        self._last, self._size = picture.image, size
        return frame

    def _stamped(self, frame: VideoFrame | Packet, at_s: float) -> VideoFrame | Packet:
        self._start_s = at_s if self._start_s is None else self._start_s
        frame.pts = int((at_s - self._start_s) * VIDEO_CLOCK)
        frame.time_base = Fraction(1, VIDEO_CLOCK)
        return frame

    def _video_frame(self, picture: OutputImageRawFrame, size: tuple[int, int]) -> VideoFrame:
        width, height = picture.size
        if picture.format == "I420":
            planes = np.frombuffer(picture.image, np.uint8).reshape(height * 3 // 2, width)
            return frame_of(shrunk(planes, size))
        rgb = np.frombuffer(picture.image, np.uint8).reshape(height, width, 3)
        frame = VideoFrame.from_ndarray(rgb, format="rgb24")
        return self._reformatter.reformat(frame, *size, format="yuv420p", threads=1)


class ToTrack(FrameProcessor):
    """Gives every picture to a FaceTrack, through its `newest`, instead of the transport."""

    def __init__(self, newest: Newest, view: View | None = None) -> None:
        super().__init__(enable_direct_mode=True)
        self._newest = newest
        self._view = view or View()

    async def look(self, width: int, height: int) -> None:
        """The viewer shows the picture in so many device pixels; in none if nobody sees it."""
        seen = self._view.seen
        self._view.look(width, height)
        if self._view.seen != seen:
            await self.push_frame(ViewFrame(self._view.seen), FrameDirection.UPSTREAM)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take pictures out of the stream."""
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputImageRawFrame):
            self._newest.put(frame)
        else:
            await self.push_frame(frame, direction)


class ToRoom(FrameProcessor):
    """Writes the newest picture to a room's camera, as RGB of the room's size.

    The transport's own video path queues without bound, or draws to a timer of its own.
    """

    def __init__(
        self, write: Callable[[OutputImageRawFrame], Awaitable[bool]], size: tuple[int, int]
    ) -> None:
        super().__init__()
        self._write = write
        self._size = size
        self.newest = Newest()
        self._task: asyncio.Task[None] | None = None
        self._last: OutputImageRawFrame | None = None
        self._rgb: OutputImageRawFrame | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take pictures out of the stream."""
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputImageRawFrame):
            self.newest.put(frame)
            return
        if isinstance(frame, StartFrame) and not self._task:
            self._task = self.create_task(self._write_newest())
        elif isinstance(frame, EndFrame | CancelFrame):
            await self._stop()
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        """Stop writing."""
        await super().cleanup()
        await self._stop()

    async def _stop(self) -> None:
        if self._task:
            task, self._task = self._task, None
            await self.cancel_task(task)

    async def _write_newest(self) -> None:
        """Write picture by picture; after one that cannot be written comes the next."""
        failed = False
        while True:
            picture, _ = await self.newest.take()
            (written,) = await asyncio.gather(self._write_one(picture), return_exceptions=True)
            if isinstance(written, Exception) and not failed:
                await self.push_error(f"A picture cannot be shown in the room: {written!r}")
            failed = isinstance(written, Exception)

    async def _write_one(self, picture: OutputImageRawFrame) -> None:
        if not (self._rgb and self._last and self._last.image is picture.image):
            self._last, self._rgb = picture, as_rgb(picture, self._size)
        await self._write(self._rgb)


def as_rgb(picture: OutputImageRawFrame, size: tuple[int, int]) -> OutputImageRawFrame:
    """The picture as RGB; one of another size is fitted into `size`, (width, height), whole."""
    if picture.format == "RGB" and picture.size == size:
        return picture
    width, height = picture.size
    if picture.format == "I420":
        planes = np.frombuffer(picture.image, np.uint8).reshape(height * 3 // 2, width)
        rgb = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
    else:
        rgb = np.frombuffer(picture.image, np.uint8).reshape(height, width, 3)
    return OutputImageRawFrame(_fitted(rgb, size).tobytes(), size, "RGB")


def _fitted(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = rgb.shape[:2]
    if (width, height) == size:
        return rgb
    scale = min(size[0] / width, size[1] / height)
    fitted = (round(width * scale), round(height * scale))
    left, top = (size[0] - fitted[0]) // 2, (size[1] - fitted[1]) // 2
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas[top : top + fitted[1], left : left + fitted[0]] = cv2.resize(
        rgb, fitted, interpolation=cv2.INTER_AREA
    )
    return canvas
