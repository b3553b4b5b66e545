"""Which pages may use the server, whatever they send."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bots.server.origins import Guard, Origins
from web.loopback import is_loopback

LOCAL = "http://localhost:7860"
LISTED = "https://shop.example"
PUBLIC = "https://avatar.example"


def client(origins: Origins, url: str = LOCAL) -> TestClient:
    """Somebody who reaches a server under a URL; it counts what was done."""

    async def do(request):
        app.state.done += 1
        return JSONResponse({"done": app.state.done})

    async def talk(socket):
        await socket.accept()
        await socket.send_text("hello")

    paths = ("/", "/start", "/sessions/1/api/offer", "/api/lineup", "/api/faces/theo", "/daily")
    routes = [Route(path, do, methods=["GET", "POST", "PATCH"]) for path in paths]
    app = Starlette(
        routes=[*routes, WebSocketRoute("/ws", talk)], middleware=[Middleware(Guard, origins)]
    )
    app.state.done = 0
    return TestClient(app, url)


def done(client: TestClient) -> int:
    """How often something was done."""
    return client.app.state.done  # type: ignore[attr-defined]


AT_HOME = Origins("localhost")
IN_PUBLIC = Origins("0.0.0.0", frozenset({LISTED}))


@pytest.mark.parametrize(
    ("origins", "url", "origin"),
    [
        pytest.param(AT_HOME, LOCAL, LOCAL, id="its own page"),
        pytest.param(AT_HOME, "http://127.0.0.1:7860", "http://127.0.0.1:7860", id="by address"),
        pytest.param(AT_HOME, LOCAL, "http://localhost:3000", id="another page of this machine"),
        pytest.param(AT_HOME, LOCAL, "http://[::1]:3000", id="IPv6"),
        pytest.param(AT_HOME, LOCAL, "http://shop.localhost:3000", id="a name of this machine"),
        pytest.param(AT_HOME, PUBLIC, PUBLIC, id="its own page through a tunnel"),
        pytest.param(IN_PUBLIC, PUBLIC, PUBLIC, id="its own page in public"),
        pytest.param(IN_PUBLIC, "http://nas.lan:7860", "http://nas.lan:7860", id="in a house"),
        pytest.param(IN_PUBLIC, PUBLIC, LISTED, id="a listed page"),
        pytest.param(IN_PUBLIC, PUBLIC, LISTED.upper(), id="in capitals"),
        pytest.param(Origins("0.0.0.0", frozenset({"*"})), PUBLIC, "https://x.example", id="any"),
    ],
)
def test_these_pages_may(origins, url, origin):
    user = client(origins, url)
    answer = user.post("/start", json={}, headers={"Origin": origin})
    assert answer.json() == {"done": 1}
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in answer.headers["Vary"]
    headers = {"Origin": origin, "Host": user.base_url.netloc.decode()}
    with user.websocket_connect("/ws", headers=headers) as socket:
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize(
    ("origins", "url", "origin"),
    [
        pytest.param(AT_HOME, LOCAL, "https://evil.example", id="a foreign page"),
        pytest.param(AT_HOME, LOCAL, "http://localhost.evil.example", id="a name that looks alike"),
        pytest.param(AT_HOME, LOCAL, "http://evil.example:7860", id="the same port"),
        pytest.param(AT_HOME, "http://evil.example:7860", "http://evil.example:7860", id="rebound"),
        pytest.param(AT_HOME, LOCAL, "https://[evil", id="no origin at all"),
        pytest.param(IN_PUBLIC, PUBLIC, "http://localhost:3000", id="this machine, in public"),
        pytest.param(IN_PUBLIC, PUBLIC, "https://evil.example", id="a foreign page, in public"),
        pytest.param(IN_PUBLIC, PUBLIC, f"{LISTED}.evil.example", id="a listed name's namesake"),
        pytest.param(IN_PUBLIC, PUBLIC, f"{LISTED}:8443", id="a listed name's other port"),
        pytest.param(IN_PUBLIC, PUBLIC, "http://shop.example", id="a listed page without TLS"),
    ],
)
def test_other_pages_may_not_and_can_read_why(origins, url, origin):
    user = client(origins, url)
    for method, path in (
        ("POST", "/start"),
        ("PATCH", "/sessions/1/api/offer"),
        ("GET", "/api/lineup"),
        ("GET", "/daily"),
        ("POST", "/"),
    ):
        answer = user.request(method, path, headers={"Origin": origin})
        assert answer.status_code == 403
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        why = answer.json()["detail"]
        assert f"add {origin} to AVATAR_ALLOWED_ORIGINS" in why
    with pytest.raises(WebSocketDisconnect):
        headers = {"Origin": origin, "Host": user.base_url.netloc.decode()}
        user.websocket_connect("/ws", headers=headers).__enter__()
    assert done(user) == 0


def test_a_page_from_a_file_is_told_what_to_do():
    answer = client(AT_HOME).post("/start", headers={"Origin": "null"})
    assert answer.status_code == 403
    assert "open it from a web server" in answer.json()["detail"]


def test_a_form_of_a_foreign_page_does_nothing():
    """It needs no preflight: CORS alone would let it through."""
    user = client(AT_HOME)
    form = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    assert user.post("/start", content=b'{"transport": "webrtc"}', headers=form).status_code == 403
    assert done(user) == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_picture_or_a_link_on_a_foreign_page_does_nothing(site):
    user = client(AT_HOME)
    answer = user.get("/daily", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert "AVATAR_ALLOWED_ORIGINS" in answer.json()["detail"]
    assert done(user) == 0


def test_a_rebound_name_cannot_get_what_does_something():
    user = client(AT_HOME, "http://evil.example:7860")
    answer = user.get("/daily")
    assert answer.status_code == 403
    assert "not known as evil.example:7860" in answer.json()["detail"]
    assert done(user) == 0


def test_programs_without_an_origin_go_on_working():
    for url in (LOCAL, PUBLIC):
        user = client(AT_HOME, url)
        assert user.post("/start").status_code == 200
        assert user.get("/api/lineup").status_code == 200
        with user.websocket_connect("/ws") as socket:
            assert socket.receive_text() == "hello"
    assert client(AT_HOME).get("/daily", headers={"Sec-Fetch-Site": "none"}).status_code == 200


def test_the_browser_knows_its_own_page_behind_a_proxy_that_changes_the_name():
    user = client(AT_HOME, "http://127.0.0.1:7860")
    headers = {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}
    assert user.post("/start", headers=headers).status_code == 200
    headers["Sec-Fetch-Site"] = "cross-site"
    assert user.post("/start", headers=headers).status_code == 403


def test_a_preflight_lets_the_refusal_be_read():
    user = client(AT_HOME)
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = user.options("/start", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.example"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert done(user) == 0


def test_what_is_shared_can_be_loaded_by_any_page():
    answer = client(AT_HOME).get("/api/faces/theo", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_the_page_can_be_opened_from_a_link_and_framed_by_listed_pages_only():
    user = client(IN_PUBLIC, PUBLIC)
    answer = user.get("/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = answer.headers["Content-Security-Policy"]
    assert policy == f"frame-ancestors 'self' {LISTED}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("name", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("app.localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_what_is_this_machine(name, loopback):
    assert is_loopback(name) is loopback
