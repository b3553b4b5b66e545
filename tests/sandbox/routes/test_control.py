"""The control plane: apart from the imitated API, and able to put everything back."""

from tests.sandbox.caller import Caller


async def test_reset_ends_everything_and_fills_up(caller: Caller) -> None:
    call, lite = await caller.talk()
    await caller.ask("POST", "/v1/contexts", {"name": "A", "prompt": "p"})
    await caller.order("GET /v1/voices:answer")
    assert (await caller.ask("POST", "/_sandbox/reset"))[0] == 200
    assert await lite.closed() == 1000
    assert (await caller.ask("GET", f"/v1/sessions/{call.id}"))[0] == 404
    assert (await caller.ask("GET", "/v1/voices"))[0] == 200
    assert (await caller.ask("GET", "/v1/contexts"))[1]["data"]["count"] == 0
    assert (await caller.ask("GET", "/v1/users/credits"))[1]["data"]["credits_left"] == "1000.00"


async def test_sessions_show_everything_received_and_sent(caller: Caller) -> None:
    call, lite = await caller.talk()
    await lite.send("agent.interrupt", event_id="i1")
    await lite.until("agent.audio_buffer_cleared")
    await caller.ask("POST", "/v1/sessions/keep-alive", headers=call.bearer)
    await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    await lite.closed()
    [shown] = (await caller.ask("GET", "/_sandbox/sessions"))[1]["data"]
    assert (shown["phase"], shown["end_reason"]) == ("historic", "USER_CLOSED")
    assert [entry["way"] for entry in shown["log"]] == [
        "token",
        "start",
        "sent",
        "received",
        "sent",
        "keep-alive",
        "stop",
        "sent",
        "sent",
    ]


async def test_faults_are_listed_with_how_often_they_struck_and_can_be_cleared(
    caller: Caller,
) -> None:
    await caller.order("GET /v1/voices:answer status=500 times=1")
    await caller.ask("GET", "/v1/voices")
    _, answer = await caller.ask("GET", "/_sandbox/faults")
    [ordered] = answer["data"]["ordered"]
    assert (ordered["struck"], ordered["spent"]) == (1, True)
    await caller.ask("DELETE", "/_sandbox/faults")
    assert (await caller.ask("GET", "/_sandbox/faults"))[1]["data"]["ordered"] == []


async def test_a_fault_that_is_none_is_422_and_is_not_ordered(caller: Caller) -> None:
    status, answer = await caller.ask("POST", "/_sandbox/faults", {"fault": "speak:explode"})
    assert (status, answer["code"]) == (422, 4000)
    assert "choose one of" in answer["message"]
    assert (await caller.ask("GET", "/_sandbox/faults"))[1]["data"]["ordered"] == []


async def test_no_route_fault_can_lock_one_out_of_the_control_plane(caller: Caller) -> None:
    await caller.order("* /*:answer")
    assert (await caller.ask("GET", "/v1/voices"))[0] == 500
    assert (await caller.ask("DELETE", "/_sandbox/faults"))[0] == 200
    assert (await caller.ask("GET", "/v1/voices"))[0] == 200


async def test_a_page_of_another_origin_cannot_use_the_control_plane(caller: Caller) -> None:
    asked = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key",
    }
    async with caller.http.options(f"{caller.url}/_sandbox/reset", headers=asked) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_room_of_a_session_can_be_looked_into(roomy: Caller) -> None:
    call = await roomy.open()
    status, answer = await roomy.ask("POST", f"/_sandbox/sessions/{call.id}/view")
    assert status == 200
    viewer = await roomy.join(answer["data"]["url"], answer["data"]["token"])
    await viewer.until(lambda: viewer.picture)
    client = await roomy.watch(call)
    assert set(client.room.remote_participants) == {"heygen"}
    await roomy.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    status, answer = await roomy.ask("POST", f"/_sandbox/sessions/{call.id}/view")
    assert (status, answer["code"]) == (400, 4000)
    assert "does not run" in answer["message"]


async def test_a_room_of_the_clients_own_is_not_shown(caller: Caller) -> None:
    call = await caller.open()
    status, answer = await caller.ask("POST", f"/_sandbox/sessions/{call.id}/view")
    assert status == 400
    assert "avatar join" in answer["message"]


async def test_who_looks_into_a_room_needs_the_key(caller: Caller) -> None:
    call = await caller.open()
    path = f"/_sandbox/sessions/{call.id}/view"
    assert (await caller.ask("POST", path, headers={}))[0] == 401
    assert (await caller.ask("POST", "/_sandbox/sessions/nobody/view"))[0] == 404


async def test_the_viewer_is_a_page_with_everything_it_loads(caller: Caller) -> None:
    async with caller.http.get(f"{caller.url}/_sandbox/view") as answer:
        page = await answer.text()
        assert answer.status == 200
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    for path in ("avatar.js", "page/rooms.js", "page/rooms.css", "web/pages/icon.svg"):
        assert f'"{path}"' in page
        async with caller.http.get(f"{caller.url}/_sandbox/{path}") as answer:
            assert answer.status == 200, path
