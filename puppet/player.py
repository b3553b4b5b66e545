"""The player: speech in as it comes, a frame out every 40 ms."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from puppet.face import Painter, prepare
from puppet.motion import Motion, Pose, Stance, State
from puppet.pack import Pack
from puppet.phones import Phone
from puppet.speech import Cue, Speech

FPS = 25
# Nobody is seen to think for longer.
THINKS_FRAMES = 6 * FPS


@dataclass(frozen=True)
class Frame:
    """40 ms of the avatar."""

    data: bytes
    """I420, BT.601 in limited range; the same object as before if nothing has changed."""
    size: tuple[int, int]
    """(width, height) in pixels."""
    audio: bytes | None
    """960 samples, s16le mono 24 kHz, while speaking."""
    state: State
    mouth: float
    """How far the mouth is open in the image: 0 shut .. 1."""

    @property
    def image(self) -> np.ndarray:
        """uint8 (height * 3 // 2, width), I420, read-only."""
        width, height = self.size
        return np.frombuffer(self.data, np.uint8).reshape(height * 3 // 2, width)


@dataclass(frozen=True)
class Step:
    """40 ms before they are drawn, and how many interruptions there had been."""

    pose: Pose
    state: State
    audio: bytes | None
    interruptions: int


class Player:
    """Plays one avatar. `tick()` may run in one thread while another calls everything else.

    The audio is the clock: frame n of an utterance carries its samples 960 n .. 960 n + 959 and
    shows the mouth at their centre. Building a player takes a fraction of a second for the
    first of a pack and size, and little for the next ones.
    """

    def __init__(
        self,
        pack: Pack,
        size: tuple[int, int] = (1280, 720),
        seed: int = 0,
        folder: Path | None = None,
    ) -> None:
        """Size is (width, height) in pixels, both even; a folder keeps what is prepared.

        Raises: SizeError, PackError.
        """
        self._size = size
        face = prepare(pack, size, folder)
        self._painter = Painter(face)
        self._motion = Motion(pack.gazes, seed)
        self._stance = Stance(face.field.reach)
        self._lock = Lock()
        self._queue: deque[Speech] = deque()
        self._articulated: list[Sequence[Phone]] = []
        self._listening = False
        # Pictures for which it still looks as if it thought.
        self._thinking = 0
        self._interruptions = 0
        # The next picture, if it was asked for already whether it has to be drawn.
        self._next_step: Step | None = None

    def speak(self, pcm: bytes) -> None:
        """Append speech: s16le mono 24 kHz, any number of bytes. Starts an utterance if needed."""
        if not pcm:
            return
        with self._lock:
            if not self._flows:
                self._queue.append(Speech())
            self._articulate()
            self._queue[-1].pcm += pcm

    def articulate(self, phones: Sequence[Phone]) -> None:
        """Tell what is articulated, best before its audio; the lips follow it, and not the sound.

        Times count from the end of the audio so far; below zero is what went before.
        """
        with self._lock:
            self._articulated.append(phones)
            if self._flows:
                self._articulate()

    def _articulate(self) -> None:
        for phones in self._articulated:
            self._queue[-1].articulate(phones)
        self._articulated.clear()

    @property
    def _flows(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return bool(self._queue) and not self._queue[-1].ended

    def end(self) -> None:
        """The utterance is complete: play what is left, then leave speaking."""
        with self._lock:
            self._articulated.clear()
            if self._queue:
                self._queue[-1].ended = True

    def interrupt(self) -> None:
        """Drop all speech at once; the mouth is shut within 160 ms."""
        with self._lock:
            self._queue.clear()
            self._articulated.clear()
            self._interruptions += 1

    def nod(self) -> None:
        """Show that something was taken in, whoever speaks."""
        with self._lock:
            self._motion.nod()

    def listen(self, on: bool) -> None:
        """Whether the user speaks: the listening pose, unless the avatar speaks."""
        with self._lock:
            self._listening = on

    def think(self, on: bool) -> None:
        """Whether it is about to answer: the eyes leave, and return before it speaks.

        That is seen until it speaks, and for some seconds at most.
        """
        with self._lock:
            self._thinking = THINKS_FRAMES if on else 0

    def greet(self) -> None:
        """Smile for a moment, also while it speaks."""
        with self._lock:
            self._motion.greet()

    def rest(self) -> bytes:
        """All speech that was not handed out, s16le mono 24 kHz; it is not played any more.

        For whoever goes on without a face.
        """
        with self._lock:
            pcm = b"".join(bytes(utterance.pcm) for utterance in self._queue)
            self._queue.clear()
            self._articulated.clear()
        return pcm

    @property
    def buffered_s(self) -> float:
        """Seconds of audio not yet handed out."""
        with self._lock:
            return sum(utterance.buffered_s for utterance in self._queue)

    @property
    def speaking(self) -> bool:
        """From the first `speak()` of an utterance until its last audio is handed out."""
        with self._lock:
            return any(not utterance.finished for utterance in self._queue)

    def tick(self) -> Frame:
        """The next 40 ms. Never waits; call it 25 times a second, from one thread at a time."""
        step = self._step()
        data = self._painter.draw(step.pose)
        state, audio = self._unless_interrupted(step)
        return Frame(data, self._size, audio, state, step.pose.open)

    def still(self) -> Frame | None:
        """The next 40 ms if they look like those before; if not, `tick()` has to draw them.

        For whoever draws in a thread: this never takes long. To be called where `speak()` and
        `interrupt()` are, and not during a tick.
        """
        if self.speaking:
            return None
        step = self._step()
        data = self._painter.same(step.pose)
        if data is None:
            self._next_step = step
            return None
        return Frame(data, self._size, step.audio, step.state, step.pose.open)

    def skip(self) -> bytes | None:
        """The next 40 ms, unseen: its audio while speaking.

        For whoever is late: drawing takes most of the time of a tick. In silence this is cheap.
        """
        return self._unless_interrupted(self._step())[1]

    def _step(self) -> Step:
        step, self._next_step = self._next_step, None
        if step:
            return step
        with self._lock:
            interruptions = self._interruptions
            self._thinking = max(0, self._thinking - 1)
            state, cue = self._next()
        pose = self._motion.step(state, cue.lips() if cue else None)
        return Step(self._stance.settle(pose), state, cue.audio if cue else None, interruptions)

    def _unless_interrupted(self, step: Step) -> tuple[State, bytes | None]:
        with self._lock:
            if step.interruptions != self._interruptions:
                return self._resting(), None
        return step.state, step.audio

    def _next(self) -> tuple[State, Cue | None]:
        """State and speech of the next frame; the lock is held."""
        while self._queue and self._queue[0].finished:
            self._queue.popleft()
        if not self._queue:
            return self._resting(), None
        cue = self._queue[0].next_cue()
        return ("speaking" if self._queue[0].started else self._resting()), cue

    def _resting(self) -> State:
        if self._listening:
            return "listening"
        return "thinking" if self._thinking else "idle"
