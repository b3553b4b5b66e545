"""The event loop of what serves: uvloop's where there is one, and it ends as any other does."""

import asyncio
import signal
import subprocess
import sys

import pytest

from bots import loop
from tests.talk.app import AVATAR, environment

pytestmark = pytest.mark.patient

FLAGS = ("--no-open", "--port", "0", "--host", "127.0.0.1", "--llm", "guide", "--avatar", "none")


async def kind() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_it_is_uvloop():
    assert loop.run(kind()) == "uvloop"


def test_it_is_pythons_own_where_there_is_no_uvloop(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop.run(kind()).startswith("asyncio.")


def test_it_is_pythons_own_in_its_debug_mode(monkeypatch):
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    assert loop.run(kind()).startswith("asyncio.")


def test_an_error_comes_out_and_what_still_runs_is_ended():
    ended = []

    async def rest():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def fail():
        rests = asyncio.create_task(rest())
        await asyncio.sleep(0)
        raise LookupError(rests.get_name())

    with pytest.raises(LookupError):
        loop.run(fail())
    assert ended


@pytest.mark.parametrize(
    ("hidden", "kind", "number"),
    [
        pytest.param(False, "uvloop", signal.SIGINT, id="uvloop"),
        pytest.param(True, "asyncio", signal.SIGTERM, id="none"),
    ],
)
def test_the_server_runs_on_it_and_a_signal_ends_it_while_it_loads(tmp_path, hidden, kind, number):
    if hidden:
        (tmp_path / "uvloop.py").write_text("raise ImportError")
    env = environment({"PYTHONPATH": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)})
    with subprocess.Popen(
        [AVATAR, *FLAGS, "-v"],
        cwd=tmp_path, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout
        told = ""
        while "The page is there" not in told:
            told += (line := process.stdout.readline())
            assert line, told
        process.send_signal(number)
        told += process.communicate(timeout=30)[0]
    assert process.returncode == 0
    assert f"The event loop is that of {kind}" in told
    assert "Traceback" not in told
