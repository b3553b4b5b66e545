"""The public address, as the doctor asks it."""

import aiohttp

from bots.finding import Finding
from bots.home import examine
from pipelines.settings import load_settings
from tests.lent import TOKEN, lending

LENT = {"avatar_lend_mind": True, "avatar_mind_token": TOKEN}


async def found(url: str, **more: object) -> Finding:
    """What is said of an address."""
    async with aiohttp.ClientSession() as http:
        [finding] = await examine(load_settings(avatar_public_url=url, **more), http)
        return finding


async def test_a_public_address_is_asked_and_only_this_avatar_is_taken_for_it(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with lending(llm="guide") as server:
        any_avatar = await found(server.url)
        assert any_avatar.state == "ok"
        assert "does not prove that LiveAvatar reaches it" in any_avatar.detail
        assert "lends its mind" in (await found(server.url, **LENT)).detail
        stranger = await found(server.url, **LENT | {"avatar_mind_token": "not-the-same-bearer"})
        assert stranger.state == "bad" and "(401)" in stranger.detail
        assert (await found(f"{server.url}/folder")).state == "bad"
    gone = await found(server.url)
    assert gone.state == "unchecked" and "start avatar" in gone.fix


async def test_an_address_that_liveavatar_cannot_use_is_bad_unasked():
    assert "not encrypted" in (await found("http://avatar.example")).detail
    real = await found("http://avatar.example", liveavatar_api_key="key", **LENT)
    assert real.state == "bad" and "cannot be reached by LiveAvatar" in real.detail
    async with aiohttp.ClientSession() as http:
        assert not await examine(load_settings(), http)
        [lacking] = await examine(load_settings(liveavatar_api_key="key", **LENT), http)
        assert "needs AVATAR_PUBLIC_URL" in lacking.detail
