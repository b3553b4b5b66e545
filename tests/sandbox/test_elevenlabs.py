"""An agent of ElevenLabs' holds a session of the sandbox's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest

from pipelines.settings import load_settings
from sandbox import LiveKit
from sandbox.account import Limits
from tests.sandbox.caller import Call, Caller, rooms, tone
from tests.sandbox.conftest import serving
from tests.sandbox.guest import Guest, visit
from tests.speech import say
from tests.standins.babble import babble
from tests.standins.convai import Conversation
from tests.standins.elevenlabs import KEY, ElevenLabs
from tests.standins.loudness import voiced_s

GREETING, ANSWER, GOODBYE = "Hello, Ann.", "It is ten o'clock.", "Goodbye, and come again."
QUESTION, PIN = "What time is it?", "pin-of-the-door"
# Lasts for longer than a test waits.
LONG = "One, two, three, four, five, six, seven, eight, nine, ten. " * 8


@asynccontextmanager
async def elevenlabs(livekit: LiveKit) -> AsyncIterator[tuple[ElevenLabs, Caller]]:
    """ElevenLabs, and a caller of a sandbox that knows where it is and is not patient with it."""
    async with ElevenLabs() as vendor:
        settings = load_settings(elevenlabs_base_url=vendor.url, avatar_thinking_s=1)
        async with serving(livekit, settings=settings, limits=Limits(returns_s=1)) as caller:
            yield vendor, caller


@pytest.fixture
async def there(livekit: LiveKit) -> AsyncIterator[tuple[ElevenLabs, Caller]]:
    async with elevenlabs(livekit) as both:
        yield both


async def secret(caller: Caller, value: str = KEY) -> str:
    """The id of a secret."""
    body = {"secret_name": "s", "secret_value": value, "secret_type": "ELEVENLABS_API_KEY"}
    return (await caller.ask("POST", "/v1/secrets", body))[1]["data"]["id"]


def voice_of(caller: Caller, call: Call) -> bytes:
    """All speech of a session, as the face was given it: s16le mono 24 kHz."""
    return caller.desk.account.session(call.id).voice


async def with_agent(caller: Caller, key: str = KEY, **fields: Any) -> Call:
    """A session with an agent of ElevenLabs', not started."""
    config = {"secret_id": await secret(caller, key), "agent_id": "agent-1", **fields}
    return await caller.token(elevenlabs_agent_config=config)


async def met(caller: Caller, call: Call) -> Guest:
    """Start a session, and be in its room."""
    status, answer = await caller.start(call)
    assert status == 201, answer
    return await visit(caller, call)


@pytest.mark.realtime
async def test_an_agent_of_elevenlabs_converses_through_the_avatar(
    there: tuple[ElevenLabs, Caller],
) -> None:
    vendor, caller = there
    formats = {"user_input_audio_format": "pcm_24000"}
    agent = Conversation(GREETING, [ANSWER, LONG, LONG], QUESTION, formats)
    vendor.agents["agent-1"] = agent
    variables = {"guest": "Ann", "floor": 3, "vip": True, "secret__pin": PIN}
    call = await with_agent(caller, voice_id="v-1", dynamic_variables=variables)
    guest = await met(caller, call)
    assert await guest.answered(0) == GREETING
    present = {each.identity for each in guest.room.remote_participants.values()}
    assert present == {"heygen", f"liveavatar-agent-{call.id}"}
    assert agent.began["dynamic_variables"] == variables
    assert agent.began["conversation_config_override"] == {"tts": {"voice_id": "v-1"}}
    assert vendor.requests[0].headers["xi-api-key"] == KEY
    begun = await guest.told(
        "elevenlabs_agent_event", elevenlabs_event_type="conversation_initiation_metadata"
    )
    told = begun["data"]["conversation_initiation_metadata_event"]
    assert told["conversation_id"] == "conversation-1"

    before = len(guest.events)
    await guest.say(say(QUESTION))
    assert await guest.answered(before) == ANSWER
    assert voiced_s(bytes(agent.heard), 24_000) > 0.5
    types = [each for each in guest.types(before) if each != "elevenlabs_agent_event"]
    assert types == [
        *("user.speak_started", "user.speak_ended", "user.transcription"),
        *("avatar.transcription", "avatar.speak_started", "avatar.speak_ended"),
    ]
    assert babble(GREETING) + babble(ANSWER) == voice_of(caller, call)

    for interrupt in (agent.interrupt, lambda: guest.order("avatar.interrupt")):
        before = len(guest.events)
        await _command(guest, "user_message", text="Count.")
        await guest.told("avatar.speak_started", before)
        await interrupt()
        await guest.told("avatar.speak_ended", before)
    await agent.sound(tone(0.5))
    corrected = {"original_agent_response": LONG, "corrected_agent_response": "One, two"}
    await agent.send("agent_response_correction", agent_response_correction_event=corrected)

    await _pass_commands_and_events(agent, guest)
    assert agent.pongs == [7]
    await agent.say(GOODBYE)
    await agent.hang_up()
    stopped = await guest.told("session.stopped")
    assert (stopped["stop_reason"], stopped["end_reason"]) == ("AGENT_HANG_UP", "AGENT_HANG_UP")
    assert guest.types()[-2:] == ["avatar.speak_ended", "session.stopped"]
    assert voice_of(caller, call).endswith(babble(GOODBYE))
    assert tone(0.5) not in voice_of(caller, call), "it belongs to what was silenced"
    _, answer = await caller.ask("GET", f"/v1/sessions/{call.id}/transcript")
    lines = [(line["role"], line["transcript"]) for line in answer["data"]["transcript_data"]]
    said = [GREETING, ANSWER, LONG, "One, two", GOODBYE]
    assert [text for role, text in lines if role == "avatar"] == said
    assert ("user", QUESTION) in lines
    told = str(await caller.ask("GET", "/_sandbox/sessions"))
    told += str(jwt.decode(call.token, options={"verify_signature": False}))
    assert KEY not in told and PIN not in told and "secret__pin" in told


