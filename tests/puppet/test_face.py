"""Pictures: colours, edges, and every size."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from puppet import Pack, load_pack, pack_names
from puppet.face import Painter, prepare
from puppet.motion import Pose

pytestmark = pytest.mark.patient

STILL = Pose()


def draw(pack: Pack, size: tuple[int, int], pose: Pose = STILL) -> np.ndarray:
    """uint8 (height, width, 3) RGB, as a receiver decodes it."""
    data = Painter(prepare(pack, size)).draw(pose)
    image = np.frombuffer(data, np.uint8).reshape(size[1] * 3 // 2, size[0])
    return cv2.cvtColor(image, cv2.COLOR_YUV2RGB_I420)


@pytest.mark.parametrize("name", pack_names())
def test_a_still_face_has_the_colours_of_its_pack(name):
    pack = load_pack(name)
    shown = draw(pack, (1280, 720)).astype(int)
    solid = cv2.erode(pack.base[..., 3], np.ones((5, 5))) == 255
    top, bottom = pack.eyes.rect[3], pack.mouth.rect[1]
    assert bottom > top, "between eyes and mouth nothing covers the portrait"
    solid[pack.eyes.rect[1] : pack.mouth.rect[3], 480:800] = False
    error = np.abs(shown - pack.base[..., :3])[solid]

    assert error.mean() < 3
    assert np.abs((shown - pack.base[..., :3])[solid].mean(axis=0)).max() < 1


@pytest.mark.parametrize(
    "size", [(256, 256), (512, 512), (854, 480), (720, 1280), (1920, 1080), (1000, 300)]
)
def test_the_face_is_whole_and_unstretched_at_every_size(mira, size):
    image = draw(mira, size).astype(int)
    width, height = size
    scale = min(height / 720, width / 470)
    left, top = width / 2 - 640 * scale, height - 720 * scale
    sample = [(640, 330), (600, 120), (640, 560), (560, 330), (720, 330)]
    for x, y in sample:
        seen = image[round(y * scale + top), round(x * scale + left)]
        blurred = cv2.GaussianBlur(mira.base[..., :3], (0, 0), 3)[y, x].astype(int)
        assert np.abs(seen - blurred).max() < 40, (x, y)


@pytest.mark.parametrize("name", pack_names())
def test_patches_meet_the_portrait_without_a_seam(name):
    """Just inside a patch and just outside, the step is no larger than in the portrait alone."""
    face = prepare(load_pack(name), (1280, 720))
    for patches in (face.mouth, face.eyes):
        base = face.base.view(patches.rows, patches.columns).luma.astype(int)
        for patch in (*patches.grid, *patches.extras):
            change = np.abs(patch.luma - base)
            edges = (change[:2], change[-2:], change[:, :2], change[:, -2:])
            assert max(edge.max() for edge in edges) <= 6


def test_motion_ends_before_the_sides_of_the_frame(mira):
    far = Pose(yaw=1.5, pitch=2.0, roll=3.2, breath=1.0)
    still, moved = (draw(mira, (1280, 720), pose).astype(int) for pose in (STILL, far))
    change = np.abs(moved - still)

    assert change[:, :120].max() == 0 and change[:, -120:].max() == 0
    assert change[200:500, 480:800].mean() > 3


def test_the_wall_does_not_swim_with_the_head(mira):
    turned = Pose(yaw=1.2, roll=3.0)
    still, moved = (draw(mira, (1280, 720), pose).astype(int) for pose in (STILL, turned))
    clear = cv2.dilate(mira.base[..., 3], np.ones((61, 61))) == 0

    assert np.abs(moved - still)[clear].max() <= 4


def test_lips_lids_and_gaze_change_only_what_they_are():
    pack = load_pack("theo")
    still = draw(pack, (1280, 720)).astype(int)
    rest = (0.0,) * len(pack.gazes)
    for pose, sheet in (
        (Pose(open=0.8), pack.mouth),
        (Pose(close=1.0), pack.mouth),
        (Pose(lid=1.0), pack.eyes),
        (Pose(gaze=(1.0, *rest[1:])), pack.eyes),
    ):
        change = np.abs(draw(pack, (1280, 720), pose) - still).max(axis=2)
        x0, y0, x1, y1 = sheet.rect
        assert change[y0:y1, x0:x1].max() > 40
        change[y0:y1, x0:x1] = 0
        assert change.max() <= 4


def test_brows_stay_up_during_a_glance(mira):
    def brows(pose: Pose) -> np.ndarray:
        return draw(mira, (1280, 720), pose)[205:255, 520:640].astype(int)

    glance = (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    raised, both = brows(Pose(brow=1.0)), brows(Pose(brow=1.0, gaze=glance))

    assert np.abs(both - raised).mean() < 0.4 * np.abs(raised - brows(STILL)).mean()


def test_players_of_one_pack_and_size_share_the_face(mira):
    assert prepare(mira, (512, 512)) is prepare(mira, (512, 512))


@pytest.mark.parametrize("size", [(1280, 720), (270, 480), (256, 144)])
def test_what_is_drawn_in_part_is_what_is_drawn_whole(size):
    """Whatever moved: lips, lids and head in every order."""
    chance, face = np.random.default_rng(4), prepare(load_pack("mira"), size)
    painter, pose = Painter(face), Pose()
    for number in range(60):
        moved = {
            name: float(chance.uniform(-1, 1) * far)
            for name, far in (("yaw", 2.0), ("pitch", 2.0), ("roll", 3.0), ("breath", 1.0))
        }
        parts = [
            {"open": float(chance.random()), "width": float(chance.uniform(-1, 1))},
            {"lid": float(chance.random()), "brow": float(chance.uniform(-1, 1))},
            moved,
            {},
        ]
        changed = parts[int(chance.integers(4))]
        pose = replace(pose, **changed)
        assert painter.draw(pose) == Painter(face).draw(pose), (number, changed)
