"""What holds for the sandbox and for LiveAvatar itself.

With LIVEAVATAR_VERIFY=1 and LIVEAVATAR_API_KEY every test runs a second time, against the real
service. Its two sessions are one-minute sandbox sessions, which cost no credits: 0 in all; of
other avatars they would cost 3 (FULL 2 a minute, LITE 1). The context that is stored is deleted
again, and so is what was said.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest

from liveavatar.orders import agent_identity
from sandbox import LiveKit
from tests.contract import KEY, SANDBOX, SERVERS
from tests.sandbox.caller import FULL, WAYNE, Call, Caller, tone
from tests.sandbox.conftest import serving
from tests.sandbox.guest import Guest, visit
from tests.sandbox.test_full import LONG

START_FIELDS = {
    "session_id",
    "livekit_url",
    "livekit_client_token",
    "livekit_agent_token",
    "max_session_duration",
    "ws_url",
}


@pytest.fixture(params=SERVERS)
async def any_caller(request: pytest.FixtureRequest) -> AsyncIterator[Caller]:
    """A caller of the sandbox, then of the real service."""
    if request.param == SANDBOX:
        livekit: LiveKit = request.getfixturevalue("livekit")
        async with serving(livekit) as caller:
            yield caller
    else:
        async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
            yield Caller(http, "https://api.liveavatar.com", KEY, stack)


async def test_a_session_from_token_to_stop(any_caller: Caller) -> None:
    call = await any_caller.token(is_sandbox=True)
    claims = jwt.decode(call.token, options={"verify_signature": False})
    assert claims["start_session_data"]["mode"] == "LITE"
    try:
        status, answer = await any_caller.start(call)
        assert status in (200, 201)
        assert answer["code"] == 1000
        assert set(answer["data"]) >= START_FIELDS
        assert answer["data"]["session_id"] == call.id
        await _talk(any_caller, call)
    finally:
        stopped = await any_caller.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    assert stopped[0] == 200
    assert (await any_caller.ask("POST", "/v1/sessions/stop", headers=call.bearer))[0] < 500


async def _talk(caller: Caller, call: Call) -> None:
    viewer = await caller.watch(call)
    await viewer.until(lambda: viewer.tracks.get("heygen") == {"audio", "video"})
    lite = await caller.lite(call)
    await lite.until("session.state_updated", state="connected")
    await lite.say(tone(1), "u1")
    await viewer.until(lambda: viewer.last_loud_at > 0)
    await lite.until("agent.state_updated", new_state="talking")
    await lite.until("agent.state_updated", new_state="idle")
    await lite.send("agent.interrupt", event_id="i1")
    await lite.send("session.keep_alive", event_id="k1")
    await lite.send("agent.speak", audio="not base64!", event_id="bad")
    await lite.until("error")
    assert not lite.socket.closed


async def test_a_full_session_speaks_tells_and_listens_while_the_button_is_pressed(
    any_caller: Caller,
) -> None:
    texts = {"prompt": "You are brief.", "opening_text": "Hello ${guest}, this is a test."}
    body = {"name": f"contract {uuid.uuid4().hex[:8]}", **texts}
    status, answer = await any_caller.ask("POST", "/v1/contexts", body)
    assert status in (200, 201), answer
    context_id = answer["data"]["id"]
    try:
        call = await any_caller.token(
            **FULL,
            is_sandbox=True,
            avatar_persona={"context_id": context_id, "language": "en"},
            dynamic_variables={"guest": "Matilda"},
            interactivity_type="PUSH_TO_TALK",
        )
        claims = jwt.decode(call.token, options={"verify_signature": False})
        assert claims["start_session_data"]["mode"] == "FULL"
        try:
            await _converse(any_caller, call)
        finally:
            stopped = await any_caller.ask("POST", "/v1/sessions/stop", headers=call.bearer)
        assert stopped[0] == 200
    finally:
        await any_caller.ask("DELETE", f"/v1/contexts/{context_id}")
    _, answer = await any_caller.ask("GET", f"/v1/sessions/{call.id}/transcript")
    lines = answer["data"]["transcript_data"]
    assert {"role", "transcript", "absolute_timestamp", "relative_timestamp"} <= {*lines[0]}
    assert "avatar" in {line["role"] for line in lines}
    _, answer = await any_caller.ask("GET", f"/v1/sessions/{call.id}")
    assert (answer["data"]["mode"], answer["data"]["credits_consumed"]) == ("FULL", 0)
    assert (await any_caller.ask("DELETE", f"/v1/sessions/{call.id}/events"))[0] == 200
    _, answer = await any_caller.ask("GET", f"/v1/sessions/{call.id}/transcript")
    assert not answer["data"]["transcript_data"]


async def _converse(caller: Caller, call: Call) -> None:
    status, answer = await caller.start(call)
    assert status in (200, 201) and not answer["data"].get("ws_url"), answer
    guest: Guest = await visit(caller, call)
    await guest.until(lambda: guest.tracks.get("heygen") == {"audio", "video"})
    await guest.until(lambda: agent_identity(call.id) in guest.room.remote_participants)
    assert "Matilda" in await guest.answered(0)
    before = len(guest.events)
    await guest.order("avatar.speak_text", text=LONG)
    assert (await guest.told("avatar.transcription", before))["text"].startswith("One, two")
    await guest.told("avatar.speak_started", before)
    await guest.send({"event_type": "avatar.interrupt"})
    await guest.told("avatar.speak_ended", before)
    for word, past in (("start", "started"), ("stop", "stopped")):
        await guest.order(f"user.{word}_push_to_talk")
        await guest.told(f"user.push_to_talk_{past}")
    for event in guest.events:
        assert {"event_id", "event_type", "session_id", "source_event_id"} <= {*event}
        assert event["session_id"] == call.id


async def test_a_wrong_key_is_refused(any_caller: Caller) -> None:
    body = {"mode": "LITE", "avatar_id": WAYNE}
    status, _ = await any_caller.ask("POST", "/v1/sessions/token", body, {"X-API-KEY": "wrong"})
    assert status in (401, 403)


async def test_a_malformed_request_is_refused_with_the_envelope(any_caller: Caller) -> None:
    status, answer = await any_caller.ask("POST", "/v1/sessions/token", {"avatar_id": WAYNE})
    assert (status, answer["code"], answer["data"]) == (422, 4000, None)
    assert answer["message"].startswith("Request validation errors. body:")


async def test_start_needs_a_session_token(any_caller: Caller) -> None:
    status, answer = await any_caller.ask("POST", "/v1/sessions/start", headers={})
    assert (status, answer["code"], answer["message"]) == (403, 4003, "Not authenticated")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/sessions?type=active",
        "/v1/sessions?type=historic",
        "/v1/avatars/public",
        "/v1/contexts",
        "/v1/voices",
    ],
)
async def test_lists_come_in_pages(any_caller: Caller, path: str) -> None:
    status, answer = await any_caller.ask("GET", path)
    assert status == 200
    assert set(answer["data"]) >= {"count", "next", "previous", "results"}


async def test_credits_are_a_number_in_a_string(any_caller: Caller) -> None:
    status, answer = await any_caller.ask("GET", "/v1/users/credits")
    assert status == 200
    assert float(answer["data"]["credits_left"]) >= 0
    assert isinstance(answer["data"]["credits_left"], str)
