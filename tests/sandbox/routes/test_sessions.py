"""The REST life of a session: credentials, statuses, codes and fields of section 2."""

import time

import jwt
import pytest

from sandbox.account import Limits
from tests.sandbox.caller import FULL, LITE, WAYNE, Caller
from tests.sandbox.conftest import Served, TurnedClock

SUCCESS = {"code": 1000, "message": "ok"}
START_FIELDS = {
    "session_id",
    "livekit_url",
    "livekit_client_token",
    "livekit_agent_token",
    "max_session_duration",
    "ws_url",
}
CONNECTORS = {
    "elevenlabs_agent_config": {"secret_id": "ELEVENLABS_API_KEY", "agent_id": "a"},
    "openai_realtime_config": {"secret_id": "OPENAI_API_KEY"},
    "gemini_realtime_config": {"secret_id": "GEMINI_API_KEY", "voice": "Puck"},
}


@pytest.fixture
def keyed(caller: Caller) -> Caller:
    """A caller who has stored a secret for each vendor, whose id is its type."""
    for config in CONNECTORS.values():
        type_ = config["secret_id"]
        secret = {"id": type_, "secret_name": "s", "secret_value": "v", "secret_type": type_}
        caller.desk.shelves.secrets.add(secret)
    return caller


async def test_a_token_is_a_jwt_that_tells_the_mode(caller: Caller) -> None:
    call = await caller.token(is_sandbox=True)
    claims = jwt.decode(call.token, options={"verify_signature": False})
    told = claims["start_session_data"]
    assert claims["session_id"] == call.id
    assert (told["mode"], told["is_sandbox"], told["avatar_id"]) == ("LITE", True, WAYNE)


async def test_a_token_tells_the_connector(keyed: Caller) -> None:
    call = await keyed.token(elevenlabs_agent_config=CONNECTORS["elevenlabs_agent_config"])
    told = jwt.decode(call.token, options={"verify_signature": False})["start_session_data"]
    assert told["agent_type"] == "ELEVENLABS_AGENT"
    assert told["elevenlabs_agent_config"]["agent_id"] == "a"


async def test_the_old_name_of_lite_is_understood(caller: Caller) -> None:
    call = await caller.open(mode="CUSTOM")
    assert (await caller.session(call))["mode"] == "LITE"
    told = jwt.decode(call.token, options={"verify_signature": False})["start_session_data"]
    assert told["mode"] == "LITE"


async def test_start_gives_all_six_fields(caller: Caller) -> None:
    call = await caller.token()
    status, answer = await caller.start(call)
    assert status == 201
    assert {**answer, "data": None} == {**SUCCESS, "data": None}
    assert set(answer["data"]) == START_FIELDS
    assert all(value is not None for value in answer["data"].values())
    assert answer["data"]["session_id"] == call.id


@pytest.mark.parametrize("name", CONNECTORS)
async def test_a_connector_gets_no_socket(keyed: Caller, name: str) -> None:
    call = await keyed.open(**{name: CONNECTORS[name]})
    assert set(call.data) == START_FIELDS - {"ws_url"}


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("elevenlabs_agent_config", {"secret_id": "none"}, "Secret not found"),
        ("elevenlabs_agent_config", {"secret_id": "GEMINI_API_KEY"}, "type ELEVENLABS_API_KEY"),
        ("openai_realtime_config", {"secret_id": "ELEVENLABS_API_KEY"}, "type OPENAI_API_KEY"),
        ("gemini_realtime_config", {"context_id": "none"}, "Context not found"),
    ],
)
async def test_a_connector_that_names_what_is_not_there_is_400_and_leaves_no_session(
    keyed: Caller, name: str, change: dict, problem: str
) -> None:
    request = {**LITE, name: CONNECTORS[name] | change}
    status, answer = await keyed.ask("POST", "/v1/sessions/token", request)
    assert (status, answer["code"], answer["data"]) == (400, 4000, None)
    assert problem in answer["message"]
    assert not keyed.desk.account.sessions


async def test_a_full_session_gets_no_socket_and_costs_two(caller: Caller) -> None:
    before = caller.desk.account.credits
    call = await caller.open(**FULL, dynamic_variables={"name": "Ann"})
    assert set(call.data) == START_FIELDS - {"ws_url"}
    assert caller.desk.account.credits == before - 2
    assert (await caller.session(call))["credits_consumed"] == 2


