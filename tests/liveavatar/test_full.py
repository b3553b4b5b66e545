"""A FULL session: begun once, kept alive, ended whatever happens, and talked to in a real room."""

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from livekit import rtc

from liveavatar import FullSession, LiveAvatar, LiveAvatarError
from liveavatar.channel import Event, Other, Speech, Stopped, Talk, Words
from liveavatar.wire import EndReason, FullRequest, LiteRequest
from sandbox import LiveKit
from tests.sandbox.caller import WAYNE, Caller
from tests.standins.liveavatar import LiveAvatar as Service

WISH = FullRequest(mode="FULL", avatar_id=uuid.UUID(WAYNE))
PATIENCE_S = 15.0


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """LiveAvatar's sessions, with everything that was asked on record."""
    async with Service() as service:
        yield service


@pytest.fixture
async def account(service: Service) -> AsyncIterator[LiveAvatar]:
    """The client of that service."""
    async with aiohttp.ClientSession() as http:
        yield LiveAvatar(http, service.key, service.url)


async def test_it_is_begun_kept_alive_and_ended_and_nothing_else_is_asked(
    service: Service, account: LiveAvatar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    known: list[tuple[str, str]] = []

    async def write_down(id: str) -> None:
        known.append((id, service.state.sessions[0].phase))

    async with FullSession(account, WISH, 0.01, before_start=write_down) as session:
        [inside] = service.state.open_sessions
        assert (session.id, session.url) == (inside.id, service.livekit_url)
        assert (session.viewer_token, session.max_duration_s) == ("fake-livekit-client-token", 600)
        await service.until(lambda: inside.keep_alives > 2)
    assert known == [(inside.id, "token")]
    assert (inside.phase, inside.stop_reason) == ("stopped", "USER_CLOSED")
    asked = {request.path.removeprefix("/v1/sessions/") for request in service.requests}
    assert asked == {"token", "start", "keep-alive", "stop"}
    secrets = (service.key, inside.token, "fake-livekit-client-token")
    assert not [secret for secret in secrets if secret in caplog.text + repr(session)]
    with pytest.raises(RuntimeError, match="begun once"):
        await session.__aenter__()


async def test_what_breaks_off_inside_ends_it_and_is_told(
    service: Service, account: LiveAvatar
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with FullSession(account, WISH):
            raise ZeroDivisionError
    assert not service.state.open_sessions and service.state.sessions


@pytest.mark.parametrize("fails", ["start", "ledger"])
async def test_a_session_that_is_not_begun_is_ended(
    service: Service, account: LiveAvatar, fails: str
) -> None:
    async def refuse(id: str) -> None:
        if fails == "ledger":
            raise OSError("the disk is full")

    if fails == "start":
        service.fail("/v1/sessions/start", 500, "no avatar")
    with pytest.raises((LiveAvatarError, OSError), match="no avatar|the disk is full"):
        await FullSession(account, WISH, before_start=refuse).__aenter__()
    assert [session.phase for session in service.state.sessions] == ["stopped"]


async def test_an_end_that_fails_is_asked_for_again(service: Service, account: LiveAvatar) -> None:
    async with FullSession(account, WISH):
        service.fail("/v1/sessions/stop", 503)
    assert not service.state.open_sessions
    service.assert_all_used()


async def test_an_end_that_is_not_confirmed_is_an_error_and_a_note_to_another(
    service: Service, account: LiveAvatar
) -> None:
    service.fail("/v1/sessions/stop", 500, lasts=True)

    async def hold(*, broken: bool) -> str:
        try:
            async with FullSession(account, WISH) as session:
                assert not broken, "broken"
        except LiveAvatarError as error:
            return str(error)
        except AssertionError as error:
            return " ".join(error.__notes__)
        return session.id

    alone, noted = await asyncio.gather(hold(broken=False), hold(broken=True))
    for told in (alone, noted):
        assert "is not confirmed, so it may still run: scripted failure (500)." in told


async def test_who_is_cancelled_at_any_time_leaves_nothing_running(
    caller: Caller, live: LiveAvatar
) -> None:
    for fault in ("start:delay by=0.3", "stop:delay by=0.3"):
        await caller.order(f"{fault} times=2")
    reached = asyncio.Event()

    async def reach(id: str) -> None:
        reached.set()

    async def hold(*, whole: bool) -> None:
        async with FullSession(live, WISH, before_start=None if whole else reach):
            reached.set()
            await asyncio.Event().wait()

    for whole in (False, True):
        reached.clear()
        held = asyncio.create_task(hold(whole=whole))
        await reached.wait()
        for _ in range(3):
            held.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await held
        assert not caller.desk.account.active()
    assert [s.phase for s in caller.desk.account.sessions.values()] == ["historic"] * 2


def test_plain_lite_is_refused(account: LiveAvatar) -> None:
    lite = LiteRequest(mode="LITE", avatar_id=uuid.UUID(WAYNE))
    with pytest.raises(ValueError, match="ask for FULL, or for a vendor's agent"):
        FullSession(account, lite)


async def test_without_a_room_or_a_beginning_it_says_so(account: LiveAvatar) -> None:
    session = FullSession(account, WISH)
    with pytest.raises(RuntimeError, match="enter it with `async with`"):
        _ = session.url
    with pytest.raises(RuntimeError, match="give one to listen_in"):
        await session.say("Hello.")


class Agent:
    """LiveAvatar's side of a room: keeps commands, sends events."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.commands: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        room.on("data_received", self._receive)

    def _receive(self, packet: rtc.DataPacket) -> None:
        if packet.topic == "agent-control":
            self.commands.put_nowait(json.loads(packet.data))

    async def send(self, event_type: str, topic: str = "agent-response", **fields: Any) -> None:
        """Send an event."""
        packet = json.dumps({"event_type": event_type, **fields})
        await self.room.local_participant.publish_data(packet, reliable=True, topic=topic)

    async def next(self) -> dict[str, Any]:
        """The next command."""
        return await asyncio.wait_for(self.commands.get(), PATIENCE_S)


@pytest.fixture
async def met(livekit: LiveKit, account: LiveAvatar) -> AsyncIterator[tuple[FullSession, Agent]]:
    """A session whose room is a real one, and LiveAvatar's side there."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(FullSession(account, WISH))
        rooms = []
        for identity in (f"liveavatar-agent-{session.id}", "client"):
            room = rtc.Room()
            await room.connect(livekit.url, livekit.token(session.id, identity, 60))
            stack.push_async_callback(room.disconnect)
            rooms.append(room)
        ours = rooms[1]
        session.listen_in(ours)
        seen = asyncio.Event()
        ours.on("participant_connected", lambda _: seen.set())
        if not ours.remote_participants:
            await asyncio.wait_for(seen.wait(), PATIENCE_S)
        yield session, Agent(rooms[0])


async def test_commands_and_events_go_through_a_room(
    met: tuple[FullSession, Agent],
) -> None:
    session, agent = met
    ids = [
        await session.say("Hello."),
        await session.ask("Why?"),
        await session.interrupt(),
        await session.pose(listening=True),
        await session.tell_agent("user_message", {"text": "x"}),
    ]
    told = [await agent.next() for _ in ids]
    assert [command["event_id"] for command in told] == ids
    assert [(command["event_type"], command.get("text")) for command in told] == [
        ("avatar.speak_text", "Hello."),
        ("avatar.speak_response", "Why?"),
        ("avatar.interrupt", None),
        ("avatar.start_listening", None),
        ("elevenlabs_agent_command", None),
    ]
    assert (told[-1]["session_id"], told[-1]["data"]) == (session.id, {"text": "x"})
    await agent.send("avatar.transcription", topic="chat", text="not for us")
    await agent.room.local_participant.publish_data(b"{", topic="agent-response")
    await agent.send("avatar.speak_started", source_event_id=ids[0])
    await agent.send("avatar.transcription_chunk", payload={"text": "Hel"})
    await agent.send("avatar.smiled")
    await agent.send("session.stopped", end_reason="MAX_DURATION_REACHED")
    async with asyncio.timeout(PATIENCE_S):
        events: list[Event] = [event async for event in session.events()]
    assert [type(event) for event in events] == [Speech, Words, Other, Stopped]
    assert events[0].source_event_id == ids[0]
    assert session.end_reason is EndReason.MAX_DURATION_REACHED


async def test_the_button_is_pressed_once_it_is_said_to_be(
    met: tuple[FullSession, Agent],
) -> None:
    session, agent = met
    pressing = asyncio.create_task(session.press_to_talk())
    assert (await agent.next())["event_type"] == "user.start_push_to_talk"
    await agent.send("user.push_to_talk_stopped")  # of another time
    assert not pressing.done()
    await agent.send("user.push_to_talk_started")
    await asyncio.wait_for(pressing, PATIENCE_S)
    releasing = asyncio.create_task(session.release_to_talk())
    await agent.next()
    await agent.send("user.push_to_talk_stop_failed")
    with pytest.raises(LiveAvatarError, match="answers user.push_to_talk_stop_failed"):
        await asyncio.wait_for(releasing, PATIENCE_S)
    await agent.send("session.stopped", stop_reason="IDLE_TIMEOUT")
    async with asyncio.timeout(PATIENCE_S):
        kinds = [type(event) async for event in session.events()]
    assert kinds == [Talk, Talk, Talk, Stopped]


async def test_the_sandbox_lets_its_user_into_the_room(roomy: Caller) -> None:
    async with aiohttp.ClientSession() as http:
        live = LiveAvatar(http, roomy.key["X-API-KEY"], roomy.url)
        async with FullSession(live, WISH) as session:
            viewer = await roomy.join(session.url, session.viewer_token)
            await viewer.until(lambda: viewer.tracks.get("heygen") == {"audio", "video"})
            session.listen_in(viewer.room)
            await session.say("Hello.")
        await asyncio.wait_for(viewer.gone.wait(), PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):
            async for _ in session.events():
                pass
    assert not roomy.desk.account.active()
