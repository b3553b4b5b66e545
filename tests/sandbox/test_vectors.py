"""Wire samples of independent clients and documents, as they are, against the server's models.

Client and server share their wire models, so they could be wrong together. Each sample below was
written by somebody else: requests are sent as they stand, answers are read by that client's own
code or held against the fields it indexes.
"""

import json
from typing import Any

import pytest
from pipecat.services.heygen.api_liveavatar import (
    LiveAvatarSessionResponse,
    SessionTokenResponse,
)
from pydantic import TypeAdapter

from liveavatar.wire import (
    COMMAND,
    Interrupt,
    Listen,
    Speak,
    SpeakEnd,
    Start,
    TokenRequest,
)
from sandbox.shelves import Shelves
from tests.liveavatar.vectors import ALL, filled
from tests.sandbox.caller import WAYNE, Caller

pytestmark = pytest.mark.patient

FIELDS_OF = {
    "web SDK": {"session_id", "livekit_url", "livekit_client_token", "ws_url"},
    "LiveKit starter": {
        "session_id",
        "livekit_url",
        "livekit_client_token",
        "livekit_agent_token",
        "ws_url",
    },
    "LiveKit plugin": {"session_id", "ws_url"},
    "Vision Agents": {"ws_url", "livekit_agent_token", "livekit_url"},
}

TOKEN_REQUESTS = {
    "documentation, FULL": {
        "mode": "FULL",
        "avatar_id": WAYNE,
        "is_sandbox": False,
        "interactivity_type": "CONVERSATIONAL",
        "video_settings": {"quality": "high", "encoding": "H264"},
        "max_session_duration": 600,
        "avatar_persona": {
            "voice_id": "c2527536-6d1f-4412-a643-53a3497dada9",
            "context_id": "5b9dba8a-aa31-11f0-a6ee-066a7fa2e369",
            "language": "en",
        },
        "llm_configuration_id": "5b9dba8a-aa31-11f0-a6ee-066a7fa2e369",
        "dynamic_variables": {"name": "Ann"},
    },
    "documentation, sandbox without a context": {
        "mode": "FULL",
        "avatar_id": WAYNE,
        "is_sandbox": True,
        "avatar_persona": {"voice_id": "", "language": "en"},
    },
    "documentation, LITE": {"mode": "LITE", "avatar_id": WAYNE},
    "documentation, the older name of LITE": {"mode": "CUSTOM", "avatar_id": WAYNE},
    "skills, settings at the top level": {
        "mode": "LITE",
        "avatar_id": WAYNE,
        "video_quality": "low",
        "video_encoding": "VP8",
    },
    "Pipecat, LITE with a persona": {
        "mode": "LITE",
        "avatar_id": WAYNE,
        "avatar_persona": {"voice_id": "v", "language": "en"},
        "is_sandbox": False,
        "max_session_duration": 300,
        "video_settings": {"encoding": "H264", "quality": "high"},
    },
    "documentation, ElevenLabs": {
        "mode": "LITE",
        "avatar_id": WAYNE,
        "elevenlabs_agent_config": {
            "secret_id": "s",
            "agent_id": "a",
            "dynamic_variables": {"a": "text", "b": 1, "c": 0.5, "d": True},
        },
    },
    "OpenAPI, OpenAI realtime": {
        "mode": "LITE",
        "avatar_id": WAYNE,
        "openai_realtime_config": {
            "secret_id": "s",
            "voice": "alloy",
            "temperature": 0.8,
            "model": "gpt-realtime",
        },
    },
    "OpenAPI, Gemini realtime": {
        "mode": "LITE",
        "avatar_id": WAYNE,
        "gemini_realtime_config": {
            "secret_id": "s",
            "voice": "Puck",
            "model": "gemini-3.1-flash-live-preview",
        },
    },
    "OpenAPI, Agora": {
        "mode": "LITE",
        "avatar_id": WAYNE,
        "agora_config": {
            "agora_app_id": "i",
            "agora_token": "t",
            "agora_channel": "c",
            "agora_uid": "7",
        },
    },
    "skills, Agora": {
        "mode": "LITE",
        "avatar_id": WAYNE,
        "agora_config": {"app_id": "i", "token": "t", "channel": "c", "uid": 7},
    },
}

