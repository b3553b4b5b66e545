"""The doors of the real server: who is let in with which credential, and who is not."""

import asyncio
import re
import time
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from bots import link, talk
from bots.eval.holding import hold
from bots.eval.scenarios import read_scenarios
from bots.eval.server import running_server
from bots.server.passes import EVAL, LINK, VISIT, NoPass, Pass, Passes
from pipelines.errors import UserError
from tests.nginx import nginx
from tests.talk.app import SMALL, App, running_app

TOKEN = "a-token-that-is-long-enough"
ENV = {"AVATAR_ACCESS_TOKEN": TOKEN}
FLAGS = (*SMALL, "--avatar", "none", "--log-level", "INFO")
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
CLOSED = [
    ("POST", "/start"),
    ("POST", "/api/offer"),
    ("PATCH", "/api/offer"),
    ("POST", "/sessions/x/api/offer"),
    ("POST", "/sessions/x/files"),
    ("GET", "/api/lineup"),
    ("GET", "/status"),
    ("GET", "/daily"),
    ("GET", "/files/x"),
    ("GET", "/metrics"),
    ("GET", "/any/route/added/later"),
    ("POST", "/"),
    ("POST", "/avatar.js"),
    ("GET", "/../api/lineup"),
    ("GET", "/web/../api/lineup"),
]
PERSONA = "name: Ada\ngreeting: Hello ${guest}, about ${topic}.\n"
SCENARIO = """
name: doors
scenarios:
  - name: typed
    turns:
      - user: "Are you a real person?"
        expect: [{event: response, text_contains: software}]
"""
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.patient]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory):
    """A server that asks for a credential."""
    async with running_app(tmp_path_factory.mktemp("doors"), *FLAGS, env=ENV) as app:
        yield app
    assert TOKEN not in app.output and "avatar-link." not in app.output


@pytest_asyncio.fixture(loop_scope="module")
async def http(app):
    """Somebody who asks it."""
    async with aiohttp.ClientSession(app.url) as http:
        yield http


@pytest.fixture
def passes(tmp_path):
    """Passes that this server takes."""
    return Passes(TOKEN, tmp_path)


def lasting(seconds=60.0, **more):
    return Pass(time.time() + seconds, **more)


def bearing(text):
    return {"Authorization": f"Bearer {text}"}


async def exchanged(http, text):
    async with http.post("/api/visit", json={"link": text}) as answer:
        return answer.status, await answer.json()


async def visiting(http, passes, **more):
    """The headers of a visitor who has come by a link."""
    status, given = await exchanged(http, passes.sign(LINK, lasting(**more)))
    assert status == 200
    return bearing(given["token"])


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_every_route_is_closed_to_who_brings_nothing(http, method, path):
    async with http.request(method, path, json={}) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "with a link" in (await answer.json())["detail"]


@pytest.mark.parametrize("path", ["/", "/avatar.js", "/web/pages/page.js", "/health", "/ready"])
async def test_the_page_and_its_files_are_open(http, path):
    async with http.get(path) as answer:
        assert answer.status == 200


