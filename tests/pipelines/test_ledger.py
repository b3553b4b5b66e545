"""What is paid for is in the ledger from before its beginning until its vendor confirms its end."""

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bots.server.rooms import daily_room
from pipelines import ending, parts
from pipelines.ending import reaping
from pipelines.errors import BadSetting, PartFailed
from pipelines.ledger import DAILY, LIVEAVATAR, books, check, paid
from pipelines.lite import session_request
from pipelines.persona import Persona
from pipelines.rest import LiteApi
from pipelines.settings import load_settings
from sessions.ledger import FileLedger, LedgerError
from tests.standins.daily import Daily
from tests.standins.liveavatar import LiveAvatar
from tests.talk.app import until

STOP = "/v1/sessions/stop"


@pytest.fixture
async def vendor():
    async with LiveAvatar() as vendor:
        yield vendor


@pytest.fixture
async def daily():
    async with Daily() as vendor:
        yield vendor


@pytest.fixture
def settings(vendor, daily):
    return load_settings(
        liveavatar_api_key=vendor.key,
        liveavatar_base_url=vendor.url,
        daily_api_key=daily.key,
        daily_base_url=daily.api_url,
    )


@asynccontextmanager
async def api_of(settings):
    async with aiohttp.ClientSession() as http:
        yield LiteApi(settings, http)


async def open_ids(settings):
    return [entry.paid.id for entry in await books(settings).entries()]


def left_by_a_dead_process(settings, *kinds_and_ids):
    ledger = FileLedger(Path(settings.avatar_ledger))
    for kind, id in kinds_and_ids:
        ledger.open(paid(settings, kind, id, 60))
    ledger.close()


async def test_a_session_is_written_down_before_it_is_started(settings, vendor):
    vendor.fail("/v1/sessions/start", 500)
    vendor.fail(STOP, 500, lasts=True)
    async with api_of(settings) as api:
        starting = asyncio.create_task(api.new_session(session_request(settings, Persona())))
        await vendor.until(lambda: STOP in [request.path for request in vendor.requests])
        assert await open_ids(settings) == [vendor.state.sessions[0].id]
        vendor.heal()
        with pytest.raises(Exception, match="500"):
            await starting
    assert await open_ids(settings) == []


async def test_a_session_is_in_the_ledger_until_its_end_is_confirmed(settings, vendor):
    async with api_of(settings) as api:
        await api.new_session(session_request(settings, Persona()))
        (session,) = vendor.state.open_sessions
        (entry,) = await books(settings).entries()
        assert entry.paid.id == session.id and entry.held
        assert entry.paid.ends_at - entry.paid.opened_at > settings.avatar_max_duration_s
        await api.stopped()
    assert not vendor.state.open_sessions and await open_ids(settings) == []


async def test_a_session_whose_end_is_confirmed_late_costs_nothing_from_then_on(settings, vendor):
    async with api_of(settings) as api:
        await api.new_session(session_request(settings, Persona()))
        vendor.fail(STOP, 503, lasts=True)
        stopping = asyncio.create_task(api.stopped())
        await vendor.until(lambda: STOP in [request.path for request in vendor.requests])
        assert api.stay._ended_s is None
        (entry,) = await books(settings).entries()
        await books(settings).over(entry.paid)
        assert api.stay._ended_s is not None
        vendor.heal()
        await stopping


async def test_a_ledger_that_fails_ends_nothing_but_the_try(settings, monkeypatch, vendor):
    """What is over for long is written off once that can be written."""
    long_ago = paid(settings, LIVEAVATAR, "long-ago", -10_000)
    await books(settings).open(long_ago)
    books(settings).owed.add(long_ago)
    vendor.fail(STOP, 503, lasts=True)
    fails = [True]
    over = books(settings).ledger.over

    def once(what):
        if fails and fails.pop():
            raise LedgerError("the disk is full")
        over(what)

    monkeypatch.setattr(books(settings).ledger, "over", once)
    monkeypatch.setattr(ending, "WAITS_S", (0.01,))
    async with reaping(settings):
        async with asyncio.timeout(20):
            while await open_ids(settings):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert not fails


async def test_an_end_that_is_not_confirmed_is_asked_for_again(settings, vendor):
    async with api_of(settings) as api:
        await api.new_session(session_request(settings, Persona()))
        vendor.fail(STOP, 503)
        await api.stopped()
    assert [request.path for request in vendor.requests].count(STOP) == 2
    assert not vendor.state.open_sessions and await open_ids(settings) == []


async def test_an_end_that_a_conversation_cannot_wait_for_is_seen_to_by_its_process(
    settings, vendor
):
    async with api_of(settings) as api:
        await api.new_session(session_request(settings, Persona()))
        vendor.fail(STOP, 503, lasts=True)
        (entry,) = await books(settings).entries()
        assert "(503)" in await ending.end(entry.paid, settings, api._http, ())
    vendor.heal()
    async with reaping(settings):
        await vendor.until(lambda: not vendor.state.open_sessions)
        await until(lambda: not FileLedger(Path("ledger")).entries())


async def test_what_a_vendor_says_of_an_end_shows_no_token(settings, vendor):
    async with api_of(settings) as api:
        await api.new_session(session_request(settings, Persona()))
        vendor.fail(STOP, 503, "busy, eyJhbGciOiJIUzI1NiJ9.eyJ2aWRlbyI6MX0.c2lnbmVk")
        (entry,) = await books(settings).entries()
        why = await ending.end(entry.paid, settings, api._http, ())
        assert "busy" in why and "eyJ" not in why
        await api.stopped()


