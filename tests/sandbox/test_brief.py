"""What FULL sessions name: looked up, filled in, and refused where it does not exist."""

from typing import Any

import pytest

from liveavatar.wire import FullRequest
from sandbox.brief import Brief, brief_of
from sandbox.errors import BadRequest
from sandbox.variables import filled, required
from tests.sandbox.caller import FULL, Caller

CONTEXT = {
    "name": "Shop",
    "prompt": "You sell pens to ${name} for $5 each.",
    "opening_text": "Hello ${name}!",
    "links": [{"url": "https://a.example", "faq": "Pens write."}, {"url": "https://b.example"}],
}


async def made(caller: Caller, path: str, body: dict[str, Any]) -> str:
    """The id of a new thing."""
    return (await caller.ask("POST", path, body))[1]["data"]["id"]


def brief(caller: Caller, **fields: Any) -> Brief:
    """What a request comes to."""
    the = caller.desk
    return brief_of(FullRequest(**{**FULL, **fields}), the.shelves, the.account)


def test_variables_are_those_in_braces() -> None:
    text = "${b} and ${a_1}, not $c, ${not this} or $5"
    assert required(text, None, "${a_1}") == ["a_1", "b"]
    assert filled(text, {"b": "${a_1}"}) == "${a_1} and ${a_1}, not $c, ${not this} or $5"


async def test_a_context_is_filled_with_variables_and_links(caller: Caller) -> None:
    context_id = await made(caller, "/v1/contexts", CONTEXT)
    found = brief(
        caller,
        avatar_persona={"context_id": context_id},
        dynamic_variables={"name": "Ann", "more": "than asked for"},
    )
    assert found.opening == "Hello Ann!"
    assert found.prompt == (
        "You sell pens to Ann for $5 each.\n\n"
        "Pages to draw on:\nhttps://a.example: Pens write.\nhttps://b.example"
    )
    assert found.notes == "You sell pens to Ann for $5 each.\nPens write.\n"
    assert (found.pack, found.voice, found.llm, found.push_to_talk) == ("theo", "theo", None, False)


async def test_a_voice_is_the_one_named_else_the_avatars(caller: Caller) -> None:
    voices = {v["name"]: v["id"] for v in caller.desk.shelves.voices.all()}
    assert brief(caller, avatar_persona={"voice_id": voices["Mira"]}).voice == "mira"
    assert brief(caller, avatar_persona={"voice_id": ""}).voice == "theo"
    change = {"default_voice_id": voices["Mira"]}
    await caller.ask("PATCH", f"/v1/avatars/{FULL['avatar_id']}", change)
    assert brief(caller).voice == "mira"


VOICED = {"provider": "elevenLabs", "speed": 1.1}


async def imported(caller: Caller, type_: str) -> tuple[str, str]:
    """The ids of a voice of a vendor's, and of its secret."""
    secret = {"secret_name": "s", "secret_value": "sk-1", "secret_type": type_}
    secret_id = await made(caller, "/v1/secrets", secret)
    body = {"provider_voice_id": "ann", "secret_id": secret_id}
    _, answer = await caller.ask("POST", "/v1/voices/third_party", body)
    return answer["data"]["voice_id"], secret_id


async def test_a_voice_of_elevenlabs_has_its_settings_and_a_key_until_its_secret_is_deleted(
    caller: Caller,
) -> None:
    voice_id, secret_id = await imported(caller, "ELEVENLABS_API_KEY")
    persona = {"voice_id": voice_id, "voice_settings": VOICED}
    found = brief(caller, avatar_persona=persona)
    assert found.own and (found.own.id, found.own.key, found.voice) == ("ann", "sk-1", "theo")
    assert found.own.settings and found.own.settings.speed == 1.1
    assert "sk-1" not in repr(found)
    await caller.ask("DELETE", f"/v1/secrets/{secret_id}")
    found = brief(caller, avatar_persona={"voice_id": voice_id})
    assert found.own and (found.own.key, found.own.settings) == ("", None)


async def test_settings_of_another_provider_than_the_voices_are_400(caller: Caller) -> None:
    voice_id, _ = await imported(caller, "CARTESIA_API_KEY")
    assert brief(caller, avatar_persona={"voice_id": voice_id}).own is None
    persona = {"voice_id": voice_id, "voice_settings": VOICED}
    with pytest.raises(BadRequest, match="for elevenLabs, and the voice is of cartesia"):
        brief(caller, avatar_persona=persona)
    # A voice of this server's own may be of any provider.
    [voice, *_] = caller.desk.shelves.voices.all()
    own = {"voice_id": voice["id"], "voice_settings": VOICED}
    assert brief(caller, avatar_persona=own).own is None


