"""A server that only TCP reaches: what its start and its page say, and the way by a TURN server."""

import json
import time
from pathlib import Path

import pytest

from bots.server.passes import LINK, Pass, Passes
from tests.browser.conftest import Meet
from tests.network import tcp_only
from tests.talk.app import AVATAR, SMALL, running_app
from tests.turn import turn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    # A cable that is laid is news to every Chromium on the machine, which then stops loading.
    pytest.mark.realtime,
]

GIVEN_UP_S = 31
ENV = {"AVATAR_ACCESS_TOKEN": "a-token-that-is-long-enough"}
ANSWER = "[data-role=user] + [data-role=avatar] .words"
# By what the server is reached; its network drops all UDP, so that it is there by TCP.
SERVERS_END = """(async () => {
  const stats = [...(await watched.peers.at(-1).getStats()).values()];
  const pair = stats.find(({ type, nominated }) => type === "candidate-pair" && nominated);
  return stats.find(({ id }) => id === pair.remoteCandidateId).candidateType;
})()"""


def secret() -> str:
    """A link's part that lets its visitor in."""
    passes = Passes(ENV["AVATAR_ACCESS_TOKEN"])
    return f"#link={passes.sign(LINK, Pass(time.time() + 60))}"


async def test_where_only_tcp_comes_through_start_and_page_say_what_is_missing(
    tmp_path: Path, brief: Path, meet: Meet, silence: Path
) -> None:
    flags = (*SMALL, "--persona", str(brief), "--host", "0.0.0.0")
    with tcp_only(AVATAR, tmp_path) as network:
        async with running_app(tmp_path, *flags, env=ENV, command=network.command) as app:
            assert app.url.startswith("http://localhost:")
            url = app.url.replace("localhost", network.address)
            assert f"Others open {url}, where browsers give no microphone" in app.output
            assert "--ice-servers" in app.output and "UDP" in app.output
            async with meet(f"{url}/{secret()}", silence, turned_clock=True) as user:
                await user.page.click("#start")
                await user.state("failed")
                assert "only to https or localhost pages" in await user.read("#reason")
                await user.page.click("#go-on-typing")
                await user.state("connecting")
                await user.until("watched.peers.at(-1)?.iceConnectionState === 'checking'")
                await user.page.clock.fast_forward(GIVEN_UP_S * 1000)
                await user.state("failed")
                reason = await user.read("#reason")
                assert "UDP" in reason and "--ice-servers" in reason
        (why,) = [line["text"] for line in await app.ended_transcript() if "text" in line]
        assert "UDP" in why and "--ice-servers" in why


async def test_where_only_tcp_comes_through_they_meet_by_a_turn_server(
    tmp_path: Path, brief: Path, meet: Meet
) -> None:
    with tcp_only(AVATAR, tmp_path) as network:
        async with turn(network.outside, tmp_path) as server:
            flags = (*SMALL, "--persona", str(brief), "--host", "0.0.0.0")
            told = ("--ice-servers", json.dumps(server))
            async with running_app(
                tmp_path, *flags, *told, env=ENV, command=network.command
            ) as app:
                url = f"{app.url.replace('localhost', network.address)}/{secret()}"
                async with meet(url, ready="#start-typing:enabled") as user:
                    await user.page.click("#start-typing")
                    await user.page.wait_for_selector("#stage[data-face=on]")
                    assert await user.page.evaluate(SERVERS_END) == "relay"
                    await user.type("What can you do?")
                    assert await user.read(ANSWER)
                assert server["credential"] not in app.output
