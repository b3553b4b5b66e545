"""How a face moves by itself: poses, blinks, glances, nods, breath and beats of the head."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, NamedTuple

from puppet.articulation import Shape
from puppet.lips import Lips

FRAME_S = 0.04
State = Literal["idle", "listening", "thinking", "speaking"]


class Manner(NamedTuple):
    """What a state looks like; a change of state fades from one to the other."""

    smile: float
    brow: float
    roll: float
    sway: float
    beat: float


MANNERS: dict[State, Manner] = {
    "idle": Manner(smile=1.0, brow=0.0, roll=0.0, sway=1.0, beat=0.0),
    "listening": Manner(smile=1.0, brow=0.3, roll=2.2, sway=0.6, beat=0.0),
    "thinking": Manner(smile=0.3, brow=0.2, roll=-1.2, sway=0.8, beat=0.0),
    "speaking": Manner(smile=0.0, brow=0.05, roll=0.0, sway=1.25, beat=1.0),
}
FADE = 0.16
# The share of the way that brows and smile go in a picture, and how long who greets smiles.
EXPRESSES, GREETS_S = 0.25, 1.6
# Who blinked less than so long ago does not blink at the end of a phrase.
BLINKS_S = 1.2
# How often the head goes with a frame that sounds strong, and with a syllable known to be.
STRONG, STRESSED = 0.12, 0.35
# A head is drawn anew when something of it has moved by so many pixels.
SEEN_PX = 0.8
SEEN_DIGITS = 2
SHARES = ("open", "width", "close", "bite", "smile", "brow", "lid")
# Between two steps of the pack a fast lid would show twice, so blinks step on the steps.
BLINK = (0.4, 0.75, 1.0, 0.75, 0.4, 0.1)
DOUBLE_BLINK = (0.4, 0.75, 1.0, 0.4, 0.4, 1.0, 0.75, 0.4, 0.1)


@dataclass(frozen=True)
class Pose:
    """What to draw. Angles are degrees; everything else is a share from 0 to 1 unless said."""

    open: float = 0.0
    width: float = 0.0
    """-1 spread .. 1 rounded."""
    close: float = 0.0
    bite: float = 0.0
    smile: float = 0.0
    brow: float = 0.0
    """-1 down .. 1 up."""
    lid: float = 0.0
    """0 open .. 1 down."""
    gaze: tuple[float, ...] = ()
    """Share of each direction the pack can look in; what is missing to 1 looks at the camera."""
    yaw: float = 0.0
    pitch: float = 0.0
    """+ = nodding down."""
    roll: float = 0.0
    breath: float = 0.0
    """-1 out .. 1 in."""


class Reach(NamedTuple):
    """Pixels by which a degree of each angle, or a whole breath, moves what it moves farthest."""

    yaw: float
    pitch: float
    roll: float
    breath: float


class Stance:
    """Leaves out what nobody sees of a motion: what has not moved need not be drawn.

    The head is held as it was until it would be seen, and lips, eyes and brows go in small steps.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._held: Pose | None = None

    def settle(self, pose: Pose) -> Pose:
        """The pose as it is seen."""
        held = self._held
        if held is None or self._moved_px(held, pose) >= SEEN_PX:
            held = self._held = pose
        angles = {name: getattr(held, name) for name in Reach._fields}
        shares = {name: round(getattr(pose, name), SEEN_DIGITS) for name in SHARES}
        gaze = tuple(round(share, SEEN_DIGITS) for share in pose.gaze)
        return replace(pose, gaze=gaze, **angles, **shares)

    def _moved_px(self, held: Pose, pose: Pose) -> float:
        """At most, by anything in the picture."""
        reach = self._reach._asdict().items()
        return sum(abs(getattr(held, name) - getattr(pose, name)) * px for name, px in reach)


