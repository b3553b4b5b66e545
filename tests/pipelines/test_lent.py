"""What of a mind is stored at LiveAvatar: once, found again, mended, and each server's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from liveavatar import LiveAvatar
from pipelines.errors import BadSetting, MissingSetting, UserError
from pipelines.lent import KNOWN_S, Lender, bearer_file, check
from pipelines.redaction import redacted
from pipelines.settings import load_settings
from sandbox import sandbox

PUBLIC = "https://avatar.example/talk"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this machine's state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "one"))
    return tmp_path


@pytest.fixture
async def live() -> AsyncIterator[LiveAvatar]:
    """An account at a sandbox."""
    async with sandbox(None) as address, aiohttp.ClientSession() as http:
        yield LiveAvatar(http, address.key, address.url)


def lender(port: int = 7860, **settings: Any) -> Lender:
    """A server that lends its mind, just started."""
    return Lender(load_settings(**settings), port)


async def stored(live: LiveAvatar) -> list[tuple[str, str | None]]:
    """Personas and addresses of what is stored."""
    every = [await live.llms.get(each.id) for each in await live.llms.all()]
    return sorted((each.model_name, each.base_url) for each in every)


async def test_a_persona_is_stored_once_and_found_again(live):
    first = lender()
    ids = [await first.configuration(live, persona) for persona in ("mira", "theo")]
    async with aiohttp.ClientSession() as nowhere:
        ids += [await first.configuration(LiveAvatar(nowhere, "", "http://[::]:1"), "mira")]
    assert await lender().configuration(live, "mira") == ids[0] == ids[2] != ids[1]
    here = "http://localhost:7860/v1"
    assert await stored(live) == [("mira", here), ("theo", here)]
    [secret] = await live.secrets.all()
    assert secret.secret_type == "LLM_API_KEY" and first.bearer not in secret.secret_name
    assert bearer_file().read_text() == first.bearer and bearer_file().stat().st_mode & 0o77 == 0
    assert first.bearer not in redacted(f"asked with {first.bearer}")


async def test_another_address_or_bearer_changes_what_is_stored_and_leaves_nothing(live):
    id = await lender().configuration(live, "mira")
    [old] = await live.secrets.all()
    other = await lender().configuration(live, "theo")
    moved = lender(avatar_public_url=PUBLIC, avatar_mind_token="another-bearer-of-ours")
    assert await moved.configuration(live, "mira") == id
    assert old in await live.secrets.all(), "theo's is in use"
    assert await moved.configuration(live, "theo") == other
    assert await stored(live) == [("mira", f"{PUBLIC}/v1"), ("theo", f"{PUBLIC}/v1")]
    [secret] = await live.secrets.all()
    assert secret.id != old.id and (await live.llms.get(id)).secret_id == secret.id


async def test_what_the_account_has_deleted_is_stored_anew(live):
    mine = lender()
    id = await mine.configuration(live, "mira")
    await live.secrets.delete((await live.secrets.all())[0].id)
    mine.doubt()
    assert await mine.configuration(live, "mira") == id
    await live.llms.delete(id)
    mine.doubt()
    new = await mine.configuration(live, "mira")
    [secret] = await live.secrets.all()
    assert new != id and (await live.llms.get(new)).secret_id == secret.id


async def test_what_somebody_has_changed_is_mended_some_minutes_later(live):
    now_s = 1000.0
    mine = Lender(load_settings(), 7860, lambda: now_s)
    id = await mine.configuration(live, "mira")
    [secret] = await live.secrets.all()
    elsewhere = [("mira", "https://elsewhere.example/v1")]
    await live.llms.change(id, "mira", secret.id, base_url=elsewhere[0][1])
    now_s += KNOWN_S - 1
    assert await mine.configuration(live, "mira") == id and await stored(live) == elsewhere
    now_s += 1
    assert await mine.configuration(live, "mira") == id
    assert await stored(live) == [("mira", "http://localhost:7860/v1")]


async def test_two_servers_have_their_own_and_those_at_one_address_the_same(
    live, state, monkeypatch
):
    strange = await live.llms.add("mira", await live.secrets.add("s", "v", "LLM_API_KEY"), "Mine")
    one, two = lender(7860), lender(7861)
    ids = {await each.configuration(live, "mira") for each in (one, two)}
    assert len(ids) == 2 and {await one.configuration(live, "mira")} < ids
    token = "the-bearer-of-both-machines"
    public = {"avatar_public_url": PUBLIC, "avatar_mind_token": token}
    here = lender(7900, **public)
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "two"))
    there = lender(7900, **public)
    shared = await here.configuration(live, "mira")
    assert (
        await there.configuration(live, "mira") == shared == await here.configuration(live, "mira")
    )
    assert shared not in ids and len(await live.llms.all()) == 4
    assert (await live.llms.get(strange)).display_name == "Mine"


async def test_processes_that_begin_at_once_store_one(live):
    both = [lender() for _ in range(4)]
    ids = await asyncio.gather(*(each.configuration(live, "mira") for each in both))
    assert len(set(ids)) == 1 and len(await live.llms.all()) == 1
    assert len(await live.secrets.all()) == 1


def test_liveavatar_itself_needs_an_address_that_it_can_reach():
    key = {"liveavatar_api_key": "key", "avatar_lend_mind": True}
    with pytest.raises(MissingSetting, match="AVATAR_PUBLIC_URL"):
        check(load_settings(**key))
    for url in ("http://avatar.example", "https://localhost:7860"):
        with pytest.raises(BadSetting, match="cannot be reached by LiveAvatar"):
            check(load_settings(**key, avatar_public_url=url))
    check(load_settings(**key, avatar_public_url=PUBLIC))
    check(load_settings(**key, liveavatar_base_url="http://localhost:8190"))


@pytest.mark.parametrize(
    "url",
    ["avatar.example", "ftp://a.example", "https://", "https://me:pass@a.example", "https://a.example/?x=1",
     "https://a.example/#x", "https://a.example:99999", "https://a .example"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(url):
    with pytest.raises(BadSetting, match="AVATAR_PUBLIC_URL cannot be used") as refused:
        load_settings(avatar_public_url=url)
    assert "pass" not in str(refused.value).replace("password", "")
    assert load_settings(avatar_public_url=f"{PUBLIC}/").avatar_public_url == PUBLIC


def test_a_bearer_that_cannot_be_kept_is_told(state):
    (state / "one").write_text("no folder")
    with pytest.raises(UserError, match="cannot be kept"):
        lender()