COMMANDS: list[tuple[str, dict[str, Any], type]] = [
    ("Pipecat", {"type": "agent.speak", "audio": "AAAA", "event_id": "12"}, Speak),
    ("LiveKit starter", {"type": "agent.speak", "audio": "AAAA"}, Speak),
    ("Pipecat", {"type": "agent.interrupt", "event_id": None}, Interrupt),
    ("demos", {"type": "agent.interrupt"}, Interrupt),
    (
        "newest documentation",
        {"type": "agent.speak_end", "event_id": "1", "audio": "AAAA"},
        SpeakEnd,
    ),
    ("web SDK", {"type": "agent.start_listening", "event_id": "u"}, Listen),
    (
        "Vision Agents",
        {"type": "start", "encoding": "pcm_s16le", "sample_rate": 24000, "channels": 1},
        Start,
    ),
]


SECRETS = {
    "elevenlabs_agent_config": "ELEVENLABS_API_KEY",
    "openai_realtime_config": "OPENAI_API_KEY",
    "gemini_realtime_config": "GEMINI_API_KEY",
}


def store_what_is_named(shelves: Shelves, request: dict[str, Any]) -> None:
    """Have what a request names, under the ids that it names."""
    for config, type_ in SECRETS.items():
        if config in request:
            id_ = request[config]["secret_id"]
            secret = {"secret_name": "s", "secret_value": "sk-1", "secret_type": type_}
            shelves.secrets.add({"id": id_, **secret})
    persona = request.get("avatar_persona", {})
    texts = {"prompt": "", "opening_text": "Hi ${name}.", "links": []}
    if id_ := persona.get("context_id"):
        shelves.contexts.add({"id": id_, "name": "c", **texts})
    if id_ := persona.get("voice_id"):
        shelves.voices.add({"id": id_, "name": "v", "public": False})
    if id_ := request.get("llm_configuration_id"):
        model = {"model_name": "m", "secret_id": "gone", "base_url": None}
        shelves.llms.add({"id": id_, **model})


@pytest.mark.parametrize("request_", TOKEN_REQUESTS.values(), ids=list(TOKEN_REQUESTS))
async def test_every_known_token_request_is_taken_and_starts(
    caller: Caller, request_: dict[str, Any]
) -> None:
    store_what_is_named(caller.desk.shelves, request_)
    status, answer = await caller.ask("POST", "/v1/sessions/token", request_)
    assert status == 200, answer
    token = SessionTokenResponse.model_validate(answer).data
    headers = {"Authorization": f"Bearer {token.session_token}"}
    status, answer = await caller.ask("POST", "/v1/sessions/start", headers=headers)
    assert status == 201, answer
    assert answer["data"]["session_id"] == token.session_id


async def things(caller: Caller) -> tuple[dict[str, str], dict[str, str]]:
    """The ids of what requests name, and the credential of the session among it."""
    call = await caller.open()
    shelves = caller.desk.shelves
    texts = {"prompt": "Hi ${name}.", "opening_text": "", "links": []}
    made = {
        "context": shelves.contexts.add({"name": f"c {call.id}", **texts}),
        "secret": shelves.secrets.add({"secret_name": "s", "secret_type": "LLM_API_KEY"}),
        "vendor": shelves.secrets.add({"secret_name": "e", "secret_type": "ELEVENLABS_API_KEY"}),
        "memory": shelves.memories.add({"memory_type": "session", "session_id": call.id}),
    }
    voice = {"name": "v", "language": "en", "gender": None, "tags": [], "public": False}
    made["voice"] = shelves.voices.add(voice)
    model = {"display_name": "m", "model_name": "m", "secret_id": made["secret"]["id"]}
    made["llm"] = shelves.llms.add({**model, "base_url": None})
    return {"session": call.id} | {name: each["id"] for name, each in made.items()}, call.bearer


async def test_every_token_request_is_read_as_it_is_meant(caller: Caller) -> None:
    ids, _ = await things(caller)
    for vector in ALL["tokens"]:
        body = filled(vector["body"], ids)
        status, answer = await caller.ask("POST", "/v1/sessions/token", body)
        refused = vector.get("refused", "")
        assert (status in (400, 422)) == bool(refused), (vector["source"], answer)
        assert refused in answer["message"], vector["source"]
        if not refused:
            request = caller.desk.account.session(answer["data"]["session_id"]).request
            read = request.model_dump(mode="json")
            assert {name: read[name] for name in vector["read"]} == vector["read"], vector["source"]


