"""A face whose every failing can be ordered, in the time of the test."""

import asyncio
from collections import deque

import numpy as np
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    StartFrame,
    SystemFrame,
    TTSAudioRawFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup

RATE = 24_000
PIECE_S = 0.02
PIECE = 2 * round(PIECE_S * RATE)
SIZE = (64, 36)


class Mask(FrameProcessor):
    """Says what it is given after `delay_s`, in pieces of 20 ms, and shows a picture with each.

    `comes_in_s` is how long it takes to set up. What it does wrong: it is `dead` and says so, is
    `mute` and tells nobody, shows no picture (`blind`), black ones, or the same all the time, or is
    `stuck` with what is to go through at once.
    """

    def __init__(self, colour: int, delay_s: float = 0.2, comes_in_s: float = 0.0) -> None:
        super().__init__()
        self.colour = colour
        self.delay_s = delay_s
        self.comes_in_s = comes_in_s
        self.dead = self.mute = self.blind = self.black = self.still = self.stuck = False
        self.refused = self.is_set_up = self.is_closed = False
        self.why = ""
        self.said_s = 0.0
        self.ends_at_s: float | None = None
        self._voice: deque[tuple[float, bytes]] = deque()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._task: asyncio.Task[None] | None = None
        self._pictures = 0

    @property
    def shows_face(self) -> bool:
        """Whether it lives."""
        return self.is_set_up and not self.dead

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Take its time."""
        await super().setup(setup)
        await asyncio.sleep(self.comes_in_s)
        self.is_set_up = True

    async def cleanup(self) -> None:
        """Close."""
        self.is_closed = True
        await self._stop()
        await super().cleanup()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take the voice, pass on the rest."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            due_s = self.get_event_loop().time() + self.delay_s
            for at in range(0, len(frame.audio), PIECE):
                self._voice.append((due_s, frame.audio[at : at + PIECE]))
            self._quiet.clear()
            return
        if self.stuck and isinstance(frame, SystemFrame):
            await asyncio.Event().wait()
        if isinstance(frame, StartFrame):
            self._task = self.create_task(self._show())
        elif isinstance(frame, InterruptionFrame):
            self._voice.clear()
            self._quiet.set()
        elif isinstance(frame, EndFrame):
            await self._quiet.wait()
        if isinstance(frame, EndFrame | CancelFrame):
            await self._stop()
        await self.push_frame(frame, direction)

    async def _stop(self) -> None:
        if self._task:
            task, self._task = self._task, None
            await self.cancel_task(task)

    async def _show(self) -> None:
        while True:
            await asyncio.sleep(PIECE_S)
            if not self.dead:
                await self._step()

    async def _step(self) -> None:
        self._pictures += not self.still
        if not self.blind:
            await self.push_frame(OutputImageRawFrame(self._picture(), SIZE, "RGB"))
        if self._voice and self._voice[0][0] <= self.get_event_loop().time() and not self.mute:
            _, piece = self._voice.popleft()
            self.said_s += PIECE_S
            await self.push_frame(SpeechOutputAudioRawFrame(piece, RATE, 1))
        else:
            await self.push_frame(SpeechOutputAudioRawFrame(bytes(PIECE), RATE, 1))
        if not self._voice:
            self._quiet.set()

    def _picture(self) -> bytes:
        picture = np.full(SIZE[0] * SIZE[1] * 3, 0 if self.black else self.colour, np.uint8)
        picture[:200] = self._pictures % 8 * 5 if not self.black else 0
        return picture.tobytes()
