"""How this application was installed, and the commands that add extras to it."""

import json
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from pipelines.installation import NAME, Installation, adds, command, version

ROOT = Path(__file__).parents[2]
WHEEL = {"url": "file:///wheels/avatar_talk-0.1.0-py3-none-any.whl", "archive_info": {}}
GIT = {"url": "https://git.invalid/avatar", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
CLONE = {"url": "file:///a%20clone", "dir_info": {"editable": True}}
RECEIPT = f'[tool]\nrequirements = [{{ name = "{NAME}", extras = ["heygen"], path = "x.whl" }}]\n'


def copy_in(prefix: Path, installer: str, origin: dict | None) -> Installation:
    """An environment's records of this distribution, as the installers write them."""
    records = prefix / "avatar_talk-0.1.0.dist-info"
    records.mkdir()
    (records / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {NAME}\nVersion: 0.1.0\n")
    (records / "INSTALLER").write_text(installer)
    if origin:
        (records / "direct_url.json").write_text(json.dumps(origin))
    return Installation(Distribution.at(records), prefix)


@pytest.mark.parametrize(
    ("installer", "origin", "added"),
    [
        pytest.param(
            "uv",
            WHEEL,
            "uv pip install --python {prefix} 'avatar-talk[whisper,piper] @ " + WHEEL["url"] + "'",
            id="uv pip",
        ),
        pytest.param(
            "uv",
            CLONE,
            "uv pip install --python {prefix} -e 'file:///a%20clone[whisper,piper]'",
            id="uv pip in a clone",
        ),
        pytest.param(
            "pip",
            GIT,
            "{prefix}/bin/python -m pip install"
            " 'avatar-talk[whisper,piper] @ git+https://git.invalid/avatar@abc'",
            id="pip from a repository",
        ),
        pytest.param(
            "pip",
            CLONE,
            "{prefix}/bin/python -m pip install -e 'file:///a%20clone[whisper,piper]'",
            id="pip in a clone",
        ),
        pytest.param(
            "pip",
            None,
            "{prefix}/bin/python -m pip install 'avatar-talk[whisper,piper]'",
            id="pip from an index",
        ),
    ],
)
def test_the_command_is_that_of_the_installer_and_names_the_source(
    tmp_path, installer, origin, added
):
    copy = copy_in(tmp_path, installer, origin)
    assert copy.adds("whisper", "piper", "whisper") == added.format(prefix=tmp_path)


def test_uv_tool_is_told_again_what_it_has(tmp_path):
    copy = copy_in(tmp_path, "uv", WHEEL)
    (tmp_path / "uv-receipt.toml").write_text(RECEIPT)
    assert copy.adds("local") == f"uv tool install 'avatar-talk[heygen,local] @ {WHEEL['url']}'"


def test_pipx_adds_to_its_own_environment(tmp_path):
    copy = copy_in(tmp_path, "pip", WHEEL)
    (tmp_path / "pipx_metadata.json").touch()
    pip = f"pipx runpip {tmp_path.name} install"
    assert copy.adds("local") == f"{pip} 'avatar-talk[local] @ {WHEEL['url']}'"


def test_in_the_clone_an_extra_comes_alone(monkeypatch):
    assert adds("heygen", "heygen").endswith(" --inexact --no-default-groups --extra heygen")
    assert f"uv sync --project {ROOT} " in adds("heygen")
    monkeypatch.chdir(ROOT)
    assert adds("heygen").startswith("uv sync --inexact ")


def test_in_the_clone_uv_starts_the_command():
    assert command() == "uv run avatar"


def test_the_version_says_what_installed_it_and_from_where(tmp_path):
    copy = copy_in(tmp_path, "uv", WHEEL)
    assert str(copy) == f"avatar 0.1.0, installed by uv pip from {WHEEL['url']}"
    assert version() == f"avatar 0.1.0, installed by uv in the clone from {ROOT.as_uri()}"
