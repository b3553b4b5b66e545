"""What holds of the client at the sandbox and at LiveAvatar itself.

With LIVEAVATAR_VERIFY=1 and LIVEAVATAR_API_KEY every test runs a second time, against the real
service. It costs 0 credits: the only session is one of a minute in LiveAvatar's own sandbox, and
what is stored is deleted again.
"""

import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest

from liveavatar import FullSession, LiveAvatar, LiveAvatarError
from liveavatar.wire import AvatarPersona, FullRequest
from tests.contract import KEY, SANDBOX, SERVERS
from tests.sandbox.caller import WAYNE, Caller

MARK = f"contract {uuid.uuid4().hex[:8]}"


@pytest.fixture(params=SERVERS)
async def any_live(request: pytest.FixtureRequest, caller: Caller) -> AsyncIterator[LiveAvatar]:
    """A client of the sandbox, then of the real service."""
    async with aiohttp.ClientSession() as http:
        if request.param == SANDBOX:
            yield LiveAvatar(http, caller.key["X-API-KEY"], caller.url)
        else:
            yield LiveAvatar(http, KEY)


async def test_every_list_is_understood(any_live: LiveAvatar) -> None:
    assert await any_live.avatars.public() and await any_live.voices.public()
    assert {language.code for language in await any_live.languages()} >= {"en"}
    assert await any_live.credits() >= 0
    [voice, *_] = await any_live.voices.public()
    assert (await any_live.voices.get(voice.id)).name == voice.name
    assert await any_live.voices.preview(voice.id)
    for every in (
        any_live.avatars.own,
        any_live.voices.own,
        any_live.contexts.all,
        any_live.secrets.all,
        any_live.llms.all,
        any_live.memories.all,
    ):
        assert isinstance(await every(), list)
    for type_ in ("active", "historic"):
        assert isinstance(await any_live.sessions.all(type_), list)


async def test_a_context_is_made_changed_and_deleted(any_live: LiveAvatar) -> None:
    id = await any_live.contexts.add(MARK, "You greet ${name}.", "Hello")
    try:
        await any_live.contexts.change(id, opening_text="Hello ${name}")
        whole = await any_live.contexts.get(id)
        assert (whole.name, whole.opening_text) == (MARK, "Hello ${name}")
        assert whole.required_dynamic_variables == ["name"]
        assert id in {context.id for context in await any_live.contexts.all()}
    finally:
        await any_live.contexts.delete(id)
    with pytest.raises(LiveAvatarError) as refused:
        await any_live.contexts.get(id)
    assert refused.value.status == 404


async def test_a_secret_and_what_uses_it_are_stored_and_deleted(any_live: LiveAvatar) -> None:
    secret_id = await any_live.secrets.add(MARK, "sk-not-a-key", "LLM_API_KEY")
    try:
        llm_id = await any_live.llms.add("gpt", secret_id, base_url="https://llm.invalid/v1")
        try:
            assert (await any_live.llms.get(llm_id)).secret_id == secret_id
        finally:
            await any_live.llms.delete(llm_id)
        assert MARK in {secret.secret_name for secret in await any_live.secrets.all()}
    finally:
        await any_live.secrets.delete(secret_id)
    assert secret_id not in {secret.id for secret in await any_live.secrets.all()}


async def test_a_voice_is_taken_over_renamed_and_deleted(any_live: LiveAvatar) -> None:
    secret_id = await any_live.secrets.add(MARK, "sk-not-a-key", "ELEVENLABS_API_KEY")
    try:
        voice_id = await any_live.voices.add("no-such-voice", secret_id, MARK)
        try:
            await any_live.voices.change(voice_id, f"{MARK} of Ann")
            assert (await any_live.voices.get(voice_id)).name == f"{MARK} of Ann"
            assert voice_id in {voice.id for voice in await any_live.voices.own()}
        finally:
            await any_live.voices.delete(voice_id)
    finally:
        await any_live.secrets.delete(secret_id)


async def test_a_full_session_is_begun_and_ended(any_live: LiveAvatar) -> None:
    wish = FullRequest(
        mode="FULL",
        avatar_id=uuid.UUID(WAYNE),
        avatar_persona=AvatarPersona(),
        is_sandbox=True,
        max_session_duration=60,
    )
    async with FullSession(any_live, wish) as session:
        assert session.url.startswith("ws") and session.viewer_token.count(".") == 2
        await any_live.sessions.keep_alive(session.id)
        assert (await any_live.sessions.get(session.id)).mode == "FULL"
        await any_live.sessions.transcript(session.id)
    assert session.id not in {active.id for active in await any_live.sessions.all("active")}
    memory_id = await any_live.memories.add(session.id)
    try:
        assert (await any_live.memories.get(memory_id)).session_id == session.id
    finally:
        await any_live.memories.delete(memory_id)
