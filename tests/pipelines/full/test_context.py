"""The persona at LiveAvatar: made once, found again, brought up to date, by any server."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from liveavatar import LiveAvatar, LiveAvatarError
from pipelines.errors import BadSetting
from pipelines.full.context import stored
from pipelines.full.texts import texts_of
from pipelines.full.wish import full_request
from pipelines.lent import Lender, LentMind
from pipelines.persona import Persona
from pipelines.settings import Settings, load_settings
from sandbox.variables import filled
from tests.liveavatar.conftest import asked, caller, clock, live, roomy
from tests.sandbox.caller import Caller
from tests.serving import served

__all__ = ["asked", "caller", "clock", "live", "roomy"]

HOTEL = Persona(
    name="Ada",
    prompt="You are $name. ${guest} pays 5 $$ for breakfast.",
    greeting="Welcome, $guest!",
    lost="Sorry, ${guest}?",
)


def settings(caller: Caller, **fields: str) -> Settings:
    return load_settings(
        liveavatar_api_key=caller.key["X-API-KEY"], liveavatar_base_url=caller.url, **fields
    )


async def test_a_persona_is_a_context_in_liveavatars_form(live: LiveAvatar) -> None:
    context = await stored(live, texts_of(HOTEL))
    assert (context.name, context.opening_text) == ("Ada (avatar)", "Welcome, ${guest}!")
    assert context.prompt == "You are Ada. ${guest} pays 5 $ for breakfast."
    assert context.required_dynamic_variables == ["guest"]


async def test_it_is_made_once_and_changed_when_its_text_has_changed(
    live: LiveAvatar, asked: list[str]
) -> None:
    own = await live.contexts.add("Mine", "Mine.", "Mine.")
    first = await stored(live, texts_of(HOTEL))
    asked.clear()
    assert (await stored(live, texts_of(HOTEL))).id == first.id
    assert {each.split()[0] for each in asked} == {"GET"}, "nothing is written again"
    changed = await stored(live, texts_of(Persona(name="Ada", prompt="New.", greeting="")))
    assert (changed.id, changed.prompt, changed.opening_text) == (first.id, "New.", "")
    assert {entry.id for entry in await live.contexts.all()} == {own, first.id}
    assert (await live.contexts.get(own)).prompt == "Mine."


async def test_every_dollar_sign_comes_back(live: LiveAvatar, caller: Caller) -> None:
    for text in ("$${x}", "$$$${x}", "$$$guest", "$$${guest}", "5 $$", "a$$b$$"):
        persona = Persona(name="Ada", prompt=text, greeting="").filled({"guest": "Ann"})
        request = await full_request(live, settings(caller), persona)
        assert request.avatar_persona and request.avatar_persona.context_id
        context = await live.contexts.get(request.avatar_persona.context_id)
        assert filled(context.prompt, request.dynamic_variables or {}) == persona.prompt


async def test_servers_that_begin_at_once_share_one(live: LiveAvatar) -> None:
    found = await asyncio.gather(*(stored(live, texts_of(HOTEL)) for _ in range(8)))
    assert len({context.id for context in found}) == 1
    assert len(await live.contexts.all()) == 1


class Twice:
    """A LiveAvatar that takes a name twice, and whose answers come when all have asked."""

    def __init__(self, callers: int) -> None:
        self.contexts: dict[str, dict[str, str]] = {}
        self._all_have_looked = asyncio.Barrier(callers)
        self._looks = callers

    async def look(self, request: web.Request) -> web.Response:
        """GET /v1/contexts."""
        found = [*self.contexts.values()]
        if self._looks:
            self._looks -= 1
            await self._all_have_looked.wait()
        return _ok({"count": len(found), "next": None, "previous": None, "results": found})

    async def add(self, request: web.Request) -> web.Response:
        """POST /v1/contexts."""
        id = str(len(self.contexts) + 1)
        self.contexts[id] = {"id": id, **await request.json()}
        return _ok(self.contexts[id])

    async def get(self, request: web.Request) -> web.Response:
        """GET /v1/contexts/{id}."""
        return _ok(self.contexts[request.match_info["id"]])

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /v1/contexts/{id}."""
        del self.contexts[request.match_info["id"]]
        return _ok(None)