async def test_livekit_tokens_are_genuine(caller: Caller) -> None:
    call = await caller.open()
    for name, identity in (("client", "client"), ("agent", "agent")):
        token = call.data[f"livekit_{name}_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["sub"], claims["video"]["room"]) == (identity, call.id)
        assert claims["video"]["roomJoin"] and claims["video"]["canPublishData"]
        assert claims["exp"] > time.time()


@pytest.mark.parametrize("body", [None, {}, {"session_id": "whatever"}])
async def test_start_takes_any_of_the_bodies_clients_send(caller: Caller, body: object) -> None:
    call = await caller.token()
    status, _ = await caller.ask("POST", "/v1/sessions/start", body, call.bearer)
    assert status == 201


async def test_a_token_starts_once(caller: Caller) -> None:
    call = await caller.open()
    status, answer = await caller.start(call)
    assert (status, answer["code"], answer["data"]) == (400, 4000, None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/sessions/token"),
        ("POST", "/v1/sessions/stop"),
        ("POST", "/v1/sessions/keep-alive"),
        ("GET", "/v1/sessions?type=active"),
        ("GET", "/v1/sessions/some"),
        ("GET", "/v1/sessions/some/transcript"),
        ("DELETE", "/v1/sessions"),
        ("DELETE", "/v1/sessions/some"),
        ("DELETE", "/v1/sessions/some/events"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"X-API-KEY": "wrong"}], ids=["none", "wrong"])
async def test_a_missing_or_wrong_key_is_401(
    caller: Caller, method: str, path: str, headers: dict[str, str]
) -> None:
    status, answer = await caller.ask(method, path, LITE if method == "POST" else None, headers)
    assert (status, answer["data"]) == (401, None)
    assert "Unauthorized" in answer["message"]


@pytest.mark.parametrize(
    "credential", ["", "Bearer ", "Bearer nonsense", "Bearer a.b.c", "Basic x"]
)
async def test_start_without_a_session_token_is_403(caller: Caller, credential: str) -> None:
    headers = {"Authorization": credential, **caller.key}
    status, answer = await caller.ask("POST", "/v1/sessions/start", headers=headers)
    assert (status, answer["code"], answer["message"]) == (403, 4003, "Not authenticated")


async def test_a_session_token_makes_no_other_token(caller: Caller) -> None:
    call = await caller.token()
    status, _ = await caller.ask("POST", "/v1/sessions/token", LITE, call.bearer)
    assert status == 401


async def test_header_names_have_no_case(caller: Caller) -> None:
    key = caller.key["X-API-KEY"]
    status, answer = await caller.ask("POST", "/v1/sessions/token", LITE, {"x-api-key": key})
    assert status == 200
    headers = {"authorization": f"bearer {answer['data']['session_token']}"}
    assert (await caller.ask("POST", "/v1/sessions/start", headers=headers))[0] == 201


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"avatar_id": WAYNE}, "mode"),
        ({"mode": "LITE"}, "avatar_id: Field required"),
        ({"mode": "SOLO", "avatar_id": WAYNE}, "mode"),
        ({**LITE, "avatar_id": "Wayne"}, "avatar_id: Input should be a valid UUID"),
        ({**LITE, "video_settings": {"quality": "4k"}}, "video_settings.quality"),
        ({**LITE, "video_settings": {"encoding": "AV1"}}, "video_settings.encoding"),
        ({**LITE, "max_session_duration": 0}, "max_session_duration"),
        ({**LITE, "livekit_config": {"livekit_url": "ws://x"}}, "livekit_client_token"),
        ({**LITE, **CONNECTORS}, "at most one"),
        ({**LITE, "agora_config": {}}, "agora_app_id"),
        ({**FULL, "avatar_persona": {}, "voice_agent": {"id": "x"}}, "exclude each other"),
        ({**FULL, "interactivity_type": "SHOUTING"}, "interactivity_type"),
        ({**FULL, "dynamic_variables": {"k" * 65: "v"}}, "dynamic_variables"),
        ({**FULL, "dynamic_variables": {"k": "v" * 1001}}, "dynamic_variables.k"),
        ({**FULL, "dynamic_variables": {str(n): "" for n in range(51)}}, "dynamic_variables"),
        ([], "body: "),
        ("LITE", "body: "),
        (None, "body: Field required"),
    ],
)
async def test_a_malformed_token_request_is_422(caller: Caller, body: object, problem: str) -> None:
    status, answer = await caller.ask("POST", "/v1/sessions/token", body)
    assert (status, answer["code"], answer["data"]) == (422, 4000, None)
    assert answer["message"].startswith("Request validation errors. body: ")
    assert problem in answer["message"]
    assert not caller.desk.account.sessions


