"""The LITE WebSocket on real sockets: who gets in, what is answered, and what breaks nothing."""

import asyncio
import json
import random

import aiohttp
import pytest
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketState

from liveavatar.wire import MAX_MESSAGE_BYTES
from sandbox.routes.socket import Channel
from tests.sandbox.caller import Caller, Lite, tone

UTTERANCE = [
    "agent.audio_buffer_appended",
    "agent.audio_buffer_committed",
    "agent.state_updated",
    "agent.speak_started",
    "agent.speak_ended",
    "agent.state_updated",
]


async def still_answers(lite: Lite) -> bool:
    """Whether the session is alive and idle: an interruption is acknowledged."""
    await lite.send("agent.interrupt", event_id="alive?")
    return bool(await lite.until("agent.audio_buffer_cleared", source_event_id="alive?"))


async def test_connected_comes_first_and_at_once(caller: Caller) -> None:
    _, lite = await caller.talk()
    assert lite.events[0]["type"] == "session.state_updated"
    assert lite.events[0]["state"] == "connected"


async def test_an_utterance_has_both_generations_of_events_in_order(caller: Caller) -> None:
    _, lite = await caller.talk()
    await lite.say(tone(0.4), "u1")
    await lite.until("agent.state_updated", new_state="idle")
    assert lite.types()[1:] == UTTERANCE


async def test_an_interruption_ends_the_speech(caller: Caller) -> None:
    _, lite = await caller.talk()
    await lite.say(tone(9), "u1")
    await lite.until("agent.speak_started")
    await lite.send("agent.interrupt", event_id=None)
    await lite.until("agent.state_updated", new_state="idle")
    assert lite.types()[-4:] == [
        "agent.audio_buffer_cleared",
        "agent.speak_interrupted",
        "agent.speak_ended",
        "agent.state_updated",
    ]


async def test_listening_is_reported(caller: Caller) -> None:
    _, lite = await caller.talk()
    await lite.send("agent.start_listening", event_id="l1")
    await lite.until("agent.state_updated", previous_state="idle", new_state="listening")
    await lite.send("agent.stop_listening", event_id="l2")
    await lite.until("agent.state_updated", previous_state="listening", new_state="idle")


async def test_the_undocumented_start_and_keep_alive_are_taken_quietly(caller: Caller) -> None:
    _, lite = await caller.talk()
    await lite.send("start", encoding="pcm_s16le", sample_rate=24000, channels=1)
    await lite.send("session.keep_alive", event_id="k")
    assert await still_answers(lite)
    assert lite.types() == ["session.state_updated", "agent.audio_buffer_cleared"]


async def test_a_socket_needs_its_own_secret(caller: Caller) -> None:
    call, other = await caller.open(), await caller.open()
    for url in (
        call.data["ws_url"].partition("?")[0],
        call.data["ws_url"] + "x",
        call.data["ws_url"].replace(call.id, other.id),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await caller.http.ws_connect(url)
        assert refused.value.status == 403


async def test_a_socket_is_closed_and_stays_closed_after_a_stop(caller: Caller) -> None:
    call, lite = await caller.talk()
    await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    assert await lite.closed() == 1000
    assert [event["state"] for event in lite.events] == ["connected", "closing", "disconnected"]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await caller.http.ws_connect(call.data["ws_url"])


async def test_a_socket_may_be_opened_again_and_speech_goes_on(caller: Caller) -> None:
    call, lite = await caller.talk()
    await lite.speak(tone(1), "u1")
    await lite.until("agent.speak_started")
    await lite.aclose()
    again = await caller.lite(call)
    await again.speak(tone(0.2), "u1")
    await again.send("agent.speak_end")
    await again.until("agent.speak_ended", event_id="u1")


async def test_the_newest_socket_takes_the_place_of_an_older_one(caller: Caller) -> None:
    call, lite = await caller.talk()
    newer = await caller.lite(call)
    await newer.until("session.state_updated")
    assert await lite.closed() == 1000
    assert await still_answers(newer)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ("not json", "Invalid JSON"),
        ("[]", "an object"),
        ("null", "an object"),
        ("{}", "discriminator"),
        ('{"type": "agent.dance"}', "agent.dance"),
        ('{"type": "agent.speak"}', "audio: Field required"),
        ('{"type": "agent.speak", "audio": 5}', "audio"),
        ('{"type": "agent.speak", "audio": "?"}', "not base64"),
        ('{"type": "agent.speak", "audio": "é"}', "not base64"),
        ('{"type": "agent.interrupt", "event_id": {}}', "event_id"),
        ("[" * 20_000, "Invalid JSON"),
        (b"\x00\xff", "text frame"),
    ],
)
async def test_a_message_that_cannot_be_used_is_an_error_event_and_changes_nothing(
    caller: Caller, frame: str | bytes, complaint: str
) -> None:
    _, lite = await caller.talk()
    if isinstance(frame, bytes):
        await lite.socket.send_bytes(frame)
    else:
        await lite.socket.send_str(frame)
    error = (await lite.until("error"))["error"]
    assert error["type"] == "invalid_request_error"
    assert complaint in error["message"]
    assert await still_answers(lite)
    assert lite.types() == ["session.state_updated", "error", "agent.audio_buffer_cleared"]


