"""How a server is started, what /start opens, and what is told of what cannot be had."""

import asyncio
import io
import json
import os
import re
import signal
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiortc import RTCPeerConnection, RTCSessionDescription

from tests.standins.daily import Daily
from tests.talk.app import RETURN_S, running_app, until

PERSONA = "name: {name}\ngreeting: Hello.\n"
VOICE_ONLY = ("--llm", "guide", "--avatar", "none")
FLAGS = (
    *VOICE_ONLY,
    *("--transport", "webrtc", "--host", "::1", "--persona", "brief.yaml"),
    *("--transcripts", "transcripts", "--ws-auth", "token"),
    *("-u", "uploads", "-f", "downloads"),
)
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.patient]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory):
    """One server for most of it, on an IPv6 address."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "brief.yaml").write_text(PERSONA.format(name="Ada"))
    (folder / "downloads").mkdir()
    (folder / "downloads" / "hello.txt").write_text("Hello")
    async with running_app(folder, *FLAGS) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def http(app):
    """Somebody who asks the server."""
    async with aiohttp.ClientSession(app.url) as http:
        yield http


class Caller:
    """Offers a connection and keeps the messages that come."""

    def __init__(self):
        self.peer = RTCPeerConnection()
        self.messages = []
        self.told = asyncio.Event()
        self.left = asyncio.Event()
        channel = self.peer.createDataChannel("rtvi")
        channel.on("message", self._keep)
        self.peer.addTransceiver("audio")
        self.peer.addTransceiver("video", direction="recvonly")

    def closed(self):
        if self.peer.connectionState in ("closed", "failed"):
            self.left.set()

    def _keep(self, text):
        self.messages.append(json.loads(text))
        self.told.set()

    async def offer(self, http, path, codec="", **more):
        await self.peer.setLocalDescription(await self.peer.createOffer())
        sdp = self.peer.localDescription.sdp
        sdp = re.sub(r" (VP8|H264)/90000", f" {codec}/90000", sdp) if codec else sdp
        offer = {"sdp": sdp, "type": "offer", **more}
        async with http.post(path, json=offer) as answer:
            if answer.status != 200:
                return (await answer.json())["detail"]
            given = await answer.json()
        await self.peer.setRemoteDescription(RTCSessionDescription(given["sdp"], given["type"]))
        return ""


@asynccontextmanager
async def calling():
    caller = Caller()
    try:
        yield caller
    finally:
        await caller.peer.close()


async def started(http, **asked):
    async with http.post("/start", json=asked) as answer:
        return answer.status, await answer.json()


async def first_line(app):
    """The first line of the only transcript, once it is written."""
    written = await until(lambda: "".join(file.read_text() for file in app.transcripts()))
    return json.loads(written.splitlines()[0])


async def test_an_ipv6_address_is_printed_in_brackets(app):
    assert app.url.startswith("http://[::1]:")


async def test_who_was_chosen_at_start_is_who_comes(app, http):
    _, session = await started(http)
    (app.folder / "brief.yaml").write_text(PERSONA.format(name="Grace"))
    async with calling() as caller:
        assert not await caller.offer(http, f"/sessions/{session['sessionId']}/api/offer")
        assert (await first_line(app))["persona"] == "Ada"
    (app.folder / "brief.yaml").write_text(PERSONA.format(name="Ada"))


async def test_what_fails_after_the_offer_reaches_the_page_as_a_sentence(app, http):
    folder = app.folder / "transcripts"
    folder.rename(folder.with_name("moved")) if folder.exists() else None
    folder.write_text("no folder")
    _, session = await started(http)
    async with calling() as caller:
        assert not await caller.offer(http, f"/sessions/{session['sessionId']}/api/offer")
        await asyncio.wait_for(caller.told.wait(), 20)
        (told,) = [each for each in caller.messages if each["type"] == "error"]
    assert told["label"] == "rtvi-ai" and told["data"]["fatal"] is True
    assert "AVATAR_TRANSCRIPTS=transcripts cannot be written" in told["data"]["error"]
    assert "Traceback" not in app.output
    folder.unlink()


async def test_an_offer_that_asks_for_what_is_not_offered_is_refused_at_once(http):
    async with calling() as caller:
        said = await caller.offer(http, "/api/offer", requestData={"persona": "nobody"})
    assert "There is no persona 'nobody' here" in said


async def test_only_who_has_the_key_of_a_session_takes_its_conversation_up(app, http):
    before = len(app.transcripts())
    _, session = await started(http)
    assert session["returnS"] == RETURN_S
    path = f"/sessions/{session['sessionId']}/api/offer"
    async with calling() as first, calling() as stranger, calling() as second:
        assert not await first.offer(http, path)
        first.peer.on("connectionstatechange", first.closed)
        await until(lambda: first.peer.connectionState == "connected")
        refused = await stranger.offer(http, path, return_key="another")
        assert refused == "This is not the page that held the conversation."
        assert not await second.offer(http, path, return_key=session["returnKey"])
        await asyncio.wait_for(first.left.wait(), 20)
        await until(lambda: second.peer.connectionState == "connected")
        assert len(app.transcripts()) == before + 1


async def test_a_browser_without_a_codec_of_ours_is_told_which_it_needs(http):
    async with calling() as caller:
        said = await caller.offer(http, "/api/offer", codec="AV1")
    assert "it needs VP8, or H.264" in said


async def test_what_a_part_cannot_do_for_a_persona_is_refused_by_start(app, http):
    (app.folder / "brief.yaml").write_text(PERSONA.format(name="Ada") + "language: de\n")
    status, answer = await started(http)
    (app.folder / "brief.yaml").write_text(PERSONA.format(name="Ada"))
    assert status == 400
    assert "is not known to Moonshine" in answer["detail"]


async def test_only_the_transport_that_was_asked_for_can_be_had(http):
    status, answer = await started(http, transport="heygen")
    assert status == 400
    assert "meets users over webrtc only" in answer["detail"]
    async with http.get("/status") as told:
        assert await told.json() == {"status": "ready", "transports": ["webrtc"]}
    async with http.get("/daily", allow_redirects=False) as told:
        assert "meets users over webrtc only" in (await told.json())["detail"]


async def test_a_public_stun_server_is_named_where_it_is_asked_for(http):
    _, without = await started(http)
    _, with_it = await started(http, enableDefaultIceServers=True)
    assert "iceConfig" not in without
    assert with_it["iceConfig"]["iceServers"][0]["urls"] == ["stun:stun.l.google.com:19302"]


async def test_a_harness_needs_a_token_once_where_that_was_asked_for(http):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/ws")
    assert refused.value.status == 403
    _, ticket = await started(http, transport="headless")
    address = f"{ticket['wsUrl']}/{ticket['token']}"
    async with http.ws_connect(address) as socket:
        assert not socket.closed
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(address)


async def test_files_are_sent_into_a_session_and_out_of_a_folder(app, http):
    _, session = await started(http)
    assert session["fileUploadUrl"] == f"/sessions/{session['sessionId']}/files"
    async with http.post(session["fileUploadUrl"], data={"file": io.BytesIO(b"picture")}) as answer:
        assert (await answer.json())["source"]["url"].startswith("pipecat:")
    (kept,) = (app.folder / "uploads").iterdir()
    assert kept.read_bytes() == b"picture"
    async with http.post("/sessions/nobody/files", data={"file": io.BytesIO(b"picture")}) as answer:
        assert answer.status == 404
    async with http.post("/files", data={"nothing": "here"}) as answer:
        assert answer.status == 400
    async with http.get("/files/hello.txt") as answer:
        assert await answer.text() == "Hello"
    for path in ("/files/nobody.txt", "/files/..%2fbrief.yaml"):
        async with http.get(path) as answer:
            assert answer.status == 404


async def test_without_a_folder_to_write_it_goes_on_and_says_so():
    async with (
        running_app(Path("/proc"), *VOICE_ONLY, env={"HOME": "/nowhere"}) as app,
        aiohttp.ClientSession(app.url) as http,
    ):
        assert "no transcripts are kept: transcripts/ cannot be written here" in app.output
        async with http.get("/api/lineup") as answer:
            assert (await answer.json())["kept"]["transcripts"] is False
        _, session = await started(http)
        async with calling() as caller:
            assert not await caller.offer(http, f"/sessions/{session['sessionId']}/api/offer")
            await asyncio.wait_for(caller.told.wait(), 20)


async def test_a_browser_that_does_not_return_holds_nothing_up(tmp_path):
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "$$ $1" > opened\nexec sleep 600 >/dev/null 2>&1\n')
    browser.chmod(0o755)
    env = {"BROWSER": f"{browser} %s"}
    async with running_app(tmp_path, *VOICE_ONLY, "--open", env=env) as app:
        opened = tmp_path / "opened"
        process, url = (await until(lambda: opened.exists() and opened.read_text())).split()
        assert url == app.url
        async with aiohttp.ClientSession(app.url) as http, http.get("/status") as answer:
            assert answer.status == 200
    os.kill(int(process), signal.SIGKILL)
    assert app.process.returncode == 0


async def test_a_daily_room_whose_conversation_cannot_be_had_is_deleted(tmp_path):
    folder = tmp_path / "transcripts"
    async with Daily() as vendor:
        env = {"DAILY_API_KEY": vendor.key, "DAILY_BASE_URL": vendor.api_url}
        flags = (*VOICE_ONLY, "--transcripts", "transcripts")
        async with (
            running_app(tmp_path, *flags, env=env) as app,
            aiohttp.ClientSession(app.url) as http,
        ):
            folder.write_text("no folder")
            status, answer = await started(http, createDailyRoom=True)
            wrong = {"dailyRoomProperties": {"exp": "never"}}
            assert (await started(http, transport="daily", **wrong))[0] == 400
    assert status == 400
    assert "AVATAR_TRANSCRIPTS=transcripts cannot be written" in answer["detail"]
    assert len(vendor.state.deleted) == 1 and not vendor.state.rooms