async def test_a_body_that_is_no_json_is_422(caller: Caller) -> None:
    headers = {**caller.key, "Content-Type": "application/json"}
    url = f"{caller.url}/v1/sessions/token"
    async with caller.http.post(url, data=b"{not json", headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (422, 4000)


async def test_stop_ends_a_session_in_every_spelling_and_as_often_as_one_likes(
    caller: Caller,
) -> None:
    by_body = await caller.open()
    by_token = await caller.open()
    by_id = await caller.open()
    for _ in range(2):
        body = {"session_id": by_body.id, "reason": "USER_DISCONNECTED"}
        assert (await caller.ask("POST", "/v1/sessions/stop", body))[0] == 200
        assert (await caller.ask("DELETE", "/v1/sessions", headers=by_token.bearer))[0] == 200
        assert (await caller.ask("DELETE", f"/v1/sessions/{by_id.id}"))[0] == 200
    assert (await caller.session(by_body))["end_reason"] == "USER_DISCONNECTED"
    assert (await caller.session(by_token))["end_reason"] == "USER_CLOSED"
    assert caller.desk.theatre.playing == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [(None, "USER_CLOSED"), ({}, "UNKNOWN"), ({"reason": "AGENT_HANG_UP"}, "AGENT_HANG_UP")],
)
async def test_the_reason_of_a_stop_has_its_defaults(
    caller: Caller, body: object, reason: str
) -> None:
    call = await caller.open()
    assert (await caller.ask("POST", "/v1/sessions/stop", body, call.bearer))[0] == 200
    assert (await caller.session(call))["end_reason"] == reason


async def test_a_token_that_was_never_started_can_be_stopped_and_then_not_started(
    caller: Caller,
) -> None:
    call = await caller.token()
    assert (await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer))[0] == 200
    assert (await caller.start(call))[0] == 400


async def test_stop_with_the_key_must_name_a_session(caller: Caller) -> None:
    status, answer = await caller.ask("POST", "/v1/sessions/stop", {})
    assert (status, answer["code"]) == (422, 4000)
    assert (await caller.ask("POST", "/v1/sessions/stop", {"session_id": "x"}))[0] == 404


async def test_an_unknown_end_reason_is_422_and_ends_nothing(caller: Caller) -> None:
    call = await caller.open()
    body = {"session_id": call.id, "reason": "BORED"}
    assert (await caller.ask("POST", "/v1/sessions/stop", body))[0] == 422
    assert "end_reason" not in await caller.session(call)


async def test_one_session_too_many_is_refused_at_start(served: Served) -> None:
    async with served(limits=Limits(concurrency=1)) as caller:
        await caller.open()
        status, answer = await caller.start(await caller.token())
        assert (status, answer["code"]) == (409, 4009)
        assert answer["message"] == "Session concurrency limit reached"


async def test_without_credits_nothing_starts(served: Served) -> None:
    async with served(limits=Limits(credits=1)) as caller:
        status, answer = await caller.start(await caller.token(**FULL))
        assert (status, answer["code"]) == (402, 4002)
        assert (await caller.ask("GET", "/v1/users/credits"))[1]["data"]["credits_left"] == "1.00"


async def test_keep_alive_extends_the_idle_window(caller: Caller, clock: TurnedClock) -> None:
    by_token, by_key, forgotten = [await caller.open() for _ in range(3)]
    clock.advance(299)
    body = {"session_id": by_key.id}
    assert (await caller.ask("POST", "/v1/sessions/keep-alive", body))[0] == 200
    keep_alive = await caller.ask("POST", "/v1/sessions/keep-alive", headers=by_token.bearer)
    assert keep_alive == (200, {**SUCCESS, "data": None})
    clock.advance(1)
    assert await caller.ended(forgotten) == "IDLE_TIMEOUT"
    for call in (by_token, by_key):
        assert "end_reason" not in await caller.session(call)


