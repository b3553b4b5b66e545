"""A server that only TCP reaches: what its start and its page say."""

from pathlib import Path

import pytest

from tests.browser.conftest import Meet
from tests.network import tcp_only
from tests.talk.app import AVATAR, SMALL, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
]

GIVEN_UP_S = 31


async def test_where_only_tcp_comes_through_start_and_page_say_what_is_missing(
    tmp_path: Path, brief: Path, meet: Meet, silence: Path
) -> None:
    flags = (*SMALL, "--persona", str(brief), "--host", "0.0.0.0")
    with tcp_only(AVATAR, tmp_path) as network:
        async with running_app(tmp_path, *flags, command=network.command) as app:
            assert app.url.startswith("http://localhost:")
            url = app.url.replace("localhost", network.address)
            assert f"Others open {url}, where browsers give no microphone" in app.output
            assert "--ice-servers" in app.output and "UDP" in app.output
            async with meet(url, silence, turned_clock=True) as user:
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
