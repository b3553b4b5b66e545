"""Starting and stopping: addresses, keys, state that outlives the process, and leftovers."""

import asyncio
import gc
import os
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from liveavatar.wire import EndReason
from sandbox import Limits, LiveKit, SandboxError, sandbox
from tests.sandbox.caller import LITE, Caller, rooms
from tests.sandbox.conftest import Served, TurnedClock, serving

MANY = 100
MANY_WITH_ROOMS = 6

pytestmark = pytest.mark.patient


async def test_a_foreign_address_needs_a_key() -> None:
    with pytest.raises(SandboxError, match="give it a key with --api-key"):
        async with sandbox(None, host="0.0.0.0"):
            pass
    async with sandbox(None, host="0.0.0.0", api_key="long-enough") as address:
        assert address.key == "long-enough"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_needs_no_key(host: str) -> None:
    async with sandbox(None, host=host) as address, aiohttp.ClientSession() as http:
        async with http.get(f"{address.url}/v1/languages") as answer:
            assert answer.status == 200


async def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(SandboxError, match="choose another --port"):
            async with sandbox(None, port=taken.getsockname()[1]):
                pass


async def test_a_fault_that_is_none_stops_the_start() -> None:
    with pytest.raises(SandboxError, match="--fail .*choose one of"):
        async with sandbox(None, faults=["speak:explode"]):
            pass


async def test_the_key_is_the_one_that_was_given(served: Served) -> None:
    async with served(api_key="mine") as caller:
        assert (await caller.ask("GET", "/v1/voices", headers={"X-API-KEY": "sandbox"}))[0] == 401
        assert (await caller.ask("GET", "/v1/voices", headers={"X-API-KEY": "mine"}))[0] == 200


async def test_state_outlives_the_server_when_asked(served: Served, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with served(state=state) as caller:
        ended, left_open = await caller.open(), await caller.open()
        await caller.ask("DELETE", "/v1/sessions", headers=ended.bearer)
        await caller.ask("POST", "/v1/contexts", {"name": "A", "prompt": "p"})
    async with served(state=state) as caller:
        assert (await caller.session(ended))["end_reason"] == "USER_CLOSED"
        assert (await caller.session(left_open))["end_reason"] == "SERVER_ERROR"
        _, answer = await caller.ask("GET", "/v1/users/credits")
        assert answer["data"]["credits_left"] == "998.00"
        assert (await caller.ask("GET", "/v1/contexts"))[1]["data"]["count"] == 1


async def test_state_is_in_memory_otherwise(served: Served) -> None:
    async with served() as caller:
        await caller.open()
    async with served() as caller:
        assert (await caller.ask("GET", "/_sandbox/sessions"))[1]["data"] == []


async def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no database, but long enough to look at" * 40)
    with pytest.raises(SandboxError, match="name a file of this sandbox"):
        async with sandbox(None, state=notes):
            pass
    assert notes.read_text().startswith("no database")


async def test_closing_the_server_ends_sessions_and_closes_sockets(served: Served) -> None:
    async with served() as caller:
        call, lite = await caller.talk()
        await caller.desk.theatre.end_all(EndReason.SERVER_ERROR)
        assert await lite.closed() == 1000
        assert caller.desk.theatre.playing == 0
        assert call.id not in {session.id for session in caller.desk.account.active()}


async def test_sessions_run_side_by_side_without_mixing(served: Served) -> None:
    async with served() as caller:
        talks = [await caller.talk() for _ in range(5)]
        for number, (_, lite) in enumerate(talks):
            await lite.say(bytes(9600), f"u{number}")
        for number, (_, lite) in enumerate(talks):
            await lite.until("agent.speak_ended", event_id=f"u{number}")
            sources = {event["source_event_id"] for event in lite.events[1:]}
            assert sources == {f"u{number}"}


async def _come_and_go(caller: Caller, way: int) -> None:
    """One session, ended in one of several ways."""
    call = await caller.open()
    lite = await caller.lite(call)
    await lite.speak(bytes(4800), "u1")
    if way % 3 == 0:
        await lite.aclose()
    if way % 3 == 1:
        await lite.until("agent.audio_buffer_appended")
    await caller.ask("POST", "/v1/sessions/stop", headers=call.bearer)
    await lite.closed()


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def _leaves_nothing(caller: Caller, count: int) -> None:
    await _come_and_go(caller, 0)
    gc.collect()
    files, tasks = _open_files(), len(asyncio.all_tasks())
    for way in range(count):
        await _come_and_go(caller, way)
    assert caller.desk.theatre.playing == 0
    assert not caller.desk.account.active()
    deadline_s = time.monotonic() + 10
    while _open_files() > files + 2 or len(asyncio.all_tasks()) > tasks:
        assert time.monotonic() < deadline_s, (_open_files(), files, len(asyncio.all_tasks()))
        gc.collect()
        await asyncio.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
async def test_many_sessions_leave_no_task_and_no_file() -> None:
    async with serving(None, limits=Limits(credits=1000)) as caller:
        await _leaves_nothing(caller, MANY)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
async def test_many_sessions_with_rooms_leave_no_task_no_file_and_no_room(
    livekit: LiveKit,
) -> None:
    async with serving(livekit) as caller:
        await _leaves_nothing(caller, MANY_WITH_ROOMS)
        assert not await rooms(livekit) & set(caller.desk.account.sessions)


async def test_orphan_tokens_cost_nothing_and_block_nobody(served: Served) -> None:
    async with served(limits=Limits(concurrency=1, credits=1)) as caller:
        for _ in range(20):
            await caller.ask("POST", "/v1/sessions/token", LITE)
        await caller.open()


async def test_sessions_end_while_the_state_cannot_be_written(
    served: Served, clock: TurnedClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state.sqlite"
    async with served(state=state, clock=clock, limits=Limits(max_duration_s=60)) as caller:
        call = await caller.open()
        with closing(sqlite3.connect(state, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            clock.advance(61)
            assert await caller.ended(call) == "MAX_DURATION_REACHED"
        assert "cannot be written now (database is locked)" in caplog.text
    async with served(state=state, clock=clock) as caller:
        assert (await caller.session(call))["end_reason"] == "MAX_DURATION_REACHED"


class FaultyClock(TurnedClock):
    """A clock that breaks once when it is told to."""

    breaks = False

    def __init__(self) -> None:
        super().__init__()
        self.broke = asyncio.Event()

    def __call__(self) -> float:
        if self.breaks:
            self.breaks = False
            self.broke.set()
            raise ArithmeticError("the clock fell down")
        return super().__call__()


async def test_a_watch_that_breaks_off_is_taken_up_again(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FaultyClock()
    async with served(clock=clock, limits=Limits(max_duration_s=60)) as caller:
        call = await caller.open()
        clock.breaks = True
        await asyncio.wait_for(clock.broke.wait(), 10)
        clock.advance(61)
        assert await caller.ended(call) == "MAX_DURATION_REACHED"
        assert "the clock fell down" in caplog.text
