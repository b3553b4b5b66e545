"""The real server: every route with its headers, and conversations as they are chosen."""

import json

import aiohttp
import pytest
import pytest_asyncio

from puppet.pack import PACKS
from tests.talk.app import SMALL, running_app
from tests.talk.visitor import Visitor

FOREIGN = {"Origin": "https://evil.example"}
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.patient]


@pytest_asyncio.fixture(loop_scope="session")
async def http(app):
    """Somebody who asks the server."""
    async with aiohttp.ClientSession(app.url) as http:
        yield http


async def test_the_page_may_do_little_and_is_asked_for_each_time(http):
    async with http.get("/") as answer:
        assert "<html" in await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert policy.endswith("frame-ancestors 'self'")
        assert answer.headers["Permissions-Policy"].startswith("microphone=(self), camera=()")
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Content-Encoding"] == "gzip"


async def test_any_page_may_load_the_element_and_keeps_it(http):
    async with http.get("/avatar.js", headers=FOREIGN) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        where = (await answer.text()).split('"./')[1].split("element/avatar-call.js")[0]
    async with http.get(f"/{where}call/livekit.js", headers=FOREIGN) as answer:
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_a_file_that_is_not_there_is_said_in_a_sentence(http):
    async with http.get("/web/nobody.js") as answer:
        assert answer.status == 404
        assert (await answer.json())["detail"] == "There is no file nobody.js here."


async def test_the_line_up_is_told_afresh_with_pictures_to_load(http):
    async with http.get("/api/lineup") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        lineup = await answer.json()
    assert lineup["size"] == [320, 180]
    for face in lineup["faces"]:
        async with http.get(face["picture"], headers=FOREIGN) as answer:
            assert await answer.read() == (PACKS / face["id"] / "portrait.webp").read_bytes()
            assert answer.headers["Content-Type"] == "image/webp"
            assert answer.headers["Cache-Control"] == "public, max-age=3600"
            known = {"If-None-Match": answer.headers["ETag"]}
        async with http.get(face["picture"], headers=known) as answer:
            assert answer.status == 304


@pytest.mark.parametrize("name", ["nobody", "..%2f..%2fpyproject", "%00"])
async def test_a_face_that_is_not_offered_has_no_picture(http, name):
    async with http.get(f"/api/faces/{name}") as answer:
        assert answer.status == 404
        assert "detail" in await answer.json()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_who_was_never_started_or_is_over_is_told_so(http, method):
    async with http.request(method, "/sessions/nobody/api/offer", data=b"{}") as answer:
        assert answer.status == 404
        assert "This conversation is over" in (await answer.json())["detail"]


@pytest.mark.parametrize(
    ("method", "said"),
    [("POST", "This is no WebRTC offer"), ("PATCH", "These are no WebRTC candidates")],
)
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"[]",
        b"{}",
        b'{"sdp": 1, "type": "offer", "pc_id": "x", "candidates": [5]}',
        b'{"sdp": "nonsense", "type": "offer", "pc_id": "x", "candidates": {"a": 1}}',
    ],
)
async def test_what_is_no_offer_is_refused_in_a_sentence(http, method, said, sent):
    async with http.post("/start", json={}) as answer:
        session = (await answer.json())["sessionId"]
    for path in (f"/sessions/{session}/api/offer", "/api/offer"):
        async with http.request(method, path, data=sent) as answer:
            assert answer.status == 400
            assert said in (await answer.json())["detail"]


async def test_a_foreign_page_gets_nothing_but_the_reason(http):
    requests = (
        ("GET", "/api/lineup"),
        ("POST", "/start"),
        ("PATCH", "/api/offer"),
        ("GET", "/daily"),
    )
    for method, path in requests:
        async with http.request(method, path, headers=FOREIGN, json={}) as answer:
            assert answer.status == 403
            assert answer.headers["Access-Control-Allow-Origin"] == FOREIGN["Origin"]
            detail = (await answer.json())["detail"]
        assert "add https://evil.example to AVATAR_ALLOWED_ORIGINS" in detail


async def test_a_foreign_page_opens_no_websocket(http):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/ws", headers=FOREIGN)
    assert refused.value.status == 403


async def test_cors_is_ours_alone(http):
    async with http.post("/start", json={}, headers={"Origin": "http://localhost:1"}) as answer:
        assert answer.status == 200
        assert answer.headers.getall("Access-Control-Allow-Origin") == ["http://localhost:1"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_pipecats_own_client_goes_on_working(http):
    async with http.get("/client/") as answer:
        page = await answer.text()
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    script = page.split('src="')[1].split('"')[0].removeprefix(".")
    async with http.get(f"/client{script.removeprefix('/client')}") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"persona": "nobody"}, "There is no persona 'nobody' here: choose one of mira, theo."),
        ({"avatar": "/etc"}, "There is no avatar '/etc' here: choose one of mira, theo."),
        ({"persona": {"x": 1}}, "There is no persona"),
    ],
)
async def test_who_is_not_offered_cannot_be_started(http, body, said):
    async with http.post("/start", json={"transport": "webrtc", "body": body}) as answer:
        assert answer.status == 400
        assert said in (await answer.json())["detail"]


async def test_the_chosen_persona_greets(app):
    before = app.transcripts()
    async with Visitor(app.url, {"persona": "mira", "avatar": "theo"}) as visitor:
        said = await visitor.until(lambda: visitor.received("bot-output"), "the greeting", 30)
        assert "I'm Mira" in " ".join(message["text"] for message in said)
    (transcript,) = set(app.transcripts()) - set(before)
    assert json.loads(transcript.read_text().splitlines()[0])["persona"] == "Mira"


async def test_a_persona_that_is_gone_is_said_in_a_sentence(tmp_path):
    (tmp_path / "brief.yaml").write_text("name: Ada\n")
    async with (
        running_app(tmp_path, *SMALL, "--persona", "brief.yaml") as app,
        aiohttp.ClientSession(app.url) as http,
    ):
        (tmp_path / "brief.yaml").unlink()
        async with http.get("/api/lineup") as answer:
            assert answer.status == 500
            assert "AVATAR_PERSONA=brief.yaml cannot be read" in (await answer.json())["detail"]
        (tmp_path / "brief.yaml").write_text("name: Grace\n")
        async with http.get("/api/lineup") as answer:
            assert (await answer.json())["persona"] == {"id": "brief", "name": "Grace"}
