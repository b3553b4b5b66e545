"""Packs load whole, or say what is wrong."""

import json
import shutil
from pathlib import Path

import pytest

from puppet import PackError, load_pack, pack_names
from puppet.pack import PACKS


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A pack of one's own to break."""
    return Path(shutil.copytree(PACKS / "theo", tmp_path / "theo"))


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_loads_says_where_it_is_from_and_is_small(name):
    pack = load_pack(name)

    assert pack.name == name
    assert "MakeHuman" in pack.origin and "MIT" in pack.licence
    assert len(pack.eyes.extras) == len(pack.gazes)
    assert len(pack.mouth.extras) == 3
    assert (pack.folder / "portrait.webp").is_file()
    assert sum(path.stat().st_size for path in pack.folder.iterdir()) < 600_000


@pytest.mark.parametrize("name", pack_names())
def test_every_file_of_a_pack_is_listed_with_its_checksum(name):
    folder = PACKS / name
    listed = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["files"]

    assert {path.name for path in folder.iterdir()} == {"meta.json", *listed}


def test_a_pack_is_loaded_once_and_cannot_be_written_to():
    pack = load_pack("mira")

    assert load_pack(PACKS / "mira") is pack
    with pytest.raises(ValueError, match="read-only"):
        pack.base[0, 0] = 0


def test_a_pack_from_a_folder_loads(copy):
    assert load_pack(copy).title == "Theo"
    assert load_pack(str(copy)) is load_pack(copy)


def test_an_unknown_pack_names_the_packs_there_are():
    with pytest.raises(PackError, match="Unknown avatar pack 'mona': choose one of mira, theo"):
        load_pack("mona")


def test_a_missing_file_is_a_sentence(copy):
    (copy / "eyes.webp").unlink()
    with pytest.raises(PackError, match=r"eyes\.webp is missing: restore the file"):
        load_pack(copy)


def test_a_changed_file_is_a_sentence(copy):
    content = bytearray((copy / "mouth.webp").read_bytes())
    content[5000] ^= 1
    (copy / "mouth.webp").write_bytes(content)
    with pytest.raises(PackError, match=r"mouth\.webp is damaged .*sha256.*: restore the file"):
        load_pack(copy)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda meta: meta.pop("mouth"), id="a key is missing"),
        pytest.param(lambda meta: meta["eyes"]["brow"].append(2), id="more rows than patches"),
        pytest.param(lambda meta: meta["mouth"].update(rect=[0, 0, 9]), id="half a rectangle"),
    ],
)
def test_a_description_that_does_not_fit_is_a_sentence(copy, change):
    path = copy / "meta.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    change(meta)
    path.write_text(json.dumps(meta), encoding="utf-8")
    with pytest.raises(PackError, match=r"does not describe an avatar pack .*compare it with"):
        load_pack(copy)


def test_a_description_that_is_not_json_is_a_sentence(copy):
    (copy / "meta.json").write_text("{", encoding="utf-8")
    with pytest.raises(PackError, match="does not describe an avatar pack"):
        load_pack(copy)
