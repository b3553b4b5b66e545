"""A server that a proxy shows in a folder of another one."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bots.server.passes import LINK, Pass, Passes
from tests.browser.conftest import Meet
from tests.browser.site import serving
from tests.browser.user import User
from tests.nginx import nginx
from tests.talk.app import SMALL, App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

FOLDER = "/some/avatar"
TOKEN = "a-token-that-is-long-enough"
ENV = {"AVATAR_ACCESS_TOKEN": TOKEN}
PICTURE = "#portrait:not([hidden])"
FACES = "[...inside('faces').querySelectorAll('img')].map(({ naturalWidth }) => naturalWidth)"
ELEMENT = "[data-role=avatar] .words"
CALL = "document.querySelector('avatar-call')"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def closed_app(tmp_path_factory: pytest.TempPathFactory, brief: Path) -> AsyncIterator[App]:
    """A server that asks for a credential, as one behind a proxy must."""
    flags = (*SMALL, "--persona", str(brief), "--log-level", "INFO")
    folder = tmp_path_factory.mktemp("closed")
    async with running_app(folder, *flags, env=ENV) as app:
        yield app
    assert TOKEN not in app.output and "avatar-link." not in app.output


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(closed_app: App, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of that server in a folder."""
    async with nginx(closed_app.url, FOLDER, tmp_path_factory.mktemp("nginx")) as url:
        yield url


def _asked(user: User) -> list[str]:
    return [url for url in user.requests if "/api/" in url or url.endswith("/start")]


def script(access: str) -> str:
    """What gives the element of a page what lets it in."""
    return f"<script>document.querySelector('avatar-call').accessToken = {access};</script>"


def secret() -> str:
    """The secret of a new link."""
    return Passes(TOKEN).sign(LINK, Pass(time.time() + 60))


async def test_the_page_works_in_a_folder_and_is_loaded_anew_by_a_link(
    home: str, meet: Meet, silence: Path
) -> None:
    link = f"{home}/#link={secret()}"
    async with meet(link, silence, ignore_https_errors=True) as user:
        await user.page.wait_for_selector(PICTURE)
        assert user.page.url == f"{home}/"
        await user.page.reload()
        await user.page.wait_for_selector(PICTURE)
        await user.until(f"{FACES}.every((width) => width > 0)")
        assert len(await user.page.evaluate(FACES)) == 2
        await user.begin()
        assert await user.read(ELEMENT)
        await user.page.click("#end")
        assert not user.complaints
        assert not [url for url in user.requests if "avatar-" in url.partition("/web/")[0]]
    async with meet(link, ready="#reason", ignore_https_errors=True) as user:
        await user.state("failed")
        assert "This link has been used" in await user.read("#reason")
        await user.page.evaluate(f"location.hash = 'link={secret()}'")
        await user.page.wait_for_selector(PICTURE)
        assert user.page.url == f"{home}/"
    async with meet(f"{home}/", ready="#reason", ignore_https_errors=True) as user:
        await user.state("failed")
        assert "for those with a link" in await user.read("#reason")
        assert {
            url for url in user.requests if not url.startswith((home, "blob:", "data:"))
        } == set()


@pytest.mark.parametrize("server", ["{home}/", "{home}"])
async def test_the_element_of_another_page_uses_a_server_in_a_folder(
    home: str, closed_app: App, meet: Meet, silence: Path, server: str
) -> None:
    async with serving() as site:
        call = f'<avatar-call server="{server.format(home=home)}"></avatar-call>'
        site.show(closed_app.url, call + script(f"async () => '{TOKEN}'"))
        async with meet(site.url, silence, ignore_https_errors=True) as user:
            await user.page.wait_for_selector(PICTURE)
            await user.begin()
            assert await user.read(ELEMENT)
            asked = _asked(user)
            assert asked and all(url.startswith(f"{home}/") for url in asked)
            await user.page.evaluate(f"{CALL}.accessToken = 'of-yesterday-and-long-expired'")
            await asyncio.sleep(0)
            await user.page.click("#end")
            await user.state("over")
            assert _asked(user) == asked


async def test_an_element_that_comes_from_a_folder_finds_its_server_there(
    home: str, meet: Meet
) -> None:
    async with serving() as site:
        site.show(home, f"<avatar-call></avatar-call>{script(repr(TOKEN))}")
        async with meet(site.url, ignore_https_errors=True) as user:
            await user.page.wait_for_selector(PICTURE)
            assert f"{home}/api/lineup" in user.requests


async def test_what_start_answers_leads_through_the_proxy(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    flags = (*SMALL, "--avatar", "none", "-u", "uploads")
    async with (
        running_app(tmp_path, *flags, env=ENV) as app,
        nginx(app.url, FOLDER, tmp_path_factory.mktemp("nginx")) as url,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        host = url.split("/")[2]
        async with http.post(f"{url}/start", json={"transport": "headless"}, ssl=False) as answer:
            ticket = await answer.json()
        assert ticket["wsUrl"] == f"wss://{host}{FOLDER}/ws"
        async with http.ws_connect(ticket["wsUrl"], ssl=False) as websocket:
            assert not websocket.closed
        async with http.post(f"{url}/start", json={}, ssl=False) as answer:
            sent_to = (await answer.json())["fileUploadUrl"]
        assert sent_to.startswith(f"{FOLDER}/sessions/")
        form = aiohttp.FormData()
        form.add_field("file", b"Hello", filename="hello.txt")
        async with http.post(f"https://{host}{sent_to}", data=form, ssl=False) as answer:
            assert (await answer.json())["name"] == "hello.txt"
