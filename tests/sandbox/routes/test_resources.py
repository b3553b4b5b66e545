"""Contexts, voices, avatars, secrets, LLM configurations and the rest: section 5 on the wire."""

import base64

import pytest

from tests.sandbox.caller import WAYNE, Caller

VOICE = {"id", "name", "language", "gender", "created_at", "updated_at", "tags"}
SECRET = {"secret_name": "mine", "secret_value": "sk-very-secret", "secret_type": "OPENAI_API_KEY"}
CONTEXT = {"name": "Guide", "prompt": "You guide ${name}.", "opening_text": "Hello ${name}"}


async def done(caller: Caller, method: str, path: str, body: object = None):
    """The data of an answer that must be a success."""
    status, answer = await caller.ask(method, path, body)
    assert status == 200, answer
    assert (answer["code"], answer["message"]) == (1000, "ok")
    return answer["data"]


@pytest.mark.parametrize(
    "line",
    [
        "GET /v1/avatars",
        "GET /v1/contexts",
        "POST /v1/contexts",
        "GET /v1/voices",
        "POST /v1/voices/third_party",
        "GET /v1/secrets",
        "POST /v1/secrets",
        "GET /v1/llm-configurations",
        "GET /v1/llm_configurations",
        "POST /v2/embeddings",
        "GET /v1/users/credits",
        "GET /v1/memory",
        "POST /v1/feedback/agents",
        "GET /_sandbox/sessions",
        "GET /_sandbox/faults",
        "POST /_sandbox/reset",
    ],
)
async def test_everything_but_the_public_lists_needs_the_key(caller: Caller, line: str) -> None:
    method, path = line.split()
    status, answer = await caller.ask(method, path, headers={})
    assert (status, answer["data"]) == (401, None)


@pytest.mark.parametrize("path", ["/v1/avatars/public", "/v1/languages"])
async def test_the_public_lists_need_no_key(caller: Caller, path: str) -> None:
    assert (await caller.ask("GET", path, headers={}))[0] == 200


async def test_avatars_are_the_packs_and_the_sandbox_ones(caller: Caller) -> None:
    page = await done(caller, "GET", "/v1/avatars/public")
    assert page["count"] == len(page["results"]) >= 4
    assert WAYNE in {avatar["id"] for avatar in page["results"]}
    one = await done(caller, "GET", f"/v1/avatars/{WAYNE}")
    assert (one["status"], one["type"], one["is_expired"]) == ("ACTIVE", "VIDEO", False)
    assert set(one["default_voice"]) == {"id", "name"}


async def test_an_avatar_is_renamed_given_a_voice_and_removed(caller: Caller) -> None:
    voice = (await done(caller, "GET", "/v1/voices"))["results"][0]
    change = {"name": "Bruce", "default_voice_id": voice["id"]}
    changed = await done(caller, "PATCH", f"/v1/avatars/{WAYNE}", change)
    assert (changed["name"], changed["default_voice"]["id"]) == ("Bruce", voice["id"])
    await done(caller, "DELETE", f"/v1/avatars/{WAYNE}")
    assert (await caller.ask("GET", f"/v1/avatars/{WAYNE}"))[0] == 404
    assert (await caller.ask("PATCH", f"/v1/avatars/{WAYNE}", change))[0] == 404


async def test_a_context_is_made_read_changed_and_removed(caller: Caller) -> None:
    made = await done(caller, "POST", "/v1/contexts", CONTEXT)
    assert made["required_dynamic_variables"] == ["name"]
    path = f"/v1/contexts/{made['id']}"
    for method in ("PATCH", "PUT"):
        changed = await done(caller, method, path, {"prompt": f"{method} ${{place}}"})
        assert changed["required_dynamic_variables"] == ["name", "place"]
        assert changed["name"] == "Guide"
    [listed] = (await done(caller, "GET", "/v1/contexts"))["results"]
    assert set(listed) == {"id", "name", "created_at", "updated_at"}
    await done(caller, "DELETE", path)
    assert (await caller.ask("GET", path))[0] == 404


async def test_a_context_may_lack_an_opening_but_not_a_unique_name(caller: Caller) -> None:
    await done(caller, "POST", "/v1/contexts", {"name": "A", "prompt": "p"})
    status, answer = await caller.ask("POST", "/v1/contexts", {"name": "A", "prompt": "q"})
    assert (status, answer["code"]) == (400, 4000)
    status, answer = await caller.ask("POST", "/v1/contexts", {"name": "B"})
    assert (status, answer["code"]) == (422, 4000)
    assert "prompt: Field required" in answer["message"]
    assert (await done(caller, "GET", "/v1/contexts"))["count"] == 1


