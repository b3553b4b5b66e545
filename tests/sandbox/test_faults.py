"""The table of faults: how faults are written, and every row coming true on real sockets."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

import sandbox as sandbox_folder
from sandbox.account import Limits
from sandbox.faults import FAULTS, ROUTE, BadFault, Faults, parse_fault
from sandbox.server import sandbox
from tests.sandbox.caller import Caller, rooms, tone
from tests.sandbox.conftest import Served, TurnedClock

ACKS = {"agent.audio_buffer_appended", "agent.audio_buffer_committed"}

pytestmark = pytest.mark.patient


def test_a_fault_is_read_as_it_is_written() -> None:
    fault = parse_fault("speak:close-ws after=3 times=2")
    assert (fault.place, fault.name, fault.times) == ("speak", "close-ws", 2)
    assert fault.parameters == {"after": 3.0, "code": 1011}


def test_a_fault_shows_itself_as_it_can_be_written() -> None:
    written = "GET /v1/voices:answer status=503 message='not today: sorry' times=1"
    again = parse_fault(str(parse_fault(written)))
    assert again == parse_fault(written)
    assert again.parameters["message"] == "not today: sorry"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("close-ws", "write it as place:name"),
        ("speak:explode", "choose one of answer, delay"),
        ("start:close-ws", "choose one of socket, speak"),
        ("lunch:answer", "choose one of token, start"),
        ("speak:close-ws afer=3", "choose among after, code, times"),
        ("speak:close-ws after=soon", "could not convert"),
        ("speak:close-ws after=nan", "not from 0 to 3600"),
        ("speak:close-ws code=1006", "no close code"),
        ("start:answer status=99", "not from 400 to 599"),
        ("start:delay by=-1", "not from 0"),
        ("speak:close-ws 'after=3", "No closing quotation"),
    ],
)
def test_a_fault_that_is_written_wrongly_says_what_is_right(text: str, complaint: str) -> None:
    with pytest.raises(BadFault, match=complaint):
        parse_fault(text)


def test_a_fault_strikes_as_often_as_it_should() -> None:
    faults = Faults([parse_fault("token:answer times=2")])
    strikes = [faults.strike_route("POST", "/v1/sessions/token", "answer") for _ in range(3)]
    assert [strike is not None for strike in strikes] == [True, True, False]


@pytest.mark.parametrize(
    "request_line",
    ["POST /v1/sessions/stop", "DELETE /v1/sessions", "DELETE /v1/sessions/abc"],
)
def test_stop_is_every_spelling_of_stop(request_line: str) -> None:
    method, path = request_line.split()
    assert Faults([parse_fault("stop:answer")]).strike_route(method, path, "answer")


def test_a_route_may_have_any_method() -> None:
    faults = Faults([parse_fault("* /v1/contexts/*:answer")])
    assert faults.strike_route("PATCH", "/v1/contexts/1", "answer")
    assert not faults.strike_route("PATCH", "/v1/voices/1", "answer")


async def test_answer_replaces_a_route(caller: Caller) -> None:
    await caller.order("GET /v1/users/credits:answer status=503 code=5030 message=closed times=1")
    status, answer = await caller.ask("GET", "/v1/users/credits")
    assert (status, answer) == (503, {"code": 5030, "data": None, "message": "closed"})
    assert (await caller.ask("GET", "/v1/users/credits"))[0] == 200


async def test_a_stop_that_fails_leaves_the_session_running(caller: Caller) -> None:
    call = await caller.open()
    await caller.order("stop:answer times=1")
    assert (await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer))[0] == 500
    assert "end_reason" not in await caller.session(call)
    assert (await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer))[0] == 200
    assert (await caller.session(call))["end_reason"] == "USER_CLOSED"


async def test_delay_makes_a_slow_start(caller: Caller) -> None:
    call = await caller.token()
    await caller.order("start:delay by=3600")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(caller.start(call), 0.5)
    assert (await caller.session(call))["duration"] == 0


async def test_withheld_connected_never_comes_and_drops_commands(caller: Caller) -> None:
    await caller.order("socket:withhold-connected times=1")
    call = await caller.open()
    deaf = await caller.lite(call)
    await deaf.say(tone(0.2), "u1")
    await deaf.aclose()
    lite = await caller.lite(call)
    await lite.until("session.state_updated", state="connected")
    await lite.send("agent.interrupt", event_id="i1")
    await lite.until("agent.audio_buffer_cleared", source_event_id="i1")
    assert deaf.events == []
    assert "agent.audio_buffer_appended" not in lite.types()


async def test_withheld_connected_comes_late(caller: Caller) -> None:
    await caller.order("socket:withhold-connected by=0.2")
    lite = await caller.lite(await caller.open())
    await lite.until("session.state_updated", state="connected")
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.audio_buffer_committed")


async def test_dropped_acks_are_not_sent(caller: Caller) -> None:
    await caller.order("socket:drop-acks")
    _, lite = await caller.talk()
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.state_updated", new_state="idle")
    assert not ACKS & set(lite.types())
    assert "agent.speak_ended" in lite.types()


async def test_delayed_acks_come_after_the_speech(caller: Caller) -> None:
    await caller.order("socket:delay-acks by=2")
    _, lite = await caller.talk()
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.audio_buffer_committed")
    types = lite.types()
    assert types.index("agent.speak_ended") < types.index("agent.audio_buffer_appended")


async def test_old_events_are_the_speak_ones_alone(caller: Caller) -> None:
    await caller.order("socket:old-events")
    call, lite = await caller.talk()
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.speak_ended")
    await caller.ask("DELETE", "/v1/sessions", headers=call.bearer)
    await lite.closed()
    assert [event.get("state") or event["type"] for event in lite.events] == [
        "connected",
        "agent.speak_started",
        "agent.speak_ended",
        "closing",
    ]


async def test_new_events_are_states_and_acks(caller: Caller) -> None:
    await caller.order("socket:new-events")
    call, lite = await caller.talk()
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.state_updated", new_state="idle")
    await caller.ask("DELETE", "/v1/sessions", headers=call.bearer)
    await lite.closed()
    told = [e.get("state") or e.get("new_state") or e["type"] for e in lite.events]
    assert told == ["connected", *sorted(ACKS), "talking", "idle", "disconnected"]


async def test_the_socket_closes_in_mid_speech_and_may_be_opened_again(caller: Caller) -> None:
    await caller.order("speak:close-ws after=0.4 code=1012 times=1")
    call, lite = await caller.talk()
    await lite.say(tone(3), "u1")
    assert await lite.closed() == 1012
    assert "agent.speak_started" in lite.types()
    assert "agent.speak_ended" not in lite.types()
    again = await caller.lite(call)
    await again.until("session.state_updated", state="connected")
    await again.until("agent.speak_ended", event_id="u1")


async def test_the_socket_closes_some_time_after_it_opened(caller: Caller) -> None:
    await caller.order("socket:close-ws after=0.1")
    lite = await caller.lite(await caller.open())
    assert await lite.closed() == 1011


async def test_a_silent_end_closes_nothing_and_tells_nobody(
    served: Served, clock: TurnedClock
) -> None:
    async with served(clock=clock, faults=["end:silent"]) as caller:
        call, lite = await caller.talk()
        await lite.say(tone(5), "u1")
        await lite.until("agent.speak_started")
        clock.advance(600)
        assert await caller.ended(call) == "MAX_DURATION_REACHED"
        await lite.say(tone(0.2), "u2")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lite.closed(), 0.5)
        told = [event for event in lite.events if event.get("source_event_id") == "u2"]
        assert told == []
        assert "agent.speak_ended" not in lite.types()


async def test_the_room_closes_in_mid_speech(roomy: Caller) -> None:
    await roomy.order("speak:close-room after=0.2")
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    await lite.say(tone(1), "u1")
    await asyncio.wait_for(viewer.gone.wait(), 10)
    await lite.until("agent.speak_ended", event_id="u1")


async def test_the_room_closes_some_time_after_the_start(roomy: Caller) -> None:
    await roomy.order("room:close-room after=2")
    call = await roomy.open()
    viewer = await roomy.watch(call)
    await asyncio.wait_for(viewer.gone.wait(), 10)
    assert "end_reason" not in await roomy.session(call)


async def test_without_video_there_is_a_voice_alone_and_without_voice_no_sound(
    roomy: Caller,
) -> None:
    await roomy.order("room:no-video")
    await roomy.order("room:no-voice")
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    await viewer.until(lambda: len(viewer.heard) > 20)
    assert viewer.tracks == {"heygen": {"audio"}}
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.speak_ended", event_id="u1")
    assert not viewer.last_loud_at


async def test_the_avatar_comes_late_into_its_room(roomy: Caller) -> None:
    await roomy.order("room:delay by=4 times=1")
    call, lite = await roomy.talk()
    assert call.id not in await rooms(roomy.livekit)
    viewer = await roomy.watch(call)
    await viewer.until(lambda: viewer.tracks == {"heygen": {"audio", "video"}})
    await lite.say(tone(1), "u1")
    await lite.until("agent.speak_ended", event_id="u1")
    await viewer.until(lambda: viewer.last_loud_at)


async def test_a_client_that_is_thrown_out_leaves_the_session_running(roomy: Caller) -> None:
    await roomy.order("room:throw-out after=0.2")
    call, lite = await roomy.talk()
    viewer = await roomy.watch(call)
    await asyncio.wait_for(viewer.gone.wait(), 10)
    assert "end_reason" not in await roomy.session(call)
    await lite.say(tone(0.2), "u1")
    await lite.until("agent.speak_ended", event_id="u1")


def test_the_readme_has_every_row_of_the_table_with_its_places_and_parameters() -> None:
    readme = (Path(sandbox_folder.__file__).parent / "README.md").read_text()
    for kind in FAULTS.values():
        [row] = [line for line in readme.splitlines() if line.startswith(f"| `{kind.name}` |")]
        _, _, places, parameters, *_ = row.split("|")
        wanted = {place if place == ROUTE else f"`{place}`" for place in kind.places}
        assert {place.strip() for place in places.split(",")} == wanted, row
        names = [word.partition("=")[0] for word in parameters.strip(" `").split()]
        assert names == list(kind.parameters), row


async def test_every_row_of_the_table_can_be_ordered_on_the_command_line() -> None:
    places = {"a route": "GET /v1/voices"}
    every = [f"{places.get(p, p)}:{kind.name}" for kind in FAULTS.values() for p in kind.places]
    async with sandbox(None, faults=every, limits=Limits()) as address:
        async with aiohttp.ClientSession() as http:
            headers = {"X-API-KEY": address.key}
            async with http.get(f"{address.url}/_sandbox/faults", headers=headers) as answer:
                data = (await answer.json())["data"]
    assert len(data["ordered"]) == len(every)
    assert {row["name"] for row in data["table"]} == set(FAULTS)