async def test_no_wrong_credential_lets_anybody_in(http, passes):
    stranger = Passes("another-token-of-somebody", Path("unused"))
    visit = passes.sign(VISIT, lasting())
    wrong = [
        *("", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "é", "." * 9000),
        stranger.sign(VISIT, lasting()),
        passes.sign(VISIT, lasting(-1)),
        passes.sign(LINK, lasting()),
        passes.sign(EVAL, lasting()),
        visit[:-4] + ("AAAA" if visit[-4:] != "AAAA" else "BBBB"),
        visit.replace(VISIT, LINK),
    ]
    for text in wrong:
        async with http.get("/status", headers=bearing(text)) as answer:
            assert answer.status == 401, text
    for headers in ({"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}):
        async with http.get("/status", headers=headers) as answer:
            assert answer.status == 401
    async with http.get(f"/status?token={TOKEN}&access_token={TOKEN}") as answer:
        assert answer.status == 401


async def test_the_token_lets_in_also_where_it_is_written_in_small_letters(http):
    for word in ("Bearer", "bearer"):
        headers = {"Authorization": f"{word} {TOKEN}"}
        async with http.get("/status", headers=headers) as answer:
            assert answer.status == 200
    async with http.get("/any/route/added/later", headers=OPERATOR) as answer:
        assert answer.status == 404


async def test_a_link_lets_one_visitor_in_once(http, passes):
    fresh = passes.sign(LINK, lasting())
    tries = await asyncio.gather(*(exchanged(http, fresh) for _ in "12345"))
    assert sorted(status for status, _ in tries) == [200, 401, 401, 401, 401]
    status, told = await exchanged(http, fresh)
    assert (status, told["detail"]) == (401, "This link has been used: ask for another one.")


async def test_what_is_no_link_is_refused_in_a_sentence(http, passes):
    stranger = Passes("another-token-of-somebody", Path("unused"))
    links = [
        *(passes.sign(LINK, lasting(-1)), passes.sign(VISIT, lasting())),
        *(stranger.sign(LINK, lasting()), "", "../../etc/passwd", "avatar-link.\ud800.x"),
    ]
    for each in links:
        status, told = await exchanged(http, each)
        assert status == 401 and "ask for another" in told["detail"]
    for sent in (b"", b"[]", b'{"link": 5}', b"\xff"):
        async with http.post("/api/visit", data=sent) as answer:
            assert answer.status == 400


async def test_a_visit_leads_to_a_conversation_and_to_nothing_of_the_operators(http, passes):
    headers = await visiting(http, passes)
    async with http.post("/start", json={}, headers=headers) as answer:
        assert answer.status == 200
    for path in ("/daily", "/metrics", "/any/route/added/later", "/started"):
        async with http.get(path, headers=headers) as answer:
            assert answer.status == 403
    async with http.post("/start", json={"transport": "headless"}, headers=headers) as answer:
        assert answer.status == 403
    for name in ("dailyRoomProperties", "dailyMeetingTokenProperties"):
        asked = {name: {"enable_recording": "cloud"}}
        async with http.post("/start", json=asked, headers=headers) as answer:
            assert answer.status == 403
            assert "may not set" in (await answer.json())["detail"]


async def test_a_visitor_finds_no_conversation_of_others(http, passes):
    one, other = await visiting(http, passes), await visiting(http, passes)
    async with http.post("/start", json={}, headers=one) as answer:
        session = (await answer.json())["sessionId"]
    path, statuses = f"/sessions/{session}/api/offer", []
    for headers in (one, other, OPERATOR):
        async with http.post(path, json={}, headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [400, 404, 400]


async def test_another_page_may_not_use_what_it_has_stolen(http, passes):
    stolen = await visiting(http, passes)
    for headers in (stolen, OPERATOR):
        foreign = {**headers, "Origin": "https://evil.example"}
        async with http.post("/start", json={}, headers=foreign) as answer:
            assert answer.status == 403
            assert "AVATAR_ALLOWED_ORIGINS" in (await answer.json())["detail"]


async def opens(http, path, **more):
    """Whether a WebSocket is opened."""
    try:
        async with http.ws_connect(path, **more) as socket:
            return not socket.closed
    except aiohttp.WSServerHandshakeError as refused:
        assert refused.status == 403
        return False


async def test_the_websocket_takes_the_token_a_ticket_once_and_what_evals_bring(http, passes):
    visitor = await visiting(http, passes)
    for path in ("/ws", "/ws/x", f"/ws/{passes.sign(EVAL, lasting(-1))}", f"/ws?token={TOKEN}"):
        assert not await opens(http, path)
        assert not await opens(http, path, headers=visitor)
    assert await opens(http, "/ws", headers=OPERATOR)
    of_eval = passes.sign(EVAL, lasting())
    assert await opens(http, f"/ws/{of_eval}") and await opens(http, f"/ws/{of_eval}")
    for path, header in (("/ws/{}", ""), ("/ws?token={}", ""), ("/ws/x", "{}"), ("/ws", "{}")):
        async with http.post("/start", json={"transport": "headless"}, headers=OPERATOR) as answer:
            ticket = (await answer.json())["token"]
        shown = {"headers": bearing(header.format(ticket))} if header else {}
        assert await opens(http, path.format(ticket), **shown)
        assert not await opens(http, path.format(ticket), **shown)


@pytest.fixture
def command(monkeypatch, capsys):
    """What `avatar link` prints in this environment."""

    def run(*words, **env):
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        assert link.run(words) == 0
        return capsys.readouterr().out.strip()

    return run


async def test_the_command_makes_a_link_for_one_persona_with_its_variables(tmp_path, command):
    (tmp_path / "ada.yaml").write_text(PERSONA)
    env = {**ENV, "AVATAR_PERSONA": str(tmp_path / "ada.yaml")}
    words = ("--persona", "ada", "--var", "guest=Ann", "--var", "topic=tea")
    made = command(*words, "--url", "https://host/avatar/", **env)
    assert made.startswith("https://host/avatar/#link=avatar-link.")
    async with (
        running_app(tmp_path, *FLAGS, env=env) as app,
        aiohttp.ClientSession(app.url) as http,
    ):
        async with http.post("/start", json={}, headers=OPERATOR) as answer:
            assert answer.status == 400  # nobody fills the variables
        _, given = await exchanged(http, made.partition("#link=")[2])
        visitor = bearing(given["token"])
        async with http.post("/start", json={}, headers=visitor) as answer:
            assert answer.status == 200
        async with http.get("/api/lineup", headers=visitor) as answer:
            assert [row["id"] for row in (await answer.json())["personas"]] == ["ada"]


async def test_a_link_for_one_persona_leads_to_no_other(http, passes):
    visitor = await visiting(http, passes, persona="mira")
    async with http.get("/api/lineup", headers=visitor) as answer:
        assert [row["id"] for row in (await answer.json())["personas"]] == ["mira"]
    for persona, status in (("theo", 400), ("mira", 200)):
        asked = {"body": {"persona": persona}}
        async with http.post("/start", json=asked, headers=visitor) as answer:
            assert answer.status == status


@pytest.mark.parametrize(
    ("words", "env", "why"),
    [
        ([], {}, "needs AVATAR_ACCESS_TOKEN"),
        (["--persona", "nobody"], ENV, "There is no persona 'nobody' here"),
        (["--url", "ftp://x"], ENV, "is no address"),
        ([], {"AVATAR_ACCESS_TOKEN": "short"}, "it takes 16 characters"),
    ],
)
async def test_a_link_that_cannot_be_made_is_told_in_a_sentence(command, words, env, why):
    with pytest.raises(UserError, match=why):
        command(*words, **env)


async def test_the_command_tells_what_evals_take(command):
    url = command("--eval", "--url", "https://host", **ENV)
    assert re.fullmatch(r"wss://host/ws/avatar-eval\.[\w-]+\.[\w-]+", url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
async def test_no_server_is_open_to_others_without_a_token(host):
    with pytest.raises(UserError, match="needs AVATAR_ACCESS_TOKEN: set it .* `avatar link` makes"):
        talk.run(["--no-open", "--port", "0", "--host", host, *FLAGS])


async def first_line(app: App, sent: bytes) -> bytes:
    """The first line of a server's answer to what is sent as it is."""
    host, _, port = app.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    line = await reader.readline()
    writer.close()
    return line


async def test_behind_a_proxy_a_server_without_a_token_lets_nobody_in(tmp_path_factory, tmp_path):
    async with running_app(tmp_path, *SMALL, "--avatar", "none") as app:
        async with aiohttp.ClientSession(app.url) as http:
            async with http.get("/status") as answer:
                assert answer.status == 200
            signs = [
                *({"X-Forwarded-For": "1.2.3.4"}, {"X-Forwarded-Proto": "https"}),
                *({"Forwarded": "for=1.2.3.4"}, {"Via": "1.1 x"}, {"X-Real-IP": "1.2.3.4"}),
                {"Host": "192.0.2.1"},
            ]
            for headers in signs:
                async with http.post("/start", json={}, headers=headers) as answer:
                    assert answer.status == 401
                    assert "set AVATAR_ACCESS_TOKEN" in (await answer.json())["detail"]
            # A tunnel that says nothing is known by the page it shows.
            page = {"Origin": "https://avatar.example", "Sec-Fetch-Site": "same-origin"}
            async with http.post("/start", json={}, headers=page) as answer:
                assert answer.status == 401
        # As nginx asks by default, with nothing else to know it by.
        for version, status in (("1.0", b" 401 "), ("1.1", b" 200 ")):
            asked = f"GET /status HTTP/{version}\r\nHost: localhost\r\n\r\n"
            assert status in await first_line(app, asked.encode())
        async with (
            nginx(app.url, "/avatar", tmp_path_factory.mktemp("nginx")) as url,
            aiohttp.ClientSession() as http,
            http.post(f"{url}/start", json={}, ssl=False) as answer,
        ):
            assert answer.status == 401


async def test_a_used_link_is_remembered_by_another_process_and_then_forgotten(tmp_path):
    now = [1000.0]
    one, other = (Passes(TOKEN, tmp_path, lambda: now[0]) for _ in "12")
    made = one.sign(LINK, Pass(2000.0))
    one.exchange(made)
    with pytest.raises(NoPass, match="has been used"):
        other.exchange(made)
    now[0] = 2500.0
    with pytest.raises(NoPass, match="has expired"):
        other.exchange(made)
    other.exchange(other.sign(LINK, Pass(3000.0)))
    assert len(list(tmp_path.iterdir())) == 1


# Pipecat's harness imports websockets by a name of before version 14.
@pytest.mark.filterwarnings("ignore:websockets.WebSocketClientProtocol is deprecated")
async def test_a_viewer_of_scenarios_needs_a_link_and_is_let_in_by_it(app, passes, tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(SCENARIO)
    (scenario,) = read_scenarios([file])
    with pytest.raises(UserError, match=r"asks for a credential: give --bot-url a link"):
        async with running_server(app.url) as address:
            await hold(scenario, address)
    url = f"{app.url}/#link={passes.sign(LINK, Pass(time.time() + 60))}"
    async with running_server(url) as address:
        outcome = await hold(scenario, address)
    assert outcome.passed, outcome
    with pytest.raises(UserError, match=r"does not take this link \(This link has been used"):
        async with running_server(url):
            pass
