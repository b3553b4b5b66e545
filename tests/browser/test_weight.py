"""What a visitor has to load before a conversation over WebRTC: not much."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Meet
from tests.browser.user import User
from tests.talk.app import App

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.timeout(400),
]

PAGE_LIMIT_BYTES = 60_000
LIMIT_BYTES = 120_000


class Scales:
    """Weighs what comes from the server, in bytes as they are sent."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._headers: dict[str, float] = {}
        self.contents: dict[str, float] = {}
        self.total = 0.0

    async def weigh(self, user: User) -> None:
        """Weigh everything that the page loads from now on."""
        session = await user.page.context.new_cdp_session(user.page)
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.loadingFinished", self._on_finished)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _on_response(self, event: dict[str, Any]) -> None:
        response = event["response"]
        self._urls[event["requestId"]] = response["url"]
        self._headers[response["url"]] = response["encodedDataLength"]

    def _on_finished(self, event: dict[str, Any]) -> None:
        url = self._urls.get(event["requestId"], "")
        self.total += event["encodedDataLength"]
        content = event["encodedDataLength"] - self._headers.get(url, 0)
        self.contents[url] = self.contents.get(url, 0) + content

    def page(self, app: App) -> dict[str, float]:
        """The page itself: its HTML, scripts, style sheets and icon."""
        whole = (f"{app.url}/web/", f"{app.url}/avatar.js")
        return {
            url: size
            for url, size in self.contents.items()
            if url.startswith(whole) or url == f"{app.url}/"
        }


async def test_a_whole_conversation_loads_a_page_of_less_than_60_kb(
    brief_app: App, meet: Meet, silence: Path
) -> None:
    async with meet(brief_app.url, silence) as user:
        scales = Scales()
        await scales.weigh(user)
        await user.page.reload(wait_until="networkidle")
        await user.page.click("#start:enabled")
        await user.page.wait_for_selector("#stage[data-face=on]")
        await user.read("[data-role=avatar] .said")
        await user.page.click("#speed")
        await user.page.click("#end")
        await user.state("over")
        page = scales.page(brief_app)
        assert {".js", ".css", ".svg"} <= {Path(url).suffix for url in page}
        assert all(size > 0 for size in page.values())
        print(f"the page: {sum(page.values()):.0f} bytes; all in all: {scales.total:.0f}")
        assert sum(page.values()) < PAGE_LIMIT_BYTES, page
        assert any("/api/faces/" in url for url in scales.contents)
        assert scales.total < LIMIT_BYTES, scales.contents
