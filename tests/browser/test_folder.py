"""A server that a proxy shows in a folder of another one."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.browser.conftest import Meet
from tests.browser.site import serving
from tests.nginx import nginx
from tests.talk.app import SMALL, App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
]

FOLDER = "/some/avatar"
PICTURE = "#portrait:not([hidden])"
FACES = "[...inside('faces').querySelectorAll('img')].map(({ naturalWidth }) => naturalWidth)"
ELEMENT = "[data-role=avatar] .words"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(brief_app: App, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of the shared server in that folder."""
    async with nginx(brief_app.url, FOLDER, tmp_path_factory.mktemp("nginx")) as url:
        yield url


async def test_the_page_works_in_a_folder(home: str, meet: Meet, silence: Path) -> None:
    async with meet(f"{home}/", silence, ignore_https_errors=True) as user:
        await user.page.wait_for_selector(PICTURE)
        await user.until(f"{FACES}.every((width) => width > 0)")
        assert len(await user.page.evaluate(FACES)) == 2
        await user.begin()
        assert await user.read(ELEMENT)
        await user.page.click("#end")
        assert not user.complaints
        assert {
            url for url in user.requests if not url.startswith((home, "blob:", "data:"))
        } == set()


@pytest.mark.parametrize("server", ["{home}/", "{home}"])
async def test_the_element_of_another_page_uses_a_server_in_a_folder(
    home: str, brief_app: App, meet: Meet, silence: Path, server: str
) -> None:
    async with serving() as site:
        call = f'<avatar-call server="{server.format(home=home)}"></avatar-call>'
        site.show(brief_app.url, call)
        async with meet(site.url, silence, ignore_https_errors=True) as user:
            await user.page.wait_for_selector(PICTURE)
            await user.begin()
            assert await user.read(ELEMENT)
            asked = [url for url in user.requests if "/api/" in url or url.endswith("/start")]
            assert asked and all(url.startswith(f"{home}/") for url in asked)


async def test_an_element_that_comes_from_a_folder_finds_its_server_there(
    home: str, meet: Meet
) -> None:
    async with serving() as site:
        site.show(home)
        async with meet(site.url, ignore_https_errors=True) as user:
            await user.page.wait_for_selector(PICTURE)
            assert f"{home}/api/lineup" in user.requests


async def test_what_start_answers_leads_through_the_proxy(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    flags = (*SMALL, "--avatar", "none", "-u", "uploads")
    async with (
        running_app(tmp_path, *flags) as app,
        nginx(app.url, FOLDER, tmp_path_factory.mktemp("nginx")) as url,
        aiohttp.ClientSession() as http,
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