async def _command(guest: Guest, kind: str, **data: Any) -> None:
    await guest.order("elevenlabs_agent_command", elevenlabs_event_type=kind, data=data)


async def _pass_commands_and_events(agent: Conversation, guest: Guest) -> None:
    """Both ways as they are; what cannot be understood changes nothing."""
    await agent.send_raw("<p>Welcome to nginx!")
    await agent.send("audio", audio_event={"audio_base_64": "?", "event_id": 10_000})
    call = {"tool_name": "open_door", "tool_call_id": "t-1", "parameters": {"floor": 3}}
    await agent.send("client_tool_call", client_tool_call=call)
    event = await guest.told("elevenlabs_agent_event", elevenlabs_event_type="client_tool_call")
    assert event["data"] == {"type": "client_tool_call", "client_tool_call": call}

    before = len(agent.told)
    await _command(guest, "dance", text="?")
    await guest.send({"event_type": "elevenlabs_agent_command", "data": "no object"})
    result = {"tool_call_id": "t-1", "result": "open", "is_error": False}
    await _command(guest, "client_tool_result", **result)
    await _command(guest, "contextual_update", text="It rains.")
    await _command(guest, "user_activity")
    await agent.until(lambda: len(agent.told) == before + 3)
    assert agent.told[before:] == [
        {"type": "client_tool_result", **result},
        {"type": "contextual_update", "text": "It rains."},
        {"type": "user_activity"},
    ]


async def test_an_agent_that_refuses_fails_the_start_and_costs_nothing(
    there: tuple[ElevenLabs, Caller],
) -> None:
    vendor, caller = there
    before, key = caller.desk.account.credits, "an-elevenlabs-key-of-old"
    for call, status_there in (
        (await with_agent(caller), 404),
        (await with_agent(caller, key), 401),
    ):
        status, answer = await caller.start(call)
        assert (status, answer["code"]) == (500, 5000)
        assert f"ElevenLabs refuses the agent with status {status_there}" in answer["message"]
        assert key not in answer["message"]
        assert await caller.ended(call) == "DISPATCH_FAILED"
    assert caller.desk.account.credits == before
    assert caller.desk.theatre.playing == 0


async def test_an_agent_comes_late_leaves_and_hangs_up_as_faults_say(
    there: tuple[ElevenLabs, Caller],
) -> None:
    vendor, caller = there
    vendor.agents["agent-1"] = Conversation()

    def agents(guest: Guest) -> list[str]:
        present = guest.room.remote_participants
        return [each for each in present if each.startswith("liveavatar-agent-")]

    await caller.order("agent:delay by=1 times=1")
    await caller.order("agent:leave after=5 times=1")
    call = await with_agent(caller)
    guest = await met(caller, call)
    await guest.until(lambda: agents(guest))
    await guest.until(lambda: not agents(guest))
    assert "end_reason" not in await caller.session(call)

    await caller.order("agent:hang-up after=0.2 times=1")
    call = await with_agent(caller)
    await caller.start(call)
    assert await caller.ended(call) == "AGENT_HANG_UP"


async def test_a_conversation_ends_when_its_user_stays_away(
    there: tuple[ElevenLabs, Caller],
) -> None:
    vendor, caller = there
    vendor.agents["agent-1"] = Conversation(LONG)
    call = await with_agent(caller)
    guest = await met(caller, call)
    await guest.told("avatar.speak_started")
    await guest.aclose()
    assert await caller.ended(call) == "USER_DISCONNECTED"
    await vendor.until(lambda: not vendor.open_sockets)
    session = caller.desk.account.session(call.id)
    sent = [each["message"]["event_type"] for each in session.log if each["way"] == "sent"]
    assert sent[-2:] == ["avatar.speak_ended", "session.stopped"]


async def test_an_agent_that_is_ready_when_its_session_is_over_does_not_come(
    there: tuple[ElevenLabs, Caller],
) -> None:
    vendor, caller = there
    vendor.agents["agent-1"] = Conversation()
    vendor.signs.clear()
    call = await with_agent(caller)
    starting = asyncio.create_task(caller.start(call))
    await vendor.until(lambda: bool(vendor.requests))
    await caller.ask("POST", "/v1/sessions/stop", {"session_id": call.id})
    vendor.signs.set()
    status, answer = await starting
    assert (status, answer["message"]) == (400, "The session was stopped while it started")
    assert call.id not in await rooms(caller.livekit)
    assert caller.desk.theatre.playing == 0


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (Conversation(begins=False), "the agent does not begin"),
        (Conversation(formats={"agent_output_audio_format": "pcm_16000"}), "speaks pcm_16000"),
        (Conversation(GREETING), "close code 1011 (out of order)"),
    ],
    ids=["hangs", "speaks otherwise", "breaks off"],
)
async def test_an_agent_that_cannot_be_conversed_with_ends_the_session_and_the_log_says_why(
    there: tuple[ElevenLabs, Caller], agent: Conversation, why: str
) -> None:
    vendor, caller = there
    vendor.agents["agent-1"] = agent
    call = await with_agent(caller)
    guest = await met(caller, call)
    if "1011" in why:
        await guest.told("avatar.speak_started")
        await agent.hang_up(1011, "out of order")
    assert (await guest.told("session.stopped"))["stop_reason"] == "SERVER_ERROR"
    log = (await caller.ask("GET", f"/_sandbox/sessions/{call.id}"))[1]["data"]["log"]
    [failure] = [each["message"] for each in log if each["way"] == "failed"]
    assert why in failure["problem"]
