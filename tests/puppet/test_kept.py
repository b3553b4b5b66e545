"""Faces that are kept in files."""

import os
from pathlib import Path

import numpy as np
import pytest

from puppet import Pack, describe_pack
from puppet.face import Face, Painter, _prepare
from puppet.kept import _write, kept
from puppet.motion import Pose

SIZE = (320, 180)
POSE = Pose(yaw=2.0, open=0.6, lid=0.3)


@pytest.fixture(scope="module")
def pack() -> Pack:
    return describe_pack("mira")


@pytest.fixture(scope="module")
def face(pack: Pack) -> Face:
    return _prepare(pack, SIZE)


def refuse() -> Face:
    raise AssertionError("it is not made again")


def test_a_kept_face_is_drawn_from_its_file_and_looks_the_same(tmp_path: Path, pack, face):
    left, written = tmp_path / "left.draft", tmp_path / "written.draft"
    for draft in (left, written):
        draft.touch()
    os.utime(left, (0, 0))
    made = kept(tmp_path, pack, SIZE, lambda: face)
    assert not left.exists(), "whoever began it is gone"
    written.unlink()
    again = kept(tmp_path, pack, SIZE, refuse)
    for each in (made, again):
        assert Painter(each).draw(POSE) == Painter(face).draw(POSE)
        assert isinstance(each.base.luma, np.ndarray) and not each.base.luma.flags.owndata
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("length", [0, 7, 5000, -1])
def test_a_file_that_is_not_whole_is_made_anew(tmp_path: Path, pack, face, length):
    kept(tmp_path, pack, SIZE, lambda: face)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:length])
    assert kept(tmp_path, pack, SIZE, lambda: face).size == SIZE
    assert file.read_bytes() == whole


def test_a_file_makes_nothing_but_faces(tmp_path: Path, pack, face):
    kept(tmp_path, pack, SIZE, lambda: face)
    (file,) = tmp_path.iterdir()
    _write(file, print)
    assert kept(tmp_path, pack, SIZE, lambda: face).size == SIZE


def test_who_cannot_keep_it_makes_it_each_time(tmp_path: Path, pack, face):
    (tmp_path / "file").touch()
    assert kept(tmp_path / "file", pack, SIZE, lambda: face) is face
