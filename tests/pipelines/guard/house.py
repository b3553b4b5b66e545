"""A house for a guarded face: voice goes in, and what a user would hear and see is kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    OutputTransportReadyFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.utils.text.base_text_aggregator import TextType
from pipecat.workers.runner import WorkerRunner

from pipelines.guard.cast import Cast
from pipelines.guard.face import FaceGuard
from tests.pipelines.guard.mask import PIECE, PIECE_S, RATE, Mask
from tests.pipelines.turns.clock import RoomClock, room_loop

STEP_S = 0.02
FACE, PUPPET, PORTRAIT = 100, 150, 200
NAMES = {FACE: "face", PUPPET: "puppet", PORTRAIT: "portrait"}


class Audience(FrameProcessor):
    """Keeps what comes, with its time."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, Frame]] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note it."""
        await super().process_frame(frame, direction)
        self.seen.append((room_loop().time(), frame))
        await self.push_frame(frame, direction)


class House:
    """What goes on around the guard. `faces` were built so far, the newest last."""

    def __init__(
        self, rolls_over: bool, guard: Callable[[Cast], FaceGuard] = FaceGuard, **face: Any
    ) -> None:
        self.loop = room_loop()
        self.faces: list[Mask] = []
        self.stand_ins: list[Mask] = []
        self.audience = Audience()
        self.why: list[str] = []
        self.stand_in_takes_s = 0.0
        self.stand_in_breaks = False
        self.next_face: dict[str, Any] = face
        self._said = 0
        stand_ins = [lambda: self._stands_in(PUPPET), lambda: self._stands_in(PORTRAIT)]
        self.guard = guard(Cast(self._face, stand_ins, rolls_over))
        self.guard.add_event_handler("on_face_lost", self._lost)
        self.worker = PipelineWorker(
            Pipeline([self.guard, self.audience]),
            params=PipelineParams(),
            clock=RoomClock(self.loop),
            idle_timeout_secs=None,
            enable_rtvi=False,
        )

    async def _lost(self, _guard: Any, why: str) -> None:
        self.why.append(why)

    def _face(self) -> Mask:
        made = dict(self.next_face)
        lasts_s = made.pop("lasts_s", None)
        wrong = {name: made.pop(name) for name in list(made) if name in vars(Mask(0))}
        face = Mask(FACE, **{k: v for k, v in wrong.items() if k in ("delay_s", "comes_in_s")})
        for name, value in wrong.items():
            setattr(face, name, value)
        face.ends_at_s = self.loop.now_s + lasts_s if lasts_s else None
        self.faces.append(face)
        return face

    def _stands_in(self, colour: int) -> Mask:
        assert not self.stand_in_breaks, "it cannot be built"
        self.stand_ins.append(Mask(colour, delay_s=0.0, comes_in_s=self.stand_in_takes_s))
        return self.stand_ins[-1]

    async def say(self, seconds: float, *words: float) -> list[int]:
        """Give the guard an utterance with words at some seconds of it; its pieces, by number."""
        now_ns = round(self.loop.now_s * 1e9)
        count = round(seconds / PIECE_S)
        numbers = list(range(self._said + 1, self._said + count + 1))
        self._said += count
        pcm = b"".join(np.full(PIECE // 2, 1000 + n, np.int16).tobytes() for n in numbers)
        told = [TTSTextFrame(f"{at_s}", TextType.WORD) for at_s in words]
        for frame, at_s in zip(told, words, strict=True):
            frame.pts = now_ns + round(at_s * 1e9)
        second = 2 * RATE
        voice = [
            TTSAudioRawFrame(pcm[at : at + second], RATE, 1) for at in range(0, len(pcm), second)
        ]
        await self.worker.queue_frames([TTSStartedFrame(), *voice, *told, TTSStoppedFrame()])
        return numbers

    @property
    def heard(self) -> list[int]:
        """The pieces that were heard, by number."""
        sounds = [f.audio for _, f in self.audience.seen if isinstance(f, OutputAudioRawFrame)]
        samples = np.frombuffer(b"".join(sounds), np.int16)
        numbers = samples[:: PIECE // 2].astype(int) - 1000
        return [int(number) for number in numbers if number > 0]

    def heard_at(self, number: int) -> float:
        """When a piece was heard."""
        for at_s, frame in self.audience.seen:
            if isinstance(frame, OutputAudioRawFrame):
                if number + 1000 in np.frombuffer(frame.audio, np.int16):
                    return at_s
        raise AssertionError(f"{number} was not heard")

    @property
    def words(self) -> list[str]:
        """The words that were let go."""
        return [f.text for _, f in self.audience.seen if isinstance(f, TTSTextFrame)]

    @property
    def shown(self) -> str:
        """Whose picture came last, within half a second."""
        for at_s, frame in reversed(self.audience.seen):
            if self.loop.now_s - at_s > 0.5:
                break
            if isinstance(frame, OutputImageRawFrame):
                return NAMES.get(frame.image[-1], "black")
        return "nobody"

    @property
    def told(self) -> list[dict[str, Any]]:
        """What the page was told."""
        return [f.data for _, f in self.audience.seen if isinstance(f, RTVIServerMessageFrame)]

    async def step(self) -> None:
        """Let 20 ms pass."""
        self.loop.now_s += STEP_S
        await self.loop.settle()

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.loop.now_s + seconds
        while self.loop.now_s < end_s:
            await self.step()

    async def until(self, condition: Callable[[], Any], what: str, limit_s: float = 10) -> float:
        """Let time pass until something holds; how long that took."""
        start_s = self.loop.now_s
        while not condition():
            assert self.loop.now_s < start_s + limit_s, f"waited for {what}: {self.told} {self.why}"
            await self.step()
        return self.loop.now_s - start_s


@asynccontextmanager
async def open_house(rolls_over: bool = True, **face: Any) -> AsyncIterator[House]:
    """Run the guard until the block ends; then nothing of any face is left open."""
    house = House(rolls_over, **face)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(house.worker)
    running = asyncio.create_task(runner.run())
    started = asyncio.Event()
    house.worker.add_event_handler("on_pipeline_started", lambda *_: started.set())
    try:
        while not started.is_set():
            await house.step()
        await house.worker.queue_frame(OutputTransportReadyFrame())
        yield house
    finally:
        await house.worker.queue_frame(EndFrame())
        while not running.done():
            await house.step()
    assert all(face.is_closed for face in [*house.faces, *house.stand_ins])
