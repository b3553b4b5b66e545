"""One cache folder, for the application and for its script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cache import cache_folder
from pipelines.tts import piper
from sandbox.livekit_server import find_binary

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "livekit-server"


def binary_in(folder: Path) -> Path:
    """A LiveKit server that was built before."""
    binary = folder / "livekit-server"
    folder.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    return binary


def built_by_script(**environment: str) -> Path:
    """Where the script has the server."""
    done = subprocess.run(
        ["sh", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    return Path(done.stdout.strip())


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of Linux")
@pytest.mark.parametrize("root", ["XDG_CACHE_HOME", "HOME"])
def test_the_script_builds_where_the_server_is_looked_for(root, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(root, str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    binary = binary_in(cache_folder())
    built = built_by_script(**{root: str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert built == find_binary() == binary
    assert binary.is_relative_to(tmp_path)


def test_on_a_mac_the_script_builds_into_its_library(tmp_path):
    (tmp_path / "uname").write_text("#!/bin/sh\necho Darwin\n")
    (tmp_path / "uname").chmod(0o755)
    binary = binary_in(tmp_path / "Library" / "Caches" / "avatar")
    built = built_by_script(HOME=str(tmp_path), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert built == binary


def test_voices_are_looked_for_where_the_cache_is_now(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    voice = tmp_path / "avatar" / "voices" / "en_US-nobody-high.onnx"
    voice.parent.mkdir(parents=True)
    voice.touch()
    voice.with_name(f"{voice.name}.json").touch()
    assert piper.file_of("en_US-nobody-high") == voice


HOMELESS = """
import os
from pipelines.cache import cache_folder
from pipelines.tts import piper
from sandbox.livekit_server import find_binary
os.setuid(54321)
os.unsetenv("HOME")
del os.environ["HOME"]
print(cache_folder(), find_binary())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
def test_whoever_has_no_home_can_start_all_the_same(tmp_path):
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", HOMELESS],
        cwd="/", env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["/.cache/avatar", "None"]