async def test_every_session_is_given_a_longest_duration(vendor):
    key, url = vendor.key, vendor.url
    settings = load_settings(liveavatar_api_key=key, liveavatar_base_url=url)
    assert session_request(settings, Persona()).max_session_duration == 1860
    longer = settings.model_copy(update={"liveavatar_max_duration_s": 40})
    assert session_request(longer, Persona()).max_session_duration == 40


async def test_what_a_dead_process_left_open_is_ended(settings, vendor, daily):
    async with api_of(settings) as api:
        await api.new_session(session_request(settings, Persona()))
    (session,) = vendor.state.open_sessions
    daily.state.open_room({"name": "ours"})
    elsewhere = settings.model_copy(update={"avatar_ledger": "another"})
    left_by_a_dead_process(elsewhere, (LIVEAVATAR, session.id), (DAILY, "ours"), (DAILY, "never"))
    vendor.fail(STOP, 500)
    daily.fail("/v1/rooms/ours", 500)
    async with reaping(elsewhere):
        await vendor.until(lambda: not vendor.state.open_sessions)
        await daily.until(lambda: not daily.state.rooms)
        await until(lambda: not FileLedger(Path("another")).entries())


async def test_nothing_is_asked_with_the_key_of_another_account(settings, vendor):
    other = settings.model_copy(update={"liveavatar_base_url": "http://127.0.0.1:1"})
    left_by_a_dead_process(other, (LIVEAVATAR, "theirs"))
    left_by_a_dead_process(settings, (LIVEAVATAR, "ours"))
    async with reaping(settings):
        await vendor.until(lambda: STOP in [request.path for request in vendor.requests])
        (theirs,) = [e for e in await books(settings).entries() if e.paid.id == "theirs"]
        async with aiohttp.ClientSession() as http:
            assert "another account" in await ending.end(theirs.paid, settings, http, ())
    assert [request.body["session_id"] for request in vendor.requests] == ["ours"]


async def test_without_a_key_there_is_no_ledger():
    async with reaping(load_settings()):
        pass
    assert "ledger" not in os.listdir()


@pytest.fixture
def full_disk():
    """A ledger whose disk takes nothing more."""
    os.mkdir("ledger")
    os.symlink("/dev/full", "ledger/open.jsonl")


@pytest.mark.usefixtures("full_disk")
async def test_no_session_is_begun_that_cannot_be_written_down(settings, vendor, daily):
    async with api_of(settings) as api:
        with pytest.raises(LedgerError, match="No space left on device"):
            await api.new_session(session_request(settings, Persona()))
    assert [request.path for request in vendor.requests] == ["/v1/sessions/token"]
    with pytest.raises(PartFailed, match="is opened, for the ledger cannot be kept.$"):
        async with daily_room(settings, {}):
            pass
    assert not daily.requests


async def test_a_line_up_that_costs_needs_a_ledger(settings):
    nowhere = settings.model_copy(update={"avatar_ledger": "/proc/x"})
    paying = parts.choose(nowhere.model_copy(update={"avatar": "heygen", "transport": "webrtc"}))
    with pytest.raises(BadSetting, match="AVATAR_LEDGER cannot be used.*/proc/x"):
        check(nowhere, paying)
    free = parts.choose(nowhere.model_copy(update={"avatar": "none", "transport": "webrtc"}))
    check(nowhere, free)


async def test_a_daily_room_is_in_the_ledger_while_it_is_there(settings, daily):
    async with daily_room(settings, {}) as room:
        assert await open_ids(settings) == [room.url.rsplit("/")[-1]] == [*daily.state.rooms]
    assert not daily.state.rooms and await open_ids(settings) == []


async def test_who_asks_for_a_room_in_vain_does_not_wait_for_its_end(settings, daily):
    daily.fail("/v1/meeting-tokens", 500)
    daily.fail("/v1/rooms/*", 503, lasts=True)
    with pytest.raises(PartFailed, match="No room at Daily: it has a failure of its own"):
        async with daily_room(settings, {}):
            pass
    assert [request.method for request in daily.requests].count("DELETE") == 1
    assert await open_ids(settings) == [*daily.state.rooms]
    daily.heal()
    async with reaping(settings):
        await daily.until(lambda: not daily.state.rooms)
        await until(lambda: not FileLedger(Path("ledger")).entries())


async def test_what_is_owed_to_one_account_is_not_asked_of_another(settings, daily):
    async with Daily("another-key") as other, aiohttp.ClientSession() as http:
        theirs = settings.model_copy(
            update={"daily_api_key": SecretStr(other.key), "daily_base_url": other.api_url}
        )
        room = paid(theirs, DAILY, "theirs", 60)
        await books(theirs).open(room)
        other.fail("/v1/rooms/*", 503)
        assert "503" in await ending.end(room, theirs, http, ())
        assert await books(settings).left(settings) == set()
        assert await books(theirs).left(theirs) == {room}
    assert not daily.requests


async def test_a_room_for_all_stays(settings, daily):
    url = daily.state.open_room({"name": "reception"})["url"]
    async with daily_room(settings.model_copy(update={"daily_room_url": url}), {}):
        assert await open_ids(settings) == []
    assert [*daily.state.rooms] == ["reception"]


def test_the_password_of_a_database_is_a_secret():
    settings = load_settings(avatar_ledger="postgresql://avatar:xyzzy@db.example/ledger")
    assert "xyzzy" in settings.secrets()


async def test_a_ledger_in_a_database_is_chosen_by_its_address(settings):
    nowhere = settings.model_copy(update={"avatar_ledger": "postgresql://avatar:xyzzy@/x?host=/y"})
    paying = parts.choose(nowhere.model_copy(update={"avatar": "heygen", "transport": "webrtc"}))
    with pytest.raises(BadSetting, match="AVATAR_LEDGER cannot be used.*PostgreSQL") as raised:
        check(nowhere, paying)
    assert "xyzzy" not in str(raised.value)
