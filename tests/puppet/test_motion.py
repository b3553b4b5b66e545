"""Poses over time."""

import numpy as np
import pytest

from puppet.articulation import SHUT, Shape
from puppet.lips import Lips
from puppet.motion import Motion, Pose, State

GAZES = ((-1.0, 0.0), (-0.5, 0.0), (0.5, 0.0), (1.0, 0.0))
WIDE = Lips(open=0.9, width=0.0, close=0.0, bite=0.0, voice=1.0)


def poses(state: State, seconds: float, lips: Lips | None = None, seed: int = 0) -> list[Pose]:
    motion = Motion(GAZES, seed)
    return [motion.step(state, lips) for _ in range(round(seconds * 25))]


@pytest.mark.parametrize("state", ["idle", "listening", "speaking"])
def test_a_face_blinks_every_few_seconds_and_mostly_looks_at_you(state: State):
    minute = poses(state, 60)
    lids = np.array([pose.lid for pose in minute])
    blinks = np.count_nonzero((lids[1:] == 1) & (lids[:-1] < 1))

    assert 8 <= blinks <= 32
    assert np.mean(lids == 0) > 0.85
    assert np.mean([sum(pose.gaze) < 0.1 for pose in minute]) > 0.5


def test_only_someone_who_does_not_listen_glances_away():
    glances = {state: max(max(p.gaze) for p in poses(state, 30)) for state in ("idle", "listening")}

    assert glances["idle"] > 0.9
    assert glances["listening"] == 0


def test_a_listener_tilts_the_head_and_nods():
    idle, listening = (poses(state, 30)[50:] for state in ("idle", "listening"))

    assert np.mean([p.roll for p in listening]) > np.mean([p.roll for p in idle]) + 1.5
    assert max(p.pitch for p in listening) > max(p.pitch for p in idle) + 0.3


def test_a_change_of_state_fades_in_about_half_a_second():
    motion = Motion(GAZES, seed=0)
    rolls = [motion.step("idle", None).roll for _ in range(50)]
    rolls += [motion.step("listening", None).roll for _ in range(25)]

    assert max(abs(b - a) for a, b in zip(rolls, rolls[1:], strict=False)) < 0.25
    assert rolls[62] - rolls[49] > 1.2


def test_closures_come_at_once_and_open_mouths_within_two_frames():
    motion = Motion(GAZES, seed=0)
    opening = [motion.step("speaking", WIDE).open for _ in range(2)]
    pressed = motion.step("speaking", Lips(0.1, 0, 0.9, 0, 1))

    assert opening[1] > 0.9
    assert pressed.close == 1
    assert pressed.open < 0.2


def test_without_lips_the_widest_mouth_is_shut_in_four_frames():
    motion = Motion(GAZES, seed=0)
    for _ in range(5):
        motion.step("speaking", WIDE)

    assert [motion.step("idle", None).open for _ in range(4)][-1] < 0.06


def test_everything_stays_in_range():
    rng = np.random.default_rng(0)
    motion = Motion(GAZES, seed=1)
    for _ in range(1500):
        pose = motion.step("speaking", Lips(*rng.uniform(-0.5, 1.5, 5)))
        shares = (pose.open, pose.close, pose.bite, pose.smile, pose.lid, *pose.gaze)
        assert all(0 <= share <= 1 for share in shares)
        assert abs(pose.width) <= 1 and abs(pose.brow) <= 1 and abs(pose.breath) <= 1
        assert abs(pose.yaw) < 2 and abs(pose.pitch) < 3 and abs(pose.roll) < 4


def test_it_nods_when_asked_to_while_it_speaks():
    still, nodding = Motion(GAZES, 0), Motion(GAZES, 0)
    nodding.nod()
    pitches = [
        [motion.step("speaking", None).pitch for _ in range(10)] for motion in (still, nodding)
    ]
    assert max(np.subtract(pitches[1], pitches[0])) > 0.5


def away(pose: Pose) -> float:
    return sum(pose.gaze)


@pytest.mark.parametrize("seed", range(4))
def test_eyes_leave_while_it_thinks_and_are_back_when_it_speaks(seed):
    motion = Motion(GAZES, seed)
    thinking = [motion.step("thinking", None) for _ in range(100)]
    speaking = [motion.step("speaking", SHUT) for _ in range(4)]

    assert 0.3 < np.mean([away(pose) > 0.5 for pose in thinking])
    assert away(speaking[-1]) < 0.05


def test_brows_rise_with_a_question_and_with_a_greeting():
    told = {asks: Motion(GAZES, 0) for asks in (True, False)}
    brows = {
        asks: [motion.step("speaking", SHUT._replace(asks=asks)).brow for _ in range(15)][-1]
        for asks, motion in told.items()
    }
    greeting = Motion(GAZES, 0)
    greeting.greet()
    poses = [greeting.step("speaking", Shape(0.2, 0.0, 0.0, 0.0)) for _ in range(75)]

    assert brows[True] > brows[False] + 0.4
    assert poses[15].smile == 1 and poses[15].width < -0.2
    assert poses[-1].smile == 0 and poses[-1].width == pytest.approx(0, abs=0.02)


def test_blinks_come_between_phrases():
    phrase = [Shape(0.5, 0.0, 0.0, 0.0)] * 30 + [SHUT] * 8
    blinks = []
    for seed in range(5):
        motion = Motion(GAZES, seed)
        lids = np.array([motion.step("speaking", shape).lid for shape in phrase * 10])
        blinks += [int(n) % len(phrase) for n in np.flatnonzero((lids[1:] > 0) & (lids[:-1] == 0))]

    assert np.mean([n in range(27, 34) for n in blinks]) > 0.6