class Mouth:
    """Eases the mouth from frame to frame."""

    def __init__(self) -> None:
        self.open = self.width = self.close = self.bite = 0.0

    def follow(self, lips: Lips) -> None:
        """Show what is heard. Closures come at once, everything else within two frames."""
        bite = _ramp(lips.bite, 0.15, 0.48)
        hummed = _ramp(lips.close, 0.09, 0.19) * _ramp(-lips.open, -0.27, -0.19)
        close = max(_ramp(lips.close, 0.17, 0.50), hummed * _clamp(lips.voice)) * (1 - bite)
        opening = _clamp(lips.open * 1.15 - 0.02) * (1 - 0.9 * close) * (1 - 0.6 * bite)
        width = _clamp(lips.width * (1.9 if lips.width > 0 else 1.4), -1.0)
        self.open += 0.85 * (opening - self.open)
        self.width += 0.85 * (width - self.width)
        self.close += (1.0 if close > self.close else 0.85) * (close - self.close)
        self.bite += (1.0 if bite > self.bite else 0.85) * (bite - self.bite)

    def show(self, shape: Shape) -> None:
        """Show a mouth that is on its way already."""
        self.open, self.width, self.close, self.bite = shape[:4]

    def shut(self) -> None:
        """No speech: shut within four frames."""
        self.open = max(0.0, 0.55 * self.open - 0.02)
        self.width *= 0.6
        self.close *= 0.5
        self.bite *= 0.5


