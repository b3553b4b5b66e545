"""How many conversations a server holds, and what those hear who find no room."""

import asyncio

import aiohttp
import pytest
from aiortc import RTCPeerConnection
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

from bots.server import visits as held
from bots.server.casting import Casting
from bots.server.refusal import Refused
from bots.server.seats import Seats
from bots.server.visits import Visits
from pipelines.parts import part
from pipelines.settings import load_settings
from tests.monitor import numbers
from tests.talk.app import SMALL, running_app, until


def test_a_place_that_is_given_back_is_free_again():
    seats = Seats(1)
    seats.take()
    with pytest.raises(Refused, match="try again in a minute") as refused:
        seats.take()
    assert refused.value.answer.headers["Retry-After"] == "60"
    seats.leave()
    seats.take()


def test_nobody_is_let_in_while_the_machine_is_overloaded():
    overloaded = [True]
    seats = Seats(2, lambda: overloaded[0])
    visits = Visits(seats=seats)
    assert visits.refusal and visits.refusal.status == 503
    with pytest.raises(Refused, match="try again in a minute"):
        visits.look()
    overloaded[0] = False
    assert visits.refusal is None
    visits.look()


async def test_who_comes_when_nobody_expects_them_any_more_takes_no_place():
    settings = load_settings(llm="guide", avatar="none")
    cast = Casting(settings).cast(part("transport", "webrtc"), {})
    connection = SmallWebRTCConnection()
    visits = Visits(seats=Seats(1))
    with pytest.raises(Refused, match="is over, or was never started"):
        visits.receive(cast.request(SmallWebRTCRunnerArguments(connection)), "long gone")
    await connection.disconnect()
    assert visits.seats.free


async def test_one_visitor_does_not_take_every_place(monkeypatch):
    over = asyncio.Event()

    async def converse(*_):
        await over.wait()

    monkeypatch.setattr(held, "converse", converse)
    settings = load_settings(llm="guide", avatar="none")
    cast = Casting(settings).cast(part("transport", "webrtc"), {})
    visits, connection = Visits(seats=Seats(100)), SmallWebRTCConnection()
    request = cast.request(SmallWebRTCRunnerArguments(connection))
    for owner in ("one", "one", "another", "", "", ""):
        visits.receive(request, visits.expect(cast, owner=owner))
    with pytest.raises(Refused, match="as many conversations as one visitor may") as refused:
        visits.receive(request, visits.expect(cast, owner="one"))
    assert refused.value.status == 429
    over.set()
    await visits.settle()
    visits.receive(request, visits.expect(cast, owner="one"))
    await visits.settle()
    await connection.disconnect()


async def test_who_joins_a_room_for_all_needs_no_place_of_their_own():
    settings = load_settings(llm="guide", avatar="none")
    cast = Casting(settings).cast(part("transport", "webrtc"), {})
    visits = Visits(seats=Seats(0))
    visits.expect(cast, "lobby")
    with pytest.raises(Refused, match="are taken"):
        visits.look(visits.in_room("another"))
    visits.look(visits.in_room("lobby"))
    visits.close()
    with pytest.raises(Refused, match="is being updated"):
        visits.look(visits.in_room("lobby"))


async def test_nobody_who_was_expected_comes_while_the_server_is_stopped():
    settings = load_settings(llm="guide", avatar="none")
    cast = Casting(settings).cast(part("transport", "webrtc"), {})
    visits, connection = Visits(), SmallWebRTCConnection()
    session = visits.expect(cast)
    visits.close()
    with pytest.raises(Refused, match="is being updated"):
        visits.receive(cast.request(SmallWebRTCRunnerArguments(connection)), session)
    await connection.disconnect()


async def offered(http: aiohttp.ClientSession, session: str, peer: RTCPeerConnection) -> int:
    """The status of the answer to an offer."""
    peer.addTransceiver("audio")
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    offer = {"sdp": peer.localDescription.sdp, "type": "offer"}
    async with http.post(f"/sessions/{session}/api/offer", json=offer) as answer:
        return answer.status


async def test_one_too_many_is_told_to_come_back(tmp_path):
    env = {"AVATAR_MAX_CONVERSATIONS": "1"}
    peers = [RTCPeerConnection() for _ in "12"]
    async with (
        running_app(tmp_path, *SMALL, "--avatar", "none", env=env) as app,
        aiohttp.ClientSession(app.url) as http,
    ):
        sessions = []
        for _ in peers:  # who is only expected takes no place
            async with http.post("/start", json={}) as answer:
                sessions.append((await answer.json())["sessionId"])
        statuses = [
            await offered(http, session, peer)
            for session, peer in zip(sessions, peers, strict=True)
        ]
        assert statuses == [200, 503]
        async with http.post("/start", json={}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
            assert "try again in a minute" in (await answer.json())["detail"]
        for path, status in (("/health", 200), ("/ready", 503)):
            async with http.get(path) as answer:
                assert answer.status == status
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect("/ws")
        refused = (await numbers(app.url)).one("avatar_conversations_refused_total", why="busy")
        assert refused == 3, "an offer, a start and a harness; who only asks is not refused"
        assert len(app.transcripts()) == 1
    for peer in peers:
        await peer.close()
    assert await until(lambda: "Traceback" not in app.output)