async def test_an_error_names_the_message_it_is_about(caller: Caller) -> None:
    _, lite = await caller.talk()
    await lite.send("agent.speak", event_id="bad", audio="?")
    event = await lite.until("error")
    assert event["source_event_id"] == event["error"]["event_id"] == "bad"


async def test_a_message_over_a_megabyte_is_dropped_with_an_error(caller: Caller) -> None:
    _, lite = await caller.talk()
    await lite.speak(bytes(MAX_MESSAGE_BYTES), "big")
    await lite.until("error")
    assert await still_answers(lite)
    assert "agent.audio_buffer_appended" not in lite.types()


async def test_a_hundred_random_messages_leave_the_session_alive(caller: Caller) -> None:
    chance = random.Random(20)
    _, lite = await caller.talk()
    for _ in range(100):
        if chance.random() < 0.3:
            await lite.socket.send_bytes(chance.randbytes(chance.randrange(300)))
        else:
            await lite.socket.send_str(json.dumps(_anything(chance, 4)))
    assert await still_answers(lite)
    assert {e["type"] for e in lite.events if e["type"].startswith("session")} == {
        "session.state_updated"
    }


def _anything(chance: random.Random, depth: int) -> object:
    """Random JSON that often looks like a command."""
    types = ["agent.speak", "agent.speak_end", "agent.interrupt", "agent.start_listening", "start"]
    atoms = [None, True, -1, 1e308, 2**70, "", "AAAA", "\ud800", "A" * 500, "é", *types]
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(atoms)
    if chance.random() < 0.2:
        return [_anything(chance, depth - 1) for _ in range(chance.randrange(4))]
    keys = ["type", "audio", "event_id", "x"]
    message = {key: _anything(chance, depth - 1) for key in keys if chance.random() < 0.6}
    return {**message, "type": chance.choice(types)} if chance.random() < 0.7 else message


async def test_a_client_that_never_reads_harms_nobody_else(caller: Caller) -> None:
    call = await caller.open()
    url = call.data["ws_url"]
    deaf = await caller.http.ws_connect(url, autoping=False)
    for _ in range(5000):
        await deaf.send_str('{"type": "agent.interrupt"}')
    _, lite = await caller.talk()
    assert await still_answers(lite)
    await asyncio.wait_for(deaf.close(), 20)


async def test_what_was_said_is_on_record_without_audio_and_secrets(caller: Caller) -> None:
    call, lite = await caller.talk()
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.state_updated", new_state="idle")
    _, answer = await caller.ask("GET", f"/_sandbox/sessions/{call.id}")
    log = answer["data"]["log"]
    received = [entry["message"] for entry in log if entry["way"] == "received"]
    assert [message["type"] for message in received] == ["agent.speak", "agent.speak_end"]
    assert received[0]["audio_base64_chars"] == 12_800
    assert [e["message"]["type"] for e in log if e["way"] == "sent"] == lite.types()
    shown = json.dumps(answer)
    assert call.token not in shown
    assert call.data["ws_url"].rpartition("=")[2] not in shown


async def test_a_socket_that_cannot_be_written_is_not_read_on(caller: Caller) -> None:
    call = await caller.open()
    session = caller.desk.account.session(call.id)
    performance = caller.desk.theatre.performance(session)
    assert performance

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def broken(message: Message) -> None:
        if message["type"] == "websocket.send":
            raise ArithmeticError("the wire is cut")

    socket = WebSocket({"type": "websocket"}, never, broken)
    socket.client_state = socket.application_state = WebSocketState.CONNECTED
    with pytest.raises(ExceptionGroup) as broke_off:
        await asyncio.wait_for(Channel(socket, caller.desk, performance).run(), 10)
    assert "the wire is cut" in str(broke_off.value.exceptions)
    assert performance.outbox is None and session.socket_lost_at is not None
