"""What answers while everything else is being loaded, and who waits for it."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import aiohttp
import pytest
from loguru import logger
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bots.server.app import Server
from bots.server.casting import Casting
from bots.server.front import STARTING, Front
from bots.server.opening import serve
from pipelines.errors import BadSetting, PartFailed
from pipelines.parts import choose
from pipelines.settings import load_settings
from puppet.pack import PACKS
from tests.talk.app import until
from web.port import listen

ACCESS = "access-token-of-the-test"
KEY = {"Authorization": f"Bearer {ACCESS}"}
BROKEN = BadSetting("WHISPER_MODEL=/nowhere", "cannot be loaded", "give another one")
CLOSED = (
    ("GET", "/api/lineup"),
    ("GET", "/status"),
    ("GET", "/metrics"),
    ("GET", "/files/secret"),
    ("GET", "/no-such-path"),
    ("GET", "/v1/models"),
    ("POST", "/start"),
    ("POST", "/sessions/1/api/offer"),
    ("PATCH", "/api/offer"),
)
LIGHT = """
import sys
import bots.talk, bots.server.opening
from bots.server.front import Front
from bots.server.page import describe
from pipelines.parts import choose
from pipelines.settings import load_settings
settings = load_settings(llm="guide")
lineup = choose(settings)
Front(settings, lineup)
assert describe(settings, lineup)["poster"] == "/api/faces/mira"
print(*{name.partition(".")[0] for name in sys.modules})
import bots.server.app
from pipelines.llm.guide import GuideLLMService
from guide import KNOWLEDGE, Matcher, Script, load_knowledge
GuideLLMService(Script(Matcher(load_knowledge(KNOWLEDGE)), "Mira"))
print(*sys.modules)
"""


@asynccontextmanager
async def fronting(
    patience_s: float = 30, **settings: str
) -> AsyncIterator[tuple[Front, aiohttp.ClientSession]]:
    """A front behind which nothing is loaded yet, and who asks it."""
    chosen = load_settings(llm="guide", avatar_host="127.0.0.1", **settings)
    front, listeners = Front(chosen, choose(chosen), patience_s), listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    async with front.life(listeners), aiohttp.ClientSession(url) as http:
        yield front, http


async def echo(request: Request) -> JSONResponse:
    return JSONResponse(await request.json())


def rest() -> list[Route]:
    """What is loaded later."""
    return [Route("/start", echo, methods=["POST"]), Route("/status", lambda _: JSONResponse("ok"))]


async def test_the_page_and_its_still_picture_are_there_and_say_that_it_starts():
    async with fronting() as (front, http):
        async with http.get("/") as answer:
            assert answer.status == 200 and "<avatar-call" in await answer.text()
        async with http.get("/api/lineup") as answer:
            lineup = await answer.json()
        async with http.get(lineup["poster"]) as answer:
            assert await answer.read() == (PACKS / "mira" / "portrait.webp").read_bytes()
        async with http.get("/health") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "starting"})
        async with http.get("/ready") as answer:
            assert answer.status == 503 and answer.headers["Retry-After"] == "5"
            assert (await answer.json())["detail"] == STARTING
        front.open(rest(), lambda _: False)
        async with http.get("/api/lineup") as answer:
            assert await answer.json() == {k: v for k, v in lineup.items() if k != "starting"}
        assert lineup["starting"] is True
        async with http.get("/health") as answer:
            assert await answer.json() == {"status": "alive"}


async def test_who_begins_meanwhile_waits_for_it():
    async with fronting() as (front, http):
        asked = asyncio.create_task(http.post("/start", json={"transport": "webrtc"}).__aenter__())
        async with http.get("/health") as answer:
            assert (await answer.json())["status"] == "starting" and not asked.done()
        front.open(rest(), lambda _: False)
        async with await asked as answer:
            assert await answer.json() == {"transport": "webrtc"}


async def test_who_waits_too_long_is_told_when_to_come_again():
    async with fronting(patience_s=0.05) as (_, http):
        async with http.post("/start", json={}) as answer:
            assert answer.status == 503 and answer.headers["Retry-After"] == "5"
            assert (await answer.json())["detail"] == STARTING
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect("/ws")


async def test_nothing_is_open_that_is_closed_afterwards():
    async with fronting(avatar_access_token=ACCESS) as (front, http):

        async def closed() -> dict[tuple[str, str], int]:
            found = {}
            for method, path in CLOSED:
                async with http.request(method, path) as answer:
                    found[method, path] = answer.status
            return found

        assert set((await closed()).values()) == {401}
        front.open(rest(), lambda _: False)
        assert set((await closed()).values()) == {401}
        async with http.get("/status", headers=KEY) as answer:
            assert answer.status == 200


async def test_what_cannot_be_loaded_is_told_on_the_page_and_to_who_started_it():
    asked, told = threading.Event(), []

    def load() -> NoReturn:
        asked.wait(20)
        raise BROKEN

    settings = load_settings(llm="guide", avatar_host="127.0.0.1")
    listeners = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    front = Front(settings, choose(settings))

    async def ask() -> None:
        async with aiohttp.ClientSession(url) as http:
            waiting = asyncio.create_task(http.get("/status").__aenter__())
            async with http.get("/health"):
                asked.set()
            async with await waiting as answer:
                told.extend([answer.status, (await answer.json())["detail"]])

    asking = []
    with pytest.raises(BadSetting) as failed:
        there = lambda: asking.append(asyncio.create_task(ask()))  # noqa: E731
        await serve(front, listeners, load, there, pytest.fail, pytest.fail)
    await asking[0]
    assert told == [500, str(BROKEN)] and failed.value is BROKEN


async def test_who_stops_it_meanwhile_waits_for_no_model():
    loads = threading.Event()
    settings = load_settings(llm="guide", avatar_host="127.0.0.1")
    front, listeners = Front(settings, choose(settings)), listen("127.0.0.1", 0)

    def load() -> NoReturn:
        loads.wait(60)
        raise BROKEN

    url, asking = f"http://127.0.0.1:{listeners[0].getsockname()[1]}", []

    async def ask() -> tuple[int, str]:
        async with aiohttp.ClientSession(url) as http:
            waiting = asyncio.create_task(http.get("/status").__aenter__())
            async with http.get("/health"):
                os.kill(os.getpid(), signal.SIGTERM)
            async with await waiting as answer:
                return answer.status, answer.headers["Retry-After"]

    def there() -> None:
        asking.append(asyncio.create_task(ask()))

    try:
        whole = await asyncio.wait_for(
            serve(front, listeners, load, there, pytest.fail, pytest.fail), 20
        )
    finally:
        loads.set()
    assert whole is False
    assert await asking[0] == (503, "60"), "as of any server that is stopped"


@pytest.mark.parametrize("failure", [None, PartFailed("There is no memory for that.")])
async def test_it_opens_rehearses_and_ends_in_order(failure):
    settings = load_settings(llm="guide", avatar="none", avatar_host="127.0.0.1")
    lineup, listeners = choose(settings), listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    seen, logged, rehearsed = list[str](), list[str](), threading.Event()

    def load() -> Server:
        seen.append("loaded")
        return Server(Casting(settings), lineup)

    def afterwards() -> None:
        seen.append("rehearsed")
        try:
            if failure:
                raise failure
        finally:
            rehearsed.set()

    async def visit() -> None:
        async with aiohttp.ClientSession(url) as http, http.get("/status") as answer:
            assert answer.status == 200
        await until(rehearsed.is_set)
        if failure:
            await until(lambda: any(str(failure) in line for line in logged))
        os.kill(os.getpid(), signal.SIGTERM)

    visiting = list[asyncio.Task[None]]()

    def ready() -> None:
        seen.append("ready")
        visiting.append(asyncio.create_task(visit()))

    sink = logger.add(logged.append, level="ERROR", format="{message}")
    front = Front(settings, lineup)
    serving = serve(front, listeners, load, lambda: seen.append("there"), ready, afterwards)
    try:
        if failure:
            with pytest.raises(PartFailed, match="no memory"):
                await serving
        else:
            assert await serving is True
    finally:
        logger.remove(sink)
    await visiting[0]
    assert seen == ["there", "loaded", "ready", "rehearsed"]
    assert len(logged) == bool(failure)


def test_the_page_waits_for_no_framework_and_no_model():
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60, check=True
    )
    heavy = {"pipecat", "aiohttp", "aiortc", "cv2", "fastapi", "numpy", "onnxruntime", "openai"}
    front, whole = done.stdout.splitlines()
    assert not heavy & set(front.split())
    others = {"fastapi", "openai", "liveavatar.records", "pipecat.services.heygen"}
    assert not others & set(whole.split()), "the messages and clients of what is not chosen"
