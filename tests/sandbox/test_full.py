"""FULL sessions converse: in a real room, over the real data channel, with real ears and voice."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from pipelines.settings import load_settings
from sandbox import LiveKit
from tests.sandbox.caller import FULL, Caller, rooms
from tests.sandbox.conftest import TurnedClock, serving
from tests.sandbox.guest import Guest, visit
from tests.sandbox.test_elevenlabs import elevenlabs, secret, voice_of
from tests.serving import served
from tests.speech import is_heard, say
from tests.standins.babble import babble
from tests.standins.elevenlabs import KEY, ElevenLabs
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply

CONTEXT = {
    "name": "Hotel",
    "prompt": "You are at the desk of the Harbour Hotel. The name of the guest is ${guest}. "
    "The time of breakfast is from seven to ten.",
    "opening_text": "Hello, ${guest}.",
    "links": [{"url": "https://hotel.example/pets", "faq": "Dogs are welcome in the garden."}],
}
GREETING = "Hello, Matilda."
WELCOME = "Welcome to the Harbour Hotel, ${guest}."
QUESTION = "What time is breakfast?"
ANSWER = "The time of breakfast is from seven to ten."
LONG = "One, two, three, four, five, six, seven, eight, nine, ten. " * 4
SPOKEN = ["avatar.transcription", "avatar.speak_started", "avatar.speak_ended"]
LOST = "Sorry, I lost my thread. Could you say that again?"
PIECE_BYTES = 2 * 24_000 * 40 // 1000
UNABLE = "Sorry, something of mine does not work right now. Please try again later."


async def made(caller: Caller, path: str, body: dict[str, Any]) -> str:
    """The id of a new thing."""
    status, answer = await caller.ask("POST", path, body)
    assert status == 200, answer
    return answer["data"]["id"]


async def asked(
    caller: Caller, opening: str = "", name: str = "Hotel", **fields: Any
) -> dict[str, Any]:
    """A request for a session about the hotel."""
    context = CONTEXT | {"name": name} | ({"opening_text": opening} if opening else {})
    context_id = await made(caller, "/v1/contexts", context)
    return {
        **FULL,
        "avatar_persona": {"context_id": context_id},
        "dynamic_variables": {"guest": "Matilda", "unasked": "for"},
        **fields,
    }


async def greeted(caller: Caller, **fields: Any) -> Guest:
    """Somebody in the room of a session about the hotel, after the opening."""
    guest = await visit(caller, await caller.open(**await asked(caller, **fields)))
    assert await guest.answered(0) == GREETING
    return guest


def in_order(types: list[str], *wanted: str) -> bool:
    """Whether some types come one after another, whatever is between them."""
    rest = iter(types)
    return all(each in rest for each in wanted)


@pytest.mark.realtime
async def test_a_question_that_is_spoken_interrupts_is_heard_and_answered_by_the_avatar(
    roomy: Caller,
) -> None:
    greeting = WELCOME.replace("${guest}", "Matilda")
    call = await roomy.open(**await asked(roomy, WELCOME))
    guest = await visit(roomy, call)
    there = {each.identity for each in guest.room.remote_participants.values()}
    assert there == {"heygen", f"liveavatar-agent-{call.id}"}
    assert await guest.answered(0) == greeting
    assert is_heard(greeting, guest.said(), 24_000)

    before = len(guest.events)
    await guest.order("avatar.speak_text", text=LONG)
    await guest.told("avatar.speak_started", before)
    before, heard = len(guest.events), len(guest.said())
    await guest.say(say(QUESTION))
    assert "breakfast" in (await guest.told("user.transcription", before))["text"].lower()
    assert ANSWER in await guest.answered(before)
    assert is_heard(ANSWER, guest.said()[heard:], 24_000)
    assert guest.tracks["heygen"] == {"audio", "video"}
    assert guest.types(before) == [
        "user.speak_started",
        "avatar.speak_ended",
        "user.speak_ended",
        "user.transcription",
        *SPOKEN,
    ]
    assert ANSWER in guest.texts("avatar.transcription.chunk")
    assert {event["session_id"] for event in guest.events} == {call.id}

    await roomy.ask("POST", "/v1/sessions/stop", {"session_id": call.id, "reason": "IDLE_TIMEOUT"})
    last = await guest.told("session.stopped")
    assert (last["end_reason"], last["stop_reason"]) == ("IDLE_TIMEOUT", "IDLE_TIMEOUT")
    _, answer = await roomy.ask("GET", f"/v1/sessions/{call.id}/transcript")
    lines = answer["data"]["transcript_data"]
    assert [line["role"] for line in lines] == ["avatar", "avatar", "user", "avatar"]
    assert lines[0]["transcript"] == greeting
    assert LONG.startswith(lines[1]["transcript"]) and lines[1]["transcript"] != LONG.strip()
    assert ANSWER in lines[3]["transcript"]
    times = [line["relative_timestamp"] for line in lines]
    assert times == sorted(times)
    assert (await roomy.session(call))["credits_consumed"] == 2
    assert roomy.desk.theatre.playing == 0


FORMS: list[Callable[[str], dict[str, Any]]] = [
    lambda text: {"text": text},
    lambda text: {"payload": {"text": text}},
]


async def test_commands_speak_answer_and_interrupt_in_both_forms(roomy: Caller) -> None:
    guest = await greeted(roomy)
    for form in FORMS:
        before = len(guest.events)
        order = await guest.order("avatar.speak_text", **form("The lift is broken."))
        assert await guest.answered(before) == "The lift is broken."
        assert guest.types(before) == SPOKEN
        assert guest.events[before]["source_event_id"] == order
        assert guest.events[before]["payload"] == {"text": "The lift is broken."}
        await guest.order("avatar.speak_response", **form("May I bring my dog?"))
        told = await guest.told("avatar.transcription", before + len(SPOKEN))
        assert "Dogs are welcome in the garden." in told["text"]
        await guest.told("avatar.speak_started", before + len(SPOKEN))
        await guest.send({"event_type": "avatar.interrupt"})
        await guest.told("avatar.speak_ended", before + len(SPOKEN))

    before = len(guest.events)
    for nonsense in (b"\xff", b"[1]", {"event_type": 7}, {"event_type": "avatar.dance"}):
        await guest.send(nonsense)
    await guest.send({"event_type": "avatar.speak_text", "text": ["no text"]})
    await guest.order("avatar.start_listening")
    await guest.order("avatar.stop_listening")
    await guest.order("avatar.speak_text", text=LONG)
    await guest.told("avatar.speak_started", before)
    await guest.send({"event_type": "avatar.interrupt"})
    await guest.told("avatar.speak_ended", before)
    await guest.order("session.stop")
    stopped = await guest.told("session.stopped", before)
    assert stopped["end_reason"] == "USER_CLOSED"
    assert guest.types(before) == [*SPOKEN, "session.stopped"]
    [session] = roomy.desk.account.sessions.values()
    assert len(session.transcript[-1]["transcript"]) < len(LONG)


@pytest.mark.realtime
async def test_without_a_context_it_writes_down_and_repeats_in_windows_of_push_to_talk(
    roomy: Caller,
) -> None:
    guest = await visit(roomy, await roomy.open(**FULL, interactivity_type="PUSH_TO_TALK"))
    await guest.say(say("Nobody may hear this sentence."), after_s=0.2)
    stray = await guest.order("user.stop_push_to_talk")
    await guest.told("user.push_to_talk_stop_failed", source_event_id=stray)
    await guest.order("user.start_push_to_talk")
    await guest.told("user.push_to_talk_started")
    again = await guest.order("user.start_push_to_talk")
    await guest.told("user.push_to_talk_start_failed", source_event_id=again)
    await guest.say(say(QUESTION) + bytes(32_000) + say("What is in the garden?"), after_s=0)
    await guest.send({"event_type": "user.stop_push_to_talk"})
    await guest.told("user.push_to_talk_stopped")
    text = (await guest.told("user.transcription"))["text"].lower()
    assert "breakfast" in text and "in the garden" in text
    assert "sentence" not in text

    await guest.order("avatar.speak_response", text="What do you say?")
    await guest.order("avatar.speak_text", text="I only repeat.")
    assert await guest.answered(0) == "I only repeat."
    assert guest.types() == [
        "user.push_to_talk_stop_failed",
        "user.push_to_talk_started",
        "user.speak_started",
        "user.push_to_talk_start_failed",
        "user.push_to_talk_stopped",
        "user.speak_ended",
        "user.transcription",
        "avatar.transcription",
        "avatar.speak_started",
        "avatar.speak_ended",
    ]


async def custom(caller: Caller, base_url: str, key: str = "sk-good") -> str:
    """The id of a configuration of a custom LLM."""
    secret = {"secret_name": "s", "secret_value": key, "secret_type": "LLM_API_KEY"}
    secret_id = await made(caller, "/v1/secrets", secret)
    body = {"model_name": "own", "secret_id": secret_id, "base_url": base_url}
    return await made(caller, "/v1/llm-configurations", body)


async def answered(guest: Guest, text: str) -> str:
    """What the avatar begins to say to a message."""
    before = len(guest.events)
    await guest.order("avatar.speak_response", text=text)
    await guest.told("avatar.speak_started", before)
    return (await guest.told("avatar.transcription", before))["text"]


@pytest.mark.realtime
async def test_a_custom_llm_is_asked_and_its_failures_are_heard(livekit: LiveKit) -> None:
    settings = load_settings(avatar_thinking_s=1)
    replies = [Reply("Your room is ready."), Reply(""), Reply("Never said.", delay_s=60)]
    async with (
        Ollama("sk-good", replies, ("own",)) as model,
        serving(livekit, settings=settings) as caller,
    ):
        guest = await greeted(caller, llm_configuration_id=await custom(caller, model.url))

        async def answer() -> str:
            return await answered(guest, "Is my room ready?")

        assert await answer() == "Your room is ready."
        prompt = str(model.state.prompts[0]["messages"])
        for known in ("guest is Matilda", "https://hotel.example/pets", "Is my room ready?"):
            assert known in prompt
        assert await answer() == LOST, "it answers nothing"
        assert await answer() == LOST, "it hangs"
        model.fail("/v1/chat/completions", 503, lasts=True)
        assert await answer() == LOST, "it fails"
        model.heal()
        model.fail("/v1/chat/completions", 401, lasts=True)
        assert await answer() == UNABLE, "it refuses the key"
        assert {request.path for request in model.requests} == {"/v1/chat/completions"}
        assert "sk-good" not in str(await caller.ask("GET", "/_sandbox/sessions"))


async def test_faults_of_mind_voice_agent_and_push_to_talk_come_true(roomy: Caller) -> None:
    guest = await greeted(roomy)

    before = len(guest.events)
    await roomy.order("llm:fail times=1")
    await guest.order("avatar.speak_response", text=QUESTION)
    assert (await guest.told("avatar.transcription", before))["text"] == LOST
    await guest.told("avatar.speak_started", before)

    before = len(guest.events)
    await roomy.order("llm:hang times=1")
    await roomy.order("llm:delay by=0.2 times=1")
    await guest.order("avatar.speak_response", text="Are you a robot?")
    await guest.order("avatar.speak_response", text=QUESTION)
    assert ANSWER in (await guest.told("avatar.transcription", before))["text"]
    await guest.told("avatar.speak_started", before)
    before = len(guest.events)
    await guest.order("avatar.interrupt")
    await guest.told("avatar.speak_ended", before)

    before = len(guest.events)
    await roomy.order("tts:hang times=1")
    await roomy.order("tts:delay by=0.2 times=1")
    await guest.order("avatar.speak_text", text="This has no sound.")
    await guest.order("avatar.speak_text", text="This has.")
    await guest.told("avatar.speak_ended", before)
    assert guest.types(before).count("avatar.transcription") == 2
    assert guest.types(before).count("avatar.speak_started") == 1
    assert not any(fault.struck == 0 for fault in roomy.desk.faults.ordered)


async def test_an_agent_that_never_joins_leaves_the_face_alone(roomy: Caller) -> None:
    await roomy.order("agent:never-joins times=1")
    await roomy.order("ptt:no-ack times=1")
    alone = await visit(roomy, await roomy.open(**FULL))
    await alone.until(lambda: "heygen" in alone.tracks)
    assert len(alone.room.remote_participants) == 1
    call = await roomy.open(**FULL, interactivity_type="PUSH_TO_TALK")
    guest = await visit(roomy, call)
    await guest.order("user.start_push_to_talk")
    await guest.told("user.speak_started")
    await guest.order("user.stop_push_to_talk")
    await guest.told("user.push_to_talk_stopped")
    assert "user.push_to_talk_started" not in guest.types()


async def test_a_voice_that_breaks_off_and_push_to_talk_that_fails(roomy: Caller) -> None:
    await roomy.order("tts:break-off after=0.4 times=1")
    await roomy.order("ptt:fail times=1")
    call = await roomy.open(**FULL, interactivity_type="PUSH_TO_TALK")
    guest = await visit(roomy, call)
    await guest.order("avatar.speak_text", text=ANSWER)
    assert await guest.answered(0) == ANSWER
    assert 0.4 <= len(roomy.desk.account.session(call.id).voice) / 48_000 < 0.5
    refused = await guest.order("user.start_push_to_talk")
    await guest.told("user.push_to_talk_start_failed", source_event_id=refused)
    await guest.order("user.start_push_to_talk")
    await guest.told("user.push_to_talk_started")


async def test_a_lost_data_channel_carries_neither_events_nor_commands(roomy: Caller) -> None:
    await roomy.order("room:no-data")
    call = await roomy.open(**await asked(roomy))
    guest = await visit(roomy, call)
    await guest.order("session.stop")
    await guest.until(lambda: guest.last_loud_at)
    assert guest.events == []
    assert "end_reason" not in await roomy.session(call)


async def test_a_mind_that_the_operator_lacks_a_key_for_fails_the_start_and_costs_nothing(
    livekit: LiveKit,
) -> None:
    async with serving(livekit, settings=load_settings(llm="gemini")) as caller:
        before = caller.desk.account.credits
        call = await caller.token(**await asked(caller))
        status, answer = await caller.start(call)
        assert (status, answer["code"]) == (500, 5000)
        assert "LLM=gemini needs GOOGLE_API_KEY" in answer["message"]
        assert await caller.ended(call) == "DISPATCH_FAILED"
        assert caller.desk.account.credits == before
        assert caller.desk.theatre.playing == 0
        assert not await rooms(livekit) & {call.id}


async def come_and_go(caller: Caller, way: int) -> str:
    """A session that is stopped as it begins, or in the middle of a word; its id."""
    call = await caller.open(**await asked(caller, name=f"Hotel {way}"))
    if way % 2:
        guest = await visit(caller, call)
        await guest.told("avatar.speak_started")
        await caller.ask("DELETE", f"/v1/sessions/{call.id}")
        await guest.told("session.stopped")
        assert guest.types()[-2:] == ["avatar.speak_ended", "session.stopped"]
        await guest.aclose()
    await caller.ask("DELETE", f"/v1/sessions/{call.id}")
    return call.id


async def test_sessions_leave_no_task_and_no_room(livekit: LiveKit) -> None:
    async with serving(livekit) as caller:
        await come_and_go(caller, 1)
        before = len(asyncio.all_tasks())
        ids = {await come_and_go(caller, way) for way in range(2, 4)}
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > before:
                gc.collect()
                await asyncio.sleep(0.05)
        assert caller.desk.theatre.playing == 0
        assert not await rooms(livekit) & ids


async def test_a_sandbox_session_costs_nothing_and_says_that_its_minute_is_over(
    livekit: LiveKit, clock: TurnedClock
) -> None:
    async with serving(livekit, clock=clock) as caller:
        call = await caller.open(**FULL, is_sandbox=True)
        guest = await visit(caller, call)
        clock.advance(59)
        await guest.order("avatar.speak_text", text="Hi.")
        await guest.told("avatar.speak_ended")
        clock.advance(1)
        last = await guest.told("session.stopped")
        assert last["stop_reason"] == "MAX_DURATION_REACHED"
        assert (await caller.session(call))["credits_consumed"] == 0
        await asyncio.wait_for(guest.gone.wait(), 10)


async def test_a_custom_llm_that_answers_garbage_or_cannot_be_reached_is_heard_to_fail(
    roomy: Caller,
) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<p>Welcome to nginx!", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    async with served(app) as port:
        llm = await custom(roomy, f"http://127.0.0.1:{port}")
        guest = await greeted(roomy, llm_configuration_id=llm)
        assert await answered(guest, "Is my room ready?") == LOST
    assert await answered(guest, "And now?") == LOST
    await guest.order("avatar.interrupt")
    before = len(guest.events)
    await guest.order("avatar.speak_text", text="I still speak.")
    assert await guest.answered(before) == "I still speak."


def whole(pcm: bytes) -> bytes:
    """A sound in whole pieces of 40 ms, as Pipecat hands them on."""
    return pcm[: len(pcm) // PIECE_BYTES * PIECE_BYTES]


async def test_an_imported_voice_speaks_with_its_settings_and_its_key(
    livekit: LiveKit,
) -> None:
    async with elevenlabs(livekit) as (vendor, caller):
        await speak_with_an_imported_voice(vendor, caller)


async def speak_with_an_imported_voice(vendor: ElevenLabs, caller: Caller) -> None:
    body = {"provider_voice_id": "ann", "secret_id": await secret(caller)}
    _, answer = await caller.ask("POST", "/v1/voices/third_party", body)
    settings = {"provider": "elevenLabs", "speed": 1.1, "model": "eleven_multilingual_v2"}
    persona = {"voice_id": answer["data"]["voice_id"], "voice_settings": settings}
    call = await caller.open(**FULL, avatar_persona=persona)
    guest = await visit(caller, call)
    for text in ("I have a voice of my own.", "It is not Theo's."):
        before = len(guest.events)
        await guest.order("avatar.speak_text", text=text)
        assert await guest.answered(before) == text
        assert whole(babble(text)) in voice_of(caller, call)
        assert vendor.state.spoken[-1] == ("ann", text)
    [request] = vendor.requests
    assert request.headers["xi-api-key"] == KEY
    assert request.query["model_id"] == "eleven_multilingual_v2"
    assert vendor.state.settings == 2 * [
        {
            **{"speed": 1.1, "stability": 0.75, "similarity_boost": 0.75},
            **{"style": 0.0, "use_speaker_boost": True},
        }
    ]
    assert len(vendor.state.closed) == 2
    assert KEY not in str(await caller.ask("GET", "/_sandbox/sessions"))


@pytest.mark.realtime
async def test_everybody_in_the_room_is_heard_and_told_and_may_leave(roomy: Caller) -> None:
    ann = await greeted(roomy)
    [call_id] = roomy.desk.account.sessions
    bob = await Guest.joining(roomy.livekit.url, roomy.livekit.token(call_id, "bob", 60))
    roomy.leaves(bob)
    await bob.until(lambda: bob.tracks.get("heygen") == {"audio", "video"})
    before = len(ann.events)
    await bob.say(say(QUESTION))
    for each, since in ((ann, before), (bob, 0)):
        assert "breakfast" in (await each.told("user.transcription", since))["text"].lower()
        assert ANSWER in await each.answered(since)
    assert is_heard(ANSWER, bob.said(), 24_000)
    before = len(ann.events)
    await bob.order("avatar.speak_text", text=LONG)
    await ann.told("avatar.speak_started", before)
    await bob.aclose()
    await ann.order("avatar.interrupt")
    await ann.told("avatar.speak_ended", before)
    before = len(ann.events)
    await ann.order("avatar.speak_response", text="May I bring my dog?")
    assert "Dogs are welcome" in await ann.answered(before)
    assert [session.phase for session in roomy.desk.account.sessions.values()] == ["active"]