@pytest.mark.parametrize("wrong", [{"speed": 1.3}, {"stability": -0.1}, {"provider": "acme"}])
async def test_settings_that_no_voice_has_are_422(caller: Caller, wrong: dict[str, Any]) -> None:
    request = {**FULL, "avatar_persona": {"voice_settings": VOICED | wrong}}
    status, answer = await caller.ask("POST", "/v1/sessions/token", request)
    assert (status, answer["code"]) == (422, 4000)
    assert "voice_settings" in answer["message"]


@pytest.mark.parametrize(
    ("type_", "given", "address"),
    [
        ("LLM_API_KEY", "https://llm.example", "https://llm.example/v1"),
        ("OPENAI_API_KEY", None, "https://api.openai.com/v1"),
        ("GEMINI_API_KEY", None, "https://generativelanguage.googleapis.com/v1beta/openai"),
    ],
)
async def test_a_custom_llm_has_an_address_and_a_key_until_its_secret_is_deleted(
    caller: Caller, type_: str, given: str | None, address: str
) -> None:
    secret = {"secret_name": "s", "secret_value": "sk-1", "secret_type": type_}
    secret_id = await made(caller, "/v1/secrets", secret)
    config = {"model_name": "m", "secret_id": secret_id, "base_url": given}
    llm_id = await made(caller, "/v1/llm-configurations", config)
    llm = brief(caller, llm_configuration_id=llm_id).llm
    assert llm and (llm.model, llm.base_url, llm.key) == ("m", address, "sk-1")
    assert "sk-1" not in repr(llm)
    await caller.ask("DELETE", f"/v1/secrets/{secret_id}")
    llm = brief(caller, llm_configuration_id=llm_id).llm
    assert llm and llm.key == ""


async def test_an_earlier_session_is_remembered(caller: Caller) -> None:
    context_id = await made(caller, "/v1/contexts", {**CONTEXT, "prompt": "p", "links": []})
    call = await caller.open(**FULL)
    caller.desk.account.session(call.id).transcript.append(
        {"role": "user", "transcript": "My cat is called Tom."}
    )
    body = {"memory_type": "session", "session_id": call.id}
    memory_id = await made(caller, "/v1/memory", body)
    asked = {"avatar_persona": {"context_id": context_id}, "dynamic_variables": {"name": "Ann"}}
    memory = {"prev_session_id": call.id, "session_memory_id": memory_id}
    known = "p\n\nSaid in an earlier conversation:\nuser: My cat is called Tom."
    assert brief(caller, **asked, memory=memory).prompt == known
    with pytest.raises(BadRequest, match="memory"):
        brief(caller, **asked, memory={**memory, "prev_session_id": "another"})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"avatar_persona": {"context_id": "none"}}, "Context not found"),
        ({"avatar_persona": {"voice_id": "none"}}, "Voice not found"),
        ({"llm_configuration_id": "none"}, "LLM configuration not found"),
        ({"memory": {"session_memory_id": "none"}}, "Memory not found"),
        ({"voice_agent": {"id": "none"}}, "Voice agent not found"),
        ({"avatar_persona": {"language": "de"}}, "en only, not de"),
    ],
)
async def test_what_does_not_exist_is_400_and_leaves_no_session(
    caller: Caller, fields: dict[str, Any], problem: str
) -> None:
    status, answer = await caller.ask("POST", "/v1/sessions/token", {**FULL, **fields})
    assert (status, answer["code"], answer["data"]) == (400, 4000, None)
    assert problem in answer["message"]
    assert not caller.desk.account.sessions


async def test_a_variable_without_a_value_is_400_also_when_the_context_has_changed(
    caller: Caller,
) -> None:
    context_id = await made(caller, "/v1/contexts", CONTEXT)
    asked = {**FULL, "avatar_persona": {"context_id": context_id}}
    status, answer = await caller.ask("POST", "/v1/sessions/token", asked)
    assert (status, answer["code"]) == (400, 4000)
    assert answer["message"] == "dynamic_variables: the context requires name"
    call = await caller.token(**asked, dynamic_variables={"name": "Ann"})
    change = {"opening_text": "Hello ${title} ${name}!"}
    await caller.ask("PATCH", f"/v1/contexts/{context_id}", change)
    status, answer = await caller.start(call)
    assert (status, answer["message"]) == (400, "dynamic_variables: the context requires title")


async def test_a_room_of_ones_own_is_ignored_in_full(caller: Caller) -> None:
    own = {"livekit_url": "ws://own.example", "livekit_client_token": "t", "livekit_room": "r"}
    call = await caller.open(**FULL, livekit_config=own)
    assert call.data["livekit_url"] != own["livekit_url"]
