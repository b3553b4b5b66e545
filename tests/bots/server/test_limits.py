"""What one client may ask for: slow and endless requests, large ones, and many."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Scope
from starlette.websockets import WebSocket

from bots.server import limits
from bots.server.front import _refused
from bots.server.limits import BURST, Buckets, Pace, Reading, Size, of_all
from bots.server.refusal import Refused
from web.port import listen, url_of
from web.serving import serving

BODY, UPLOAD = Size(100, 0.5), Size(1000, 0.5)
HEAD = b"POST /start HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def read(request: Request) -> JSONResponse:
    return JSONResponse(len(await request.body()))


async def leave(_request: Request) -> JSONResponse:
    return JSONResponse({"detail": "closed"}, 401)


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())


@asynccontextmanager
async def limited(
    buckets: Buckets | None = None, own: Callable[[Scope], str | None] = of_all, **options
) -> AsyncIterator[int]:
    """The port of a server with small limits."""
    app = Starlette(
        routes=[
            Route("/start", read, methods=["POST"]),
            Route("/sessions/x/files", read, methods=["POST"]),
            Route("/closed", leave, methods=["POST"]),
            WebSocketRoute("/ws", talk),
        ],
        middleware=[
            Middleware(Reading, BODY, UPLOAD),
            Middleware(Pace, Buckets() if buckets is None else buckets, own),
        ],
        exception_handlers={Refused: _refused},
    )
    (listener,) = listen("127.0.0.1", 0)
    async with serving(app, [listener], log_config=None, **options):
        yield listener.getsockname()[1]


async def answered(port: int, *sent: bytes, again: bytes = b"") -> bytes:
    """All that is answered until the server closes, to parts and then to one sent without end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for part in sent:
            writer.write(part)
        while again:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0.02)

    sending, answer = asyncio.create_task(send()), b""
    try:
        async with asyncio.timeout(10):
            while part := await reader.read(65536):
                answer += part
            return answer
    except ConnectionResetError:
        return answer
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()


async def test_a_body_of_the_right_size_is_read_and_a_larger_one_is_not():
    async with limited() as port, aiohttp.ClientSession(url_of("127.0.0.1", port)) as http:
        for path, length, status in (
            ("/start", 100, 200),
            ("/start", 101, 413),
            ("/sessions/x/files", 1000, 200),
            ("/sessions/x/files", 1001, 413),
        ):
            async with http.post(path, data=b"x" * length) as answer:
                assert answer.status == status


@pytest.mark.parametrize(
    ("sent", "again", "status"),
    [
        pytest.param([CHUNKED], b"32\r\n" + b"x" * 50 + b"\r\n", b" 413 ", id="endless"),
        pytest.param([CHUNKED], b"1\r\nx\r\n", b" 408 ", id="slow and endless"),
        pytest.param([HEAD + b"Content-Length: 9\r\n\r\nx"], b"", b" 408 ", id="never whole"),
        pytest.param([HEAD + b"Content-Length: 99999999\r\n\r\n"], b"x", b" 413 ", id="announced"),
        pytest.param([CHUNKED.replace(b"start", b"closed")], b"1\r\nx\r\n", b" 401 ", id="closed"),
    ],
)
async def test_a_body_that_does_not_end_is_answered_and_the_connection_closed(sent, again, status):
    async with limited() as port:
        answer = await answered(port, *sent, again=again)
    assert status in answer.splitlines()[0]


async def test_a_short_body_that_nobody_reads_is_heard_out_before_the_answer():
    closed, body = HEAD.replace(b"start", b"closed") + b"Content-Length: 9\r\n\r\n", b"x" * 9
    async with limited(timeout_keep_alive=1) as port:
        answer = await answered(port, closed, body, closed, body)
    assert answer.count(b" 401 ") == 2 and b"connection: close" not in answer.lower()


@pytest.mark.parametrize("sent", [b"", b"POST /st", HEAD])
async def test_a_head_that_does_not_come_ends_the_connection(sent):
    async with limited(head_s=0.3, timeout_keep_alive=1) as port:
        assert await answered(port, sent) == b""
        again = HEAD + b"Content-Length: 1\r\n\r\nx"
        assert (await answered(port, again, sent or b"P")).count(b"200 OK") == 1


async def test_a_head_that_grows_without_end_is_refused():
    async with limited() as port:
        assert b"400" in await answered(port, HEAD, again=b"X-A: " + b"a" * 4000 + b"\r\n")


async def test_a_websocket_and_a_slow_answer_are_no_late_heads():
    async with limited(head_s=0.2) as port, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{url_of('127.0.0.1', port)}/ws") as socket:
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.5)
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello"


async def test_of_a_hundred_requests_a_second_only_some_are_answered():
    async with limited() as port, aiohttp.ClientSession(url_of("127.0.0.1", port)) as http:

        async def ask() -> int:
            async with http.post("/start", data=b"x") as answer:
                if answer.status == 429:
                    assert answer.headers["Retry-After"] == "1"
                return answer.status

        started_s = time.monotonic()
        statuses = await asyncio.gather(*(ask() for _ in range(300)))
        took_s = time.monotonic() - started_s
        assert statuses.count(200) <= BURST + took_s * limits.RATE + 1
        assert statuses.count(429) == 300 - statuses.count(200)


async def test_who_is_known_is_not_refused_for_what_others_at_the_same_address_ask():
    def own(scope: Scope) -> str | None:
        return {"/sessions/x/files": "x", "/closed": None}.get(scope["path"], "")

    buckets = Buckets(rate=0, burst=2)
    async with limited(buckets, own) as port, aiohttp.ClientSession() as http:
        url, found = url_of("127.0.0.1", port), dict[str, list[int]]()
        for path in ("/start", "/sessions/x/files", "/closed"):
            for _ in range(3):
                async with http.post(f"{url}{path}", data=b"x") as answer:
                    found.setdefault(path, []).append(answer.status)
    assert [*found.values()] == [[200, 200, 429], [200, 200, 429], [401] * 3]


def test_a_bucket_fills_again_and_each_client_has_its_own():
    now = [0.0]
    buckets = Buckets(rate=2, burst=3, clock=lambda: now[0])
    assert [buckets.take("ann") for _ in "1234"] == [True, True, True, False]
    assert buckets.take("bob")
    now[0] = 0.5
    assert [buckets.take("ann") for _ in "12"] == [True, False]
    now[0] = 1000.0
    assert [buckets.take("ann") for _ in "1234"] == [True, True, True, False]


def test_many_clients_cost_little_memory():
    now = [0.0]
    buckets = Buckets(rate=1, burst=3, clock=lambda: now[0])
    for number in range(3 * limits.MOST_CLIENTS):
        now[0] += 0.001
        buckets.take(f"client {number}")
    assert len(buckets) <= limits.MOST_CLIENTS


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_who_has_a_network_of_ipv6_is_one_client(one, other, same):
    named = [limits._client({"client": (host, 1)}) for host in (one, other)]
    assert (named[0] == named[1]) is same