async def test_a_secret_is_kept_and_its_value_never_given_back(caller: Caller) -> None:
    made = await done(caller, "POST", "/v1/secrets", SECRET)
    assert made["id"] == made["secret_id"]
    [listed] = await done(caller, "GET", "/v1/secrets")
    assert set(listed) == {"id", "secret_name", "secret_type", "created_at"}
    for path in ("/v1/secrets", "/_sandbox/sessions"):
        assert "sk-very-secret" not in str(await caller.ask("GET", path))
    await done(caller, "DELETE", f"/v1/secrets/{made['id']}")
    status, answer = await caller.ask("DELETE", f"/v1/secrets/{made['id']}")
    assert (status, answer["message"]) == (404, "Secret not found")


@pytest.mark.parametrize(
    "type_",
    ["LLM_API_KEY", "OPENAI_API_KEY", "ELEVENLABS_API_KEY", "GEMINI_API_KEY", "CARTESIA_API_KEY"],
)
async def test_every_type_of_secret_is_taken(caller: Caller, type_: str) -> None:
    await done(caller, "POST", "/v1/secrets", {**SECRET, "secret_type": type_})


@pytest.mark.parametrize("spelling", ["llm-configurations", "llm_configurations"])
@pytest.mark.parametrize(
    "body",
    [
        {"model_name": "gpt", "display_name": "G", "base_url": "https://llm.example"},
        {"model": "gpt", "base_url": "https://llm.example/v1/"},
    ],
    ids=["openapi", "skills"],
)
async def test_an_llm_configuration_has_two_spellings(
    caller: Caller, spelling: str, body: dict
) -> None:
    secret = await done(caller, "POST", "/v1/secrets", SECRET)
    made = await done(caller, "POST", f"/v1/{spelling}", {**body, "secret_id": secret["id"]})
    path = f"/v1/{spelling}/{made['id']}"
    one = await done(caller, "GET", path)
    assert (one["model_name"], one["base_url"]) == ("gpt", "https://llm.example/v1")
    changed = await done(caller, "PATCH", path, {"base_url": "http://other"})
    assert (changed["base_url"], changed["model_name"]) == ("http://other/v1", "gpt")
    [listed] = await done(caller, "GET", f"/v1/{spelling}")
    assert set(listed) == {"id", "display_name", "model_name", "secret_id"}
    await done(caller, "DELETE", path)
    assert (await caller.ask("GET", path))[0] == 404


@pytest.mark.parametrize("address", ["nonsense", "ftp://llm.example", "http://[::1", "http://a:x"])
async def test_an_llm_where_nothing_can_be_asked_is_422(caller: Caller, address: str) -> None:
    secret = await done(caller, "POST", "/v1/secrets", SECRET)
    body = {"model_name": "gpt", "secret_id": secret["id"], "base_url": ""}
    made = await done(caller, "POST", "/v1/llm-configurations", body)
    path = f"/v1/llm-configurations/{made['id']}"
    for method, where in (("POST", "/v1/llm-configurations"), ("PATCH", path)):
        status, answer = await caller.ask(method, where, {**body, "base_url": address})
        assert (status, answer["code"]) == (422, 4000)
        assert "base_url" in answer["message"]
    assert (await done(caller, "GET", path))["base_url"] is None


async def test_a_voice_with_the_secret_of_no_such_vendor_is_400(caller: Caller) -> None:
    secret = await done(caller, "POST", "/v1/secrets", SECRET)
    body = {"provider_voice_id": "v", "secret_id": secret["id"]}
    status, answer = await caller.ask("POST", "/v1/voices/third_party", body)
    assert (status, answer["code"]) == (400, 4000)
    assert "ELEVENLABS_API_KEY or CARTESIA_API_KEY" in answer["message"]


async def test_an_unknown_secret_is_400(caller: Caller) -> None:
    for path, body in (
        ("/v1/llm-configurations", {"model_name": "gpt", "secret_id": "none"}),
        ("/v1/voices/third_party", {"provider_voice_id": "v", "secret_id": "none"}),
    ):
        status, answer = await caller.ask("POST", path, body)
        assert (status, answer["code"]) == (400, 4000)


@pytest.mark.parametrize("field", ["provider_voice_id", "voice_id"])
async def test_a_third_party_voice_is_imported_renamed_and_removed(
    caller: Caller, field: str
) -> None:
    kept = {**SECRET, "secret_type": "ELEVENLABS_API_KEY"}
    secret = await done(caller, "POST", "/v1/secrets", kept)
    body = {field: "abc", "secret_id": secret["id"]}
    voice_id = (await done(caller, "POST", "/v1/voices/third_party", body))["voice_id"]
    [voice] = (await done(caller, "GET", "/v1/voices?voice_type=private"))["results"]
    assert (voice["id"], voice["name"]) == (voice_id, "Imported Voice: abc")
    path = f"/v1/voices/{voice_id}"
    assert set(voice) == set(await done(caller, "GET", path)) == VOICE
    assert (await done(caller, "PATCH", path, {"name": "Ann"}))["name"] == "Ann"
    assert (await caller.ask("PATCH", path, {"name": "x" * 65}))[0] == 422
    await done(caller, "DELETE", path)
    assert (await caller.ask("GET", path))[0] == 404


