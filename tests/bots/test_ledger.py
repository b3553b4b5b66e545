"""`avatar sessions`: what is open, and its end, with and without a server."""

import json
from pathlib import Path

import pytest

from bots.ledger import do, parser
from pipelines.errors import BadSetting, UserError
from pipelines.ledger import DAILY, LIVEAVATAR, paid
from pipelines.settings import load_settings
from sessions.ledger import FileLedger
from tests.standins.daily import Daily
from tests.standins.liveavatar import LiveAvatar, Session


@pytest.fixture
def settings(vendor, daily, tmp_path):
    """What leads the command to both vendors, and to a ledger of its own."""
    return load_settings(
        liveavatar_api_key=vendor.key,
        liveavatar_base_url=vendor.url,
        daily_api_key=daily.key,
        daily_base_url=daily.api_url,
        avatar_ledger=str(tmp_path / "ledger"),
    )


@pytest.fixture
def avatar(settings, capsys):
    """Runs `avatar sessions`: its exit code and output."""

    async def run(*words, settings=settings):
        code = await do(settings, parser().parse_args(words))
        return code, capsys.readouterr().out

    return run


@pytest.fixture
async def vendor():
    async with LiveAvatar() as vendor:
        yield vendor


@pytest.fixture
async def daily():
    async with Daily() as daily:
        yield daily


@pytest.fixture
def left(settings, vendor, daily):
    """A session of a process that lives, and a room of one that has died: the session's id."""
    session = Session({"mode": "LITE"}, phase="open")
    vendor.state.sessions.append(session)
    daily.state.open_room({"name": "ours"})
    living, dead = (FileLedger(Path(settings.avatar_ledger)) for _ in range(2))
    living.open(paid(settings, LIVEAVATAR, session.id, 60))
    dead.open(paid(settings, DAILY, "ours", 60))
    dead.close()
    yield session.id
    living.close()


async def test_what_is_open_is_listed(avatar, left):
    code, out = await avatar()
    session, room = out.splitlines()
    assert code == 0
    assert f"liveavatar {left}" in session and "of a running process" in session
    assert "daily      ours" in room and "left open" in room
    listed = json.loads((await avatar("--json"))[1])
    assert [(row["kind"], row["id"], row["held"]) for row in listed] == [
        (LIVEAVATAR, left, True),
        (DAILY, "ours", False),
    ]


@pytest.mark.usefixtures("left")
async def test_one_is_ended_by_its_id(avatar, vendor, daily):
    assert await avatar("stop", "ours") == (0, "daily ours is ended.\n")
    assert not daily.state.rooms and vendor.state.open_sessions
    with pytest.raises(UserError, match="ours is not open: see `avatar sessions`"):
        await avatar("stop", "ours")


async def test_what_is_not_ended_is_told_and_kept(avatar, left, vendor, daily):
    daily.fail("/v1/rooms/*", 500, lasts=True)
    code, out = await avatar("stop", "--all", "--json")
    assert code == 1
    assert {row["id"]: row["ended"] for row in json.loads(out)} == {left: True, "ours": False}
    assert "Daily answered 500" in out
    daily.heal()
    assert (await avatar("stop", "--all"))[0] == 0
    assert not vendor.state.open_sessions and not daily.state.rooms
    assert (await avatar())[1] == "Nothing is open.\n"


async def test_without_its_key_nothing_is_asked_and_nothing_forgotten(
    avatar, left, settings, vendor
):
    keyless = load_settings(avatar_ledger=settings.avatar_ledger)
    code, out = await avatar("stop", left, settings=keyless)
    assert code == 1 and "another account, whose key is not set" in out
    assert vendor.state.open_sessions and not vendor.requests
    assert left in (await avatar())[1]


@pytest.mark.parametrize("words", [["stop"], ["stop", "ours", "--all"]])
async def test_it_is_said_what_to_end(avatar, words):
    with pytest.raises(UserError, match="give an id of `avatar sessions`, or --all"):
        await avatar(*words)


async def test_a_ledger_that_cannot_be_read_is_a_sentence(avatar, settings):
    Path(settings.avatar_ledger).mkdir()  # noqa: ASYNC240
    (Path(settings.avatar_ledger) / "open.jsonl").mkdir()  # noqa: ASYNC240
    with pytest.raises(BadSetting, match="AVATAR_LEDGER cannot be used: .*Is a directory"):
        await avatar()