async def test_running_and_past_sessions_are_listed_in_pages(
    caller: Caller, clock: TurnedClock
) -> None:
    calls = [await caller.open() for _ in range(3)]
    clock.advance(90)
    await caller.ask("DELETE", "/v1/sessions", headers=calls[0].bearer)
    path = "/v1/sessions?page_size=1&type="
    _, answer = await caller.ask("GET", path + "active")
    page = answer["data"]
    assert (page["count"], page["previous"], len(page["results"])) == (2, None, 1)
    assert page["results"][0]["id"] == calls[2].id
    following = page["next"].removeprefix(caller.url)
    _, answer = await caller.ask("GET", following)
    assert answer["data"]["results"][0]["id"] == calls[1].id
    assert answer["data"]["next"] is None
    _, answer = await caller.ask("GET", path + "historic")
    [past] = answer["data"]["results"]
    assert past == {
        "id": calls[0].id,
        "created_at": "2027-01-15T08:00:00Z",
        "updated_at": "2027-01-15T08:01:30Z",
        "end_at": "2027-01-15T08:01:30Z",
        "end_reason": "USER_CLOSED",
        "duration": 90,
        "source": "API",
        "mode": "LITE",
        "is_sandbox": False,
        "credits_consumed": 2,
    }


async def test_sessions_are_found_by_avatar(caller: Caller) -> None:
    await caller.open()
    path = f"/v1/sessions?type=active&avatar_id={WAYNE}"
    assert (await caller.ask("GET", path))[1]["data"]["count"] == 1
    other = path.replace(WAYNE, "65f9e3c9-d48b-4118-b73a-4ae2e3cbb8f0")
    assert (await caller.ask("GET", other))[1]["data"]["count"] == 0


@pytest.mark.parametrize(
    "query", ["", "?type=all", "?type=active&page=0", "?type=active&page_size=101"]
)
async def test_a_malformed_list_request_is_422(caller: Caller, query: str) -> None:
    status, answer = await caller.ask("GET", f"/v1/sessions{query}")
    assert (status, answer["code"]) == (422, 4000)
    assert answer["message"].startswith("Request validation errors. query: ")


async def test_a_lite_session_has_an_empty_transcript(caller: Caller) -> None:
    call = await caller.open()
    _, answer = await caller.ask("GET", f"/v1/sessions/{call.id}/transcript?start_timestamp=5")
    assert answer["data"] == {
        "session_active": True,
        "next_timestamp": 5,
        "transcript_data": [],
    }
    assert (await caller.ask("DELETE", f"/v1/sessions/{call.id}/events"))[0] == 200


async def test_every_ending_on_the_clock_closes_the_socket_and_frees_the_session(
    served: Served, clock: TurnedClock
) -> None:
    limits = Limits(zombie_s=100, idle_s=300, max_duration_s=200)
    async with served(clock=clock, limits=limits) as caller:
        _, kept = await caller.talk()
        minute, lite = await caller.talk(is_sandbox=True)
        zombie, dropped = await caller.talk()
        await dropped.aclose()
        clock.advance(60)
        assert await caller.ended(minute) == "MAX_DURATION_REACHED"
        assert await lite.closed() == 1000
        clock.advance(60)
        assert await caller.ended(zombie) == "ZOMBIE_SESSION_REAP"
        clock.advance(80)
        assert await kept.closed() == 1000
        assert [e["state"] for e in kept.events] == ["connected", "closing", "disconnected"]
        assert not caller.desk.account.active()


async def test_a_browser_of_any_origin_may_ask(caller: Caller) -> None:
    origin = {"Origin": "http://localhost:5173"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    url = f"{caller.url}/v1/sessions/start"
    async with caller.http.options(url, headers=asked) as answer:
        allowed = answer.headers
        assert answer.status == 200
        assert allowed["Access-Control-Allow-Origin"] == origin["Origin"]
        assert allowed["Access-Control-Allow-Credentials"] == "true"
        assert "authorization" in allowed["Access-Control-Allow-Headers"]
    async with caller.http.post(url, headers=origin) as answer:
        assert answer.status == 403
        assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]


async def test_an_unknown_path_and_a_wrong_method_have_the_envelope(caller: Caller) -> None:
    assert (await caller.ask("GET", "/v1/nothing"))[1]["data"] is None
    status, answer = await caller.ask("PUT", "/v1/sessions/token")
    assert (status, answer["data"]) == (405, None)
