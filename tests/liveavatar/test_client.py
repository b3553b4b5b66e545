"""Every call of the client, against the sandbox on a real socket."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web

from liveavatar import LiveAvatar, LiveAvatarError, NoAnswer
from liveavatar.records import Link
from liveavatar.wire import AvatarPersona, EndReason, FullRequest
from tests.sandbox.caller import WAYNE, Caller
from tests.serving import served

# Other spellings of routes that the client asks in another way (13.10, 13.19).
OTHER_SPELLINGS = {
    "put /v1/contexts/{context_id}",
    "delete /v1/sessions",
    "delete /v1/sessions/{session_id}",
}
OVER = web.AppKey("over", asyncio.Event)
KEY = "fake-liveavatar-key"


async def test_every_route_is_asked_and_its_answer_understood(
    live: LiveAvatar, caller: Caller, asked: list[str]
) -> None:
    await _avatars(live)
    secret_id = await live.secrets.add("mine", "sk-very-secret", "ELEVENLABS_API_KEY")
    await _voices(live, secret_id)
    await _llms(live, secret_id)
    await _secrets(live, secret_id)
    await _contexts(live)
    await _sessions(live)
    await _rest(live)
    async with caller.http.get(f"{caller.url}/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    routes = {f"{method} {path}" for path in paths for method in paths[path] if path[:2] == "/v"}
    missed = {route for route in routes - OTHER_SPELLINGS if not _matches(route, asked)}
    assert len(routes) > 35 and not missed


def _matches(route: str, asked: list[str]) -> bool:
    pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", route), re.IGNORECASE)
    return any(pattern.fullmatch(line) for line in asked)


async def _avatars(live: LiveAvatar) -> None:
    public, own = await live.avatars.public(), await live.avatars.own()
    assert len(public) >= 4 and {avatar.id for avatar in own} >= {WAYNE}
    voice = (await live.voices.public())[0]
    await live.avatars.change(WAYNE, name="Bruce", default_voice_id=voice.id)
    wayne = await live.avatars.get(WAYNE)
    assert (wayne.name, wayne.status, wayne.type) == ("Bruce", "ACTIVE", "VIDEO")
    assert wayne.default_voice and wayne.default_voice.id == voice.id
    assert wayne.created_at and wayne.created_at.tzinfo
    await live.avatars.delete(WAYNE)
    assert WAYNE not in {avatar.id for avatar in await live.avatars.own()}


async def _voices(live: LiveAvatar, secret_id: str) -> None:
    id = await live.voices.add("abc", secret_id, name="Ann")
    assert [(voice.id, voice.name) for voice in await live.voices.own()] == [(id, "Ann")]
    await live.voices.change(id, "Bea")
    assert (await live.voices.get(id)).name == "Bea"
    assert (await live.voices.preview(id)).startswith(b"RIFF")
    await live.voices.delete(id)
    assert not await live.voices.own()


async def _llms(live: LiveAvatar, secret_id: str) -> None:
    id = await live.llms.add("gpt", secret_id, base_url="https://llm.example")
    await live.llms.change(id, display_name="G")
    [listed], whole = await live.llms.all(), await live.llms.get(id)
    assert (listed.id, listed.model_name, listed.secret_id) == (id, "gpt", secret_id)
    assert (whole.display_name, whole.base_url) == ("G", "https://llm.example/v1")
    await live.llms.delete(id)
    assert not await live.llms.all()


async def _secrets(live: LiveAvatar, secret_id: str) -> None:
    [secret] = await live.secrets.all()
    assert (secret.id, secret.secret_name) == (secret_id, "mine")
    assert (secret.secret_type, "very-secret" in repr(secret)) == ("ELEVENLABS_API_KEY", False)
    await live.secrets.delete(secret_id)
    assert not await live.secrets.all()


async def _contexts(live: LiveAvatar) -> None:
    link = Link(url="https://faq.example", faq="where?")
    id = await live.contexts.add("Guide", "You guide ${name}.", "Hello ${name}", [link])
    await live.contexts.change(id, prompt="You guide ${place}.")
    whole = await live.contexts.get(id)
    assert (whole.name, whole.prompt) == ("Guide", "You guide ${place}.")
    assert whole.opening_text == "Hello ${name}"
    assert whole.required_dynamic_variables == ["name", "place"] and whole.links == [link]
    assert [context.id for context in await live.contexts.all()] == [id]
    await live.contexts.delete(id)
    assert not await live.contexts.all()


async def _sessions(live: LiveAvatar) -> None:
    guide = await live.contexts.add("guide", "Be brief.", "")
    persona = AvatarPersona(context_id=guide)
    wish = FullRequest(mode="FULL", avatar_id=uuid.UUID(WAYNE), avatar_persona=persona)
    token = await live.sessions.token(wish)
    started = await live.sessions.start(token.session_token)
    assert started.session_id == token.session_id and started.ws_url is None
    assert "eyJ" in started.livekit_client_token and "eyJ" not in f"{started}{token}"
    await live.sessions.keep_alive(token.session_id)
    [active] = await live.sessions.all("active", avatar_id=WAYNE, context_id=guide)
    assert (active.id, active.mode, active.credits_consumed) == (token.session_id, "FULL", 2)
    assert await live.sessions.all("active", context_id="another") == []
    await live.sessions.stop(token.session_id, EndReason.AGENT_HANG_UP)
    [over] = await live.sessions.all("historic")
    assert (over.end_reason, over.end_at is not None) == ("AGENT_HANG_UP", True)
    assert await live.sessions.get(token.session_id) == over
    said = await live.sessions.transcript(token.session_id, since=5, until=9)
    assert (said.session_active, said.next_timestamp, said.transcript_data) == (False, 5, [])
    await live.sessions.forget(token.session_id)


async def _rest(live: LiveAvatar) -> None:
    [over] = await live.sessions.all("historic")
    id = await live.memories.add(over.id)
    assert [memory.id for memory in await live.memories.all()] == [id]
    assert (await live.memories.get(id)).session_id == over.id
    await live.memories.delete(id)
    assert not await live.memories.all()
    [guide] = await live.contexts.all()
    embed = await live.embeds.add(WAYNE, context_id=guide.id, max_session_duration=60)
    assert embed.url.endswith(embed.embed_id) and "microphone" in (embed.script or "")
    assert {language.code for language in await live.languages()} >= {"en", "de"}
    assert await live.credits() == Decimal("998.00")
    await live.send_feedback({"use_case": "u", "blockers": "", "additional_feedback": ""})


async def test_long_lists_are_read_to_their_end(
    live: LiveAvatar, caller: Caller, asked: list[str]
) -> None:
    for number in range(230):
        caller.desk.shelves.contexts.add({"name": f"c{number}", "prompt": "", "opening_text": ""})
    assert [context.name for context in await live.contexts.all()] == [f"c{n}" for n in range(230)]
    assert asked == ["GET /v1/contexts"] * 3


@pytest.mark.parametrize("id", ["../secrets", "a/b", "ü?#%2F", "-"])
async def test_no_id_leads_elsewhere(live: LiveAvatar, asked: list[str], id: str) -> None:
    with pytest.raises(LiveAvatarError) as refused:
        await live.contexts.delete(id)
    assert refused.value.status == 404
    assert [line.count("/") for line in asked] == [3]


@pytest.mark.parametrize("id", ["", ".", ".."])
async def test_what_is_no_id_is_not_asked_for(live: LiveAvatar, asked: list[str], id: str) -> None:
    with pytest.raises(LiveAvatarError, match="is no id"):
        await live.contexts.delete(id)
    assert not asked


async def test_an_error_is_a_sentence_with_status_and_code(live: LiveAvatar) -> None:
    with pytest.raises(LiveAvatarError) as refused:
        await live.llms.add("gpt", "none")
    assert (refused.value.status, refused.value.code) == (400, 4000)
    assert str(refused.value) == "Secret not found (400)."


async def test_what_cannot_be_sent_is_a_sentence(caller: Caller) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(LiveAvatarError, match="characters that cannot be sent"):
            await LiveAvatar(http, "a\nb", caller.url).credits()


@pytest.fixture
async def odd() -> AsyncIterator[tuple[LiveAvatar, list[web.Request]]]:
    """The client of a server that is not LiveAvatar, and what came to that."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        if request.path == "/v1/users/credits":
            raise web.HTTPFound("/v1/elsewhere")
        if request.path == "/v1/languages":
            await request.content.read()
            await request.app[OVER].wait()
        if request.path == "/v1/secrets":
            body = await request.json()
            message = f"{body['secret_value']} of {request.headers['X-API-KEY']} is none"
            return web.json_response({"code": 4000, "data": None, "message": message}, status=400)
        page = {"count": 9, "next": "http://evil.example", "results": [{"id": "a", "name": "A"}]}
        return web.json_response({"code": 1000, "data": page, "message": "ok"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    over = app[OVER] = asyncio.Event()
    async with served(app) as port, aiohttp.ClientSession() as http:
        yield LiveAvatar(http, KEY, f"http://127.0.0.1:{port}", timeout_s=0.5), seen
        over.set()


async def test_a_list_without_an_end_is_read_until_it_brings_nothing_new(odd) -> None:
    live, seen = odd
    assert [context.id for context in await live.contexts.all()] == ["a"]
    assert [request.query["page"] for request in seen] == ["1", "2"]


async def test_the_key_does_not_follow_a_redirect(odd) -> None:
    live, seen = odd
    with pytest.raises(LiveAvatarError, match="Found"):
        await live.credits()
    assert [request.path for request in seen] == ["/v1/users/credits"]


async def test_no_error_repeats_a_secret(odd) -> None:
    live, _ = odd
    with pytest.raises(LiveAvatarError) as refused:
        await live.secrets.add("mine", "sk-very-secret", "LLM_API_KEY")
    assert str(refused.value) == "••• of ••• is none (400)."
    assert refused.value.problem == "••• of ••• is none (400)"


async def test_a_server_that_is_silent_is_given_up(odd) -> None:
    live, _ = odd
    with pytest.raises(NoAnswer, match="takes too long.*check LIVEAVATAR_BASE_URL"):
        await live.languages()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nowhere", "ftp://a", ""])
async def test_a_server_that_is_not_there_names_the_setting(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(LiveAvatarError, match="check LIVEAVATAR_BASE_URL"):
            await LiveAvatar(http, KEY, url).credits()