async def test_a_voice_has_a_preview(caller: Caller) -> None:
    voice = (await done(caller, "GET", "/v1/voices"))["results"][0]
    preview = await done(caller, "GET", f"/v1/voices/{voice['id']}/preview")
    assert base64.b64decode(preview["audio_base64"]).startswith(b"RIFF")


async def test_credits_are_text(caller: Caller) -> None:
    await caller.open()
    assert await done(caller, "GET", "/v1/users/credits") == {"credits_left": "999.00"}


async def test_languages_are_a_bare_list(caller: Caller) -> None:
    languages = await done(caller, "GET", "/v1/languages")
    assert {"language": "English", "code": "en"} in languages


async def test_an_embed_has_an_address_and_a_frame_with_a_microphone(caller: Caller) -> None:
    context = await done(caller, "POST", "/v1/contexts", CONTEXT)
    body = {"avatar_id": WAYNE, "context_id": context["id"], "orientation": "vertical"}
    made = await done(caller, "POST", "/v2/embeddings", body)
    assert made["url"].endswith(made["embed_id"]) and made["url"].startswith(caller.url)
    assert made["orientation"] == "vertical" and "9/16" in made["script"]
    assert f'src="{made["url"]}" allow="microphone' in made["script"]
    path = made["url"].removeprefix(caller.url)
    async with caller.http.get(f"{caller.url}{path}") as page:
        assert "frame-ancestors 'self' *" in page.headers["Content-Security-Policy"]
    status, answer = await caller.ask("POST", f"{path}/start", {"body": {}}, headers={})
    assert (status, answer["message"]) == (
        400,
        "dynamic_variables: the context requires name",
    )
    named = {"body": {"variables": {"name": "Ann"}}}
    status, answer = await caller.ask("POST", f"{path}/start", named, headers={})
    assert status == 400 and "no LiveKit server" in answer["message"]
    assert not caller.desk.account.sessions


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"voice_agent_id": "a", "context_id": "c"}, 400, "exclude each other"),
        ({"context_id": "none"}, 400, "Context not found"),
        ({"voice_id": "none"}, 400, "Voice not found"),
        ({"voice_agent_id": "none"}, 400, "Voice agent not found"),
        ({"default_language": "de"}, 400, "hears and speaks en only"),
        ({"avatar_id": "theo"}, 422, "avatar_id"),
    ],
)
async def test_an_embed_that_could_not_be_opened_is_not_made(
    caller: Caller, fields: dict, status: int, said: str
) -> None:
    came = await caller.ask("POST", "/v2/embeddings", {"avatar_id": WAYNE, **fields})
    assert came[0] == status and said in came[1]["message"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([f"n{number}" for number in range(51)], "requires 51 variables"),
        (["n" * 65], "64 characters at most"),
        ([f"{number:n>64}" for number in range(50)], None),
    ],
    ids=["too many", "too long", "just as many"],
)
async def test_an_embed_whose_variables_no_session_can_be_given_is_not_made(
    caller: Caller, names: list[str], said: str | None
) -> None:
    prompt = " ".join(f"${{{name}}}" for name in names)
    context = await done(caller, "POST", "/v1/contexts", {"name": "Many", "prompt": prompt})
    body = {"avatar_id": WAYNE, "context_id": context["id"]}
    status, answer = await caller.ask("POST", "/v2/embeddings", body)
    assert (status, answer["code"]) == ((400, 4000) if said else (200, 1000))
    assert (said or "ok") in answer["message"]


async def test_an_address_without_an_embed_is_404(caller: Caller) -> None:
    for method, path in (
        ("GET", ""),
        ("GET", "/portrait"),
        ("GET", "/api/lineup"),
        ("POST", "/start"),
    ):
        assert (await caller.ask(method, f"/embed/v1/none{path}", headers={}))[0] == 404


async def test_a_session_is_remembered_and_forgotten(caller: Caller) -> None:
    call = await caller.open()
    body = {"memory_type": "session", "session_id": call.id}
    made = await done(caller, "POST", "/v1/memory", body)
    assert (await done(caller, "GET", f"/v1/memory/{made['id']}"))["session_id"] == call.id
    assert await caller.ask("DELETE", f"/v1/memory/{made['id']}") == (204, {})
    assert (await done(caller, "GET", "/v1/memory"))["count"] == 0
    unknown = {"memory_type": "session", "session_id": "none"}
    assert (await caller.ask("POST", "/v1/memory", unknown))[0] == 400


async def test_feedback_is_taken(caller: Caller) -> None:
    given = {"use_case": "u", "blockers": "b", "additional_feedback": ""}
    assert await done(caller, "POST", "/v1/feedback/agents", {"feedback_data": given}) is None