class Motion:
    """The pose of every frame. Equal seeds and equal input give equal poses."""

    def __init__(self, gazes: Sequence[tuple[float, float]], seed: int) -> None:
        self._random = Random(seed)
        self._gazes = gazes
        self._mouth = Mouth()
        self._time_s = 0.0
        self._phases = [self._random.uniform(0, 2 * math.pi) for _ in range(8)]
        self._fading = self._manner = MANNERS["idle"]
        self._blink: list[float] = []
        self._next_blink_s = 1.5
        self._gaze = [0.0] * len(gazes)
        self._glance: int | None = None
        self._next_glance_s = 1.0
        self._thinks = False
        self._nod = 1.0
        self._next_nod_s = 2.0
        self._energy = self._usual_energy = 0.0
        self._stress = 0.0
        self._stressed = self._paused = False
        self._asking = self._greeting = 0.0
        self._greets_until_s = self._blinked_s = 0.0

    def greet(self) -> None:
        """Smile for a moment, also while speaking."""
        self._greets_until_s = self._time_s + GREETS_S

    def nod(self) -> None:
        """Begin to nod, unless it nods."""
        if self._nod >= 1:
            self._nod = 0.0

    def step(self, state: State, lips: Shape | Lips | None) -> Pose:
        """The pose 40 ms on, with lips as they are known or read; without any the mouth shuts."""
        self._time_s += FRAME_S
        match lips:
            case None:
                self._mouth.shut()
            case Shape():
                self._mouth.show(lips)
            case Lips():
                self._mouth.follow(lips)
        self._fade(MANNERS[state])
        self._beat(state, lips)
        self._express(lips)
        self._look(state)
        return self._pose(self._blinking(state, lips), self._nodding(state))

    def _pose(self, lid: float, nod: float) -> Pose:
        mouth, manner = self._mouth, self._manner
        stress = math.sin(math.pi * self._stress) ** 2
        beat = manner.beat * (1.1 * (self._energy - self._usual_energy) + 0.5 * stress)
        sway, wave = manner.sway, self._wave
        return Pose(
            open=mouth.open,
            width=max(-1.0, mouth.width - 0.3 * self._greeting * (1 - mouth.close)),
            close=mouth.close,
            bite=mouth.bite,
            smile=_ramp(max(manner.smile, self._greeting), 0.3, 0.7),
            brow=min(1.0, manner.brow + 0.55 * max(stress, self._asking, 0.6 * self._greeting)),
            lid=lid,
            gaze=tuple(self._gaze),
            yaw=sway * (0.45 * wave(0.11, 0) + 0.25 * wave(0.23, 1))
            + manner.beat * 0.35 * wave(0.4, 7),
            pitch=sway * (0.3 * wave(0.13, 2) + 0.15 * wave(0.31, 3)) + 0.9 * nod + beat,
            roll=manner.roll + sway * (0.7 * wave(0.09, 4) + 0.3 * wave(0.21, 5)),
            breath=wave(0.25, 6),
        )

    def _wave(self, hertz: float, phase: int) -> float:
        return math.sin(2 * math.pi * hertz * self._time_s + self._phases[phase])

    def _fade(self, target: Manner) -> None:
        """Two filters in a row: half a second, without a jerk at the start."""
        self._fading = _mix(self._fading, target, FADE)
        self._manner = _mix(self._manner, self._fading, FADE)

    def _beat(self, state: State, lips: Shape | Lips | None) -> None:
        """Follow the energy of speech; now and then stress a strong syllable."""
        self._energy += 0.3 * (self._mouth.open - self._energy)
        self._usual_energy += 0.04 * (self._mouth.open - self._usual_energy)
        self._stress = max(0.0, self._stress - FRAME_S / 0.7)
        if state == "speaking" and self._random.random() < self._strength(lips):
            self._stress = self._stress or 1.0

    def _strength(self, lips: Shape | Lips | None) -> float:
        """How likely the head goes with this frame: with one in a vowel that is stressed."""
        if not isinstance(lips, Shape):
            return STRONG if self._mouth.open - self._usual_energy > 0.38 else 0.0
        before, self._stressed = self._stressed, lips.stress == 1
        return STRESSED if self._stressed and not before else 0.0

    def _express(self, lips: Shape | Lips | None) -> None:
        """Raise the brows with the end of a question, and smile at who is greeted."""
        asks = isinstance(lips, Shape) and lips.asks
        self._asking += EXPRESSES * (asks - self._asking)
        self._greeting += EXPRESSES * ((self._time_s < self._greets_until_s) - self._greeting)

    def _blinking(self, state: State, lips: Shape | Lips | None) -> float:
        pauses = isinstance(lips, Shape) and lips.pauses
        phrased = pauses and not self._paused and self._time_s - self._blinked_s > BLINKS_S
        self._paused = pauses
        if not self._blink and (self._time_s > self._next_blink_s or phrased):
            self._blinked_s = self._time_s
            self._blink = list(BLINK if self._random.random() > 0.15 else DOUBLE_BLINK)
            pause_s = self._random.uniform(2.2, 5.5)
            self._next_blink_s = self._time_s + pause_s * (1.3 if state == "listening" else 1)
        return self._blink.pop(0) if self._blink else 0.0

    def _look(self, state: State) -> None:
        """Jump to a glance and back to the camera; a listener keeps to the camera.

        Who thinks looks away at once, and farther, and back to speak.
        """
        turns_to, self._thinks = self._thinks, state == "thinking"
        turns_away = self._thinks and not turns_to
        turns_to = turns_to and not self._thinks
        if turns_away or turns_to or self._time_s > self._next_glance_s:
            self._glance = None
            often = 0.0 if turns_to or state == "listening" else 0.8 if self._thinks else 0.4
            if turns_away or self._random.random() < often:
                nearer = 2 if self._thinks else -2
                likely = [math.hypot(x, y) ** nearer for x, y in self._gazes]
                self._glance = self._random.choices(range(len(self._gazes)), likely)[0]
            self._next_glance_s = self._time_s + self._random.uniform(0.7, 2.4)
        for index, share in enumerate(self._gaze):
            self._gaze[index] = share + 0.7 * ((index == self._glance) - share)

    def _nodding(self, state: State) -> float:
        """0 .. 1 .. 0 within 0.75 s, every few seconds of listening."""
        if state == "listening" and self._time_s > self._next_nod_s:
            self._nod = 0.0
            self._next_nod_s = self._time_s + self._random.uniform(2.5, 5)
        self._nod = min(1.0, self._nod + FRAME_S / 0.75)
        return math.sin(math.pi * self._nod) ** 2


def _mix(now: Manner, target: Manner, share: float) -> Manner:
    return Manner(*(a + share * (b - a) for a, b in zip(now, target, strict=True)))


def _clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(high, max(low, value))


def _ramp(value: float, low: float, high: float) -> float:
    """0 at low, 1 at high, straight between."""
    return _clamp((value - low) / (high - low))