def _ok(data: object) -> web.Response:
    return web.json_response({"code": 1000, "data": data, "message": "ok"})


async def test_they_do_so_where_a_name_can_be_taken_twice() -> None:
    vendor, app = Twice(4), web.Application()
    app.router.add_get("/v1/contexts", vendor.look)
    app.router.add_post("/v1/contexts", vendor.add)
    app.router.add_get("/v1/contexts/{id}", vendor.get)
    app.router.add_delete("/v1/contexts/{id}", vendor.delete)
    async with served(app) as port, aiohttp.ClientSession() as http:
        live = LiveAvatar(http, "fake-key", f"http://127.0.0.1:{port}")
        found = await asyncio.gather(*(stored(live, texts_of(HOTEL)) for _ in range(4)))
    assert {context.id for context in found} == {*vendor.contexts} == {"1"}


async def test_a_request_says_who_speaks_to_whom(live: LiveAvatar, caller: Caller) -> None:
    persona = HOTEL.filled({"guest": "Ann", "unused": "x"})
    request = await full_request(live, settings(caller), persona, push_to_talk=True)
    assert request.dynamic_variables == {"guest": "Ann"}
    assert request.interactivity_type == "PUSH_TO_TALK"
    assert request.avatar_persona and request.avatar_persona.context_id


async def test_a_context_of_ones_own_is_used_as_it_is(live: LiveAvatar, caller: Caller) -> None:
    own = await live.contexts.add("Mine", "${guest} is in ${room}.", "Hello.")
    chosen = settings(caller, liveavatar_context_id=own)
    given = {"guest": "Ann", "room": "12"}
    request = await full_request(live, chosen, HOTEL.filled(given))
    assert request.dynamic_variables == given
    assert [entry.id for entry in await live.contexts.all()] == [own]
    with pytest.raises(BadSetting, match=r"'Mine' at LiveAvatar has variables .* \(room\): give"):
        await full_request(live, chosen, HOTEL.filled({"guest": "Ann"}))


async def test_a_mind_of_ours_is_not_asked_by_a_context_that_does_not_tell_it_who_it_is(
    live: LiveAvatar, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lender, ada = Lender(settings(caller)), HOTEL.filled({"guest": "Ann"})
    own = await live.contexts.add("Mine", "Be kind.", "Hello.")
    chosen = settings(caller, liveavatar_context_id=own)
    with pytest.raises(BadSetting, match=f"LIVEAVATAR_CONTEXT_ID={own} .* leaves guest to each"):
        await full_request(live, chosen, ada, mind=LentMind(lender, "ada", {}))
    assert not await live.llms.all()
    await full_request(live, chosen, ada, mind=LentMind(lender, "ada", {"guest": "Ann"}))
    told = f"{texts_of(HOTEL).prompt} Be kind."
    await live.contexts.change(own, prompt=told, opening_text="Hello.")
    request = await full_request(live, chosen, ada, mind=LentMind(lender, "ada", {}))
    assert request.llm_configuration_id == (await live.llms.all())[0].id


async def test_what_is_not_there_is_named_with_its_setting(
    live: LiveAvatar, caller: Caller
) -> None:
    with pytest.raises(BadSetting, match="LIVEAVATAR_CONTEXT_ID=nobody is not known .* contexts"):
        chosen = settings(caller, liveavatar_context_id="nobody")
        await full_request(live, chosen, Persona())
    with pytest.raises(BadSetting, match=r"LIVEAVATAR_AVATAR_ID cannot be sent .*avatar_id"):
        await full_request(live, settings(caller, liveavatar_avatar_id="nobody"), Persona())
    long = HOTEL.filled({"guest": "A" * 1001})
    with pytest.raises(BadSetting, match=r"--var cannot be sent .*1000"):
        await full_request(live, settings(caller), long)


async def test_a_refusal_to_make_one_is_not_taken_for_another_server(live: LiveAvatar) -> None:
    with pytest.raises(LiveAvatarError, match="422"):
        await stored(live, texts_of(Persona(name="x" * 300)))
    assert not await live.contexts.all()
