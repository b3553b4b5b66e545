"""Finding a LiveKit server, starting one, and never leaving one behind."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sandbox import LiveKit, NoLiveKit, SandboxError, livekit_server
from sandbox.livekit_server import answers, find_binary
from tests.sandbox.caller import tone
from tests.sandbox.conftest import serving

CHILD = """
import asyncio
from sandbox import livekit_server

async def main():
    async with livekit_server(dev=None) as server:
        print(server.url, server.key, server.secret, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def becomes(server: LiveKit, *, there: bool) -> bool:
    """Whether a server answers, or does not any more, within half a minute."""
    for _ in range(300):
        if await answers(server) == there:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_an_address_that_is_set_is_taken_as_it_is() -> None:
    async with livekit_server("wss://mine", "key", "secret") as server:
        assert server == LiveKit("wss://mine", "key", "secret")


async def test_an_address_needs_its_key() -> None:
    with pytest.raises(SandboxError, match="set all three"):
        async with livekit_server("wss://mine"):
            pass


async def test_a_server_in_dev_mode_is_found(livekit: LiveKit) -> None:
    async with livekit_server(dev=livekit) as server:
        assert server == livekit


async def test_a_server_in_dev_mode_with_another_key_is_not_taken(livekit: LiveKit) -> None:
    assert not await answers(LiveKit(livekit.url, livekit.key, "x" * 32))


async def test_without_any_server_the_error_names_the_ways_out(tmp_path: Path) -> None:
    if (find_binary(tmp_path) or tmp_path).name == "livekit-server":
        pytest.skip("a livekit-server is on PATH")
    with pytest.raises(NoLiveKit) as error:
        async with livekit_server(dev=None, cache=tmp_path):
            pass
    for way in (
        "LIVEKIT_URL",
        "docker run",
        "brew install",
        "scripts/livekit-server",
        "go install",
    ):
        assert way in str(error.value)


async def test_a_program_that_is_no_server_says_its_last_words(tmp_path: Path) -> None:
    binary = tmp_path / "livekit-server"
    binary.write_text("#!/bin/sh\necho broken to bits >&2\nexit 1\n")
    binary.chmod(0o755)
    if find_binary(tmp_path) != binary:
        pytest.skip("a livekit-server is on PATH")
    with pytest.raises(SandboxError, match="broken to bits"):
        async with livekit_server(dev=None, cache=tmp_path):
            pass


async def test_a_server_runs_on_loopback_with_a_long_secret_and_stops(
    livekit_binary: Path,
) -> None:
    async with livekit_server(dev=None) as server:
        assert server.url.startswith("ws://127.0.0.1:")
        assert len(server.secret) >= 32
        assert await becomes(server, there=True)
    assert await becomes(server, there=False)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_server_dies_with_whoever_started_it(
    livekit_binary: Path, how: signal.Signals, tmp_path: Path
) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert child.stdout
    line = await asyncio.wait_for(child.stdout.readline(), 30)
    server = LiveKit(*line.decode().split())
    assert await becomes(server, there=True)
    os.kill(child.pid, how)
    await child.wait()
    assert await becomes(server, there=False)
    assert not os.listdir(tmp_path), "no file with its key is left"


async def test_sessions_can_be_stopped_when_their_rooms_are_gone_with_the_server(
    livekit_binary: Path,
) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(livekit_server(dev=None))
        async with serving(server) as caller:
            call, lite = await caller.talk()
            await stack.aclose()
            await lite.say(tone(0.2), "u1")
            await lite.until("agent.speak_ended")
            status, _ = await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer)
            assert status == 200
            assert await lite.closed() == 1000
            assert (await caller.start(await caller.token()))[0] == 500
