"""How conversations end: by time, by silence, by signals, and by malformed requests not at all."""

import asyncio
import json
import signal
from functools import partial
from itertools import groupby

import aiohttp
import pytest

from tests.talk.app import SMALL, running_app
from tests.talk.visitor import Visitor

PERSONA = """
name: Theo
greeting: Hello ${guest}.
still_there: Are you there?
goodbye: Goodbye.
updating: I am being updated.
"""

pytestmark = pytest.mark.drawn(2)


@pytest.fixture
def persona(tmp_path):
    (tmp_path / "short.yaml").write_text(PERSONA)
    return (*SMALL, "--persona", "short.yaml", "--visitor-variables", "guest")


def heard_until(visitor, at_s):
    return visitor.sounds[-1].at_s > at_s


def said(visitor):
    """What the avatar began to say, in order."""
    texts = [m["text"] for m in visitor.received("bot-output") if not m.get("spoken")]
    return [text for text, _ in groupby(texts)]


async def test_a_silent_user_is_asked_once_and_then_left_politely(tmp_path, persona):
    async with running_app(tmp_path, *persona, "--idle-s", "1") as app:
        async with Visitor(app.url, {"variables": {"guest": "Ann"}}) as visitor:
            await visitor.until(visitor.over.is_set, "the end", 40)
            over = [m for m in visitor.received("server-message") if m["type"] == "over"]
            assert over == [{"type": "over", "reason": "silence"}]
        (transcript,) = app.transcripts()
    lines = [json.loads(line) for line in transcript.read_text().splitlines()]
    texts = [line["text"] for line in lines if "text" in line]
    assert texts == ["Hello Ann.", "Are you there?", "Goodbye."]
    assert lines[-1]["event"] == "ended"


async def test_who_types_is_not_silent(tmp_path, persona):
    async with running_app(tmp_path, *persona, "--idle-s", "2.5") as app:
        async with Visitor(app.url, {"variables": {"guest": "Ann"}}) as visitor:
            await visitor.hushed(0)
            visitor.tell_track(enabled=False)
            due_s = visitor.sounds[-1].at_s + 2.5
            await visitor.until(partial(heard_until, visitor, due_s), "a while with it off")
            assert "Are you there?" not in said(visitor), "who has the microphone off may listen"
            visitor.tell_track(enabled=True)
            for ping in ("typing", "interrupt", "typing", "typing", "interrupt"):
                visitor.send("client-message", {"t": ping})
                due_s = visitor.sounds[-1].at_s + 0.8
                await visitor.until(partial(heard_until, visitor, due_s), "a while without a word")
            assert "Are you there?" not in said(visitor), "typing and clicking is presence"
            await visitor.until(lambda: "Are you there?" in said(visitor), "the question", 30)
            visitor.send("send-text", {"content": "Thank you."})
            await visitor.until(lambda: said(visitor).count("Are you there?") == 2, "again", 40)
            first = said(visitor).index("Are you there?")
            assert said(visitor)[first + 1] != "Are you there?", "what was typed is answered"
            assert "Goodbye." not in said(visitor)


async def test_a_conversation_has_a_longest_duration(tmp_path, persona):
    flags = (*persona, "--var", "guest=Ann", "--max-duration-s", "2")
    async with running_app(tmp_path, *flags) as app, Visitor(app.url) as visitor:
        await visitor.until(visitor.over.is_set, "the end", 40)
        over = [m for m in visitor.received("server-message") if m["type"] == "over"]
        assert over == [{"type": "over", "reason": "duration"}]


@pytest.mark.drawn
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
async def test_a_signal_ends_running_conversations_and_then_the_process(number, tmp_path, persona):
    """At an update the user is told so, aloud and on the page, and nobody else is let in."""
    async with running_app(tmp_path, *persona, "--var", "guest=Ann") as app:
        async with Visitor(app.url) as visitor, aiohttp.ClientSession(app.url) as http:
            await visitor.until(lambda: visitor.received("bot-started-speaking"), "a word", 30)
            app.process.send_signal(number)
            if number == signal.SIGTERM:
                updating = "I am being updated."
                await visitor.until(lambda: updating in said(visitor), "the reason", 5)
                async with http.post("/start", json={"transport": "webrtc"}) as answer:
                    assert answer.status == 503
                    assert "is being updated" in (await answer.json())["detail"]
                await visitor.until(visitor.over.is_set, "the end", 10)
                over = [m for m in visitor.received("server-message") if m["type"] == "over"]
                assert over == [{"type": "over", "reason": "update"}]
            async with asyncio.timeout(10):
                await app.process.wait()
            (transcript,) = app.transcripts()
    lines = [json.loads(line) for line in transcript.read_text().splitlines()]
    assert lines[-1]["event"] == "ended"
    told = " ".join(line["text"] for line in lines if "text" in line)
    assert ("I am being updated." in told) is (number == signal.SIGTERM)
    assert "Traceback" not in app.output


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"{not json", "JSON object", id="no JSON"),
        pytest.param(b"[1]", "JSON object", id="no object"),
        pytest.param(b'{"body": 5}', "JSON object", id="body that is none"),
        pytest.param(b'{"transport": "pigeon"}', "Unknown transport 'pigeon'", id="no transport"),
        pytest.param(b'{"transport": "daily"}', "needs DAILY_API_KEY", id="key is missing"),
        pytest.param(b"{}", "guest", id="variable is missing"),
        pytest.param(b'{"body": {"variables": 5}}', "map names to texts", id="no mapping"),
    ],
)
async def test_a_malformed_start_is_refused_in_a_sentence(body, said, server):
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{server.url}/start", data=body) as answer:
            assert answer.status == 400
            assert said in (await answer.json())["detail"]
        async with http.get(f"{server.url}/api/lineup") as answer:
            assert (await answer.json())["persona"] == {"id": "short", "name": "Theo"}


@pytest.fixture(scope="module")
async def server(tmp_path_factory):
    """A server with options of Pipecat's, whose persona wants a variable."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "short.yaml").write_text(PERSONA)
    options = (
        *("--allowed-origins", "https://mine.example", "--ice-servers", "stun:127.0.0.1:9"),
        *("--visitor-variables", "guest"),
    )
    async with running_app(folder, *SMALL, "--persona", "short.yaml", *options) as app:
        yield app


async def test_pipecats_own_client_and_options_are_there(server):
    async with aiohttp.ClientSession(server.url) as http:
        async with http.get("/client/") as answer:
            assert answer.status == 200 and "<html" in await answer.text()
        origin = {"Origin": "https://mine.example"}
        start = {"transport": "webrtc", "body": {"variables": {"guest": "Ann"}}}
        async with http.post("/start", json=start, headers=origin) as answer:
            servers = (await answer.json())["iceConfig"]["iceServers"]
            assert servers == [{"urls": "stun:127.0.0.1:9"}]
            assert answer.headers["Access-Control-Allow-Origin"] == "https://mine.example"