async def test_every_request_is_taken_and_answered_with_its_fields(caller: Caller) -> None:
    for vector in ALL["requests"]:
        ids, bearer = await things(caller)
        asked = filled(vector, ids)
        headers = bearer if vector.get("as") == "session" else None
        method, path = asked["method"], asked["path"]
        status, answer = await caller.ask(method, path, asked.get("body"), headers)
        assert (status, answer["code"]) == (200, 1000), (vector["source"], answer)
        data = answer["data"]
        if "item" in vector:
            data = (data if isinstance(data, list) else data["results"])[0]
        wanted = {*vector.get("item", ()), *vector.get("fields", ())}
        assert wanted <= {*(data or ())}, vector["source"]
        await caller.ask("DELETE", f"/v1/sessions/{ids['session']}")


@pytest.mark.parametrize("client", FIELDS_OF)
async def test_an_answer_has_what_each_client_reads(caller: Caller, client: str) -> None:
    call = await caller.open()
    assert FIELDS_OF[client] <= set(call.data)


async def test_pipecat_reads_the_answer_to_start(caller: Caller) -> None:
    _, answer = await caller.start(await caller.token())
    assert LiveAvatarSessionResponse.model_validate(answer).data.ws_url.startswith("ws://")


def test_top_level_settings_yield_to_nested_ones() -> None:
    requests: TypeAdapter[TokenRequest] = TypeAdapter(TokenRequest)
    read = requests.validate_python
    skills = TOKEN_REQUESTS["skills, settings at the top level"]
    assert read(skills).video.model_dump(mode="json") == {"quality": "low", "encoding": "VP8"}
    both = {**skills, "video_settings": {"quality": "high"}}
    assert read(both).video.model_dump(mode="json") == {"quality": "high", "encoding": "H264"}


@pytest.mark.parametrize(("client", "message", "kind"), COMMANDS)
def test_every_known_command_is_understood(
    client: str, message: dict[str, Any], kind: type
) -> None:
    assert isinstance(COMMAND.validate_json(json.dumps(message)), kind), client


async def test_the_events_are_those_each_generation_of_clients_waits_for(caller: Caller) -> None:
    _, lite = await caller.talk()
    await lite.say(bytes(9600), "u1")
    await lite.until("agent.state_updated", new_state="idle")
    # The web SDK takes `type` and `event_id` of these two.
    for type_ in ("agent.speak_started", "agent.speak_ended"):
        assert lite.named(type_)[0]["event_id"] == "u1"
    # The LiveKit plugin of September 2026 takes states and acknowledgements.
    assert [e["new_state"] for e in lite.named("agent.state_updated")] == ["talking", "idle"]
    for type_ in ("agent.audio_buffer_appended", "agent.audio_buffer_committed"):
        assert lite.named(type_)


@pytest.mark.parametrize(
    ("client", "first", "later", "ids"),
    [
        ("Pipecat's video service", 19_200, 48_000, "same"),
        ("LiveKit plugin", 28_800, 48_000, "new"),
        ("LiveKit starter", 19_200, 48_000, "none"),
        ("Vision Agents", 1920, 1920, "none"),
        ("web SDK 0.0.11", 720, 720, "same"),
        ("web SDK 0.0.18", 14_400, 36_000, "same"),
        ("odd", 1001, 777, "new"),
    ],
)
async def test_the_chunks_of_every_client_make_one_utterance(
    caller: Caller, client: str, first: int, later: int, ids: str
) -> None:
    _, lite = await caller.talk()
    pcm = bytes(48_000)
    cuts = [0, *range(first, len(pcm), later), len(pcm)]
    for number, (begin, end) in enumerate(zip(cuts, cuts[1:], strict=False)):
        event_id = {"same": "u", "new": f"u{number}", "none": None}[ids]
        await lite.speak(pcm[begin:end], event_id)
    await lite.send("agent.speak_end")
    await lite.until("agent.speak_ended")
    assert len(lite.named("agent.speak_started")) == 1, client
    assert len(lite.named("agent.audio_buffer_appended")) == len(cuts) - 1
    tasks = {event["task"]["id"] for event in lite.events if "task" in event}
    assert len(tasks) == 1
