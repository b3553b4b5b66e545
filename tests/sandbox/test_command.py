"""`avatar sandbox` as a user starts it: what it prints, what it refuses, how it ends."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

RUN = (
    "import sys\n"
    "from bots.sandbox import run\n"
    "from pipelines.errors import AvatarError\n"
    "try:\n"
    "    sys.exit(run(sys.argv[1:]))\n"
    "except AvatarError as error:\n"
    "    print(f'avatar: {error}', file=sys.stderr)\n"
    "    sys.exit(error.exit_code)\n"
)
PATIENCE_S = 30

pytestmark = pytest.mark.patient


@asynccontextmanager
async def running(
    *words: str, stdin: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, ended by SIGTERM if it has not ended by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        *words,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def test_json_tells_scripts_where_it_is_and_sigterm_ends_it(livekit_binary: Path) -> None:
    async with running("--port", "0", "--json", "--fail", "token:answer status=503") as process:
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        told = json.loads(line)
        async with aiohttp.ClientSession(headers={"X-API-KEY": told["key"]}) as http:
            async with http.get(f"{told['url']}/v1/users/credits") as answer:
                assert answer.status == 200
            async with http.post(f"{told['url']}/v1/sessions/token") as answer:
                assert answer.status == 503
    assert process.returncode == 0


async def test_it_ends_with_its_input_and_leaves_that_as_it_was(livekit_binary: Path) -> None:
    mine, parents = os.pipe()
    try:
        async with running("--port", "0", "--json", "--with-parent", stdin=mine) as process:
            assert process.stdout
            assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
            assert os.get_blocking(mine), "a terminal is shared with whoever started it"
            os.close(parents)
            await asyncio.wait_for(process.wait(), PATIENCE_S)
            assert process.returncode == 0
    finally:
        os.close(mine)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_tells_how_to_point_each_client_at_it(
    livekit_binary: Path, number: signal.Signals
) -> None:
    async with running("--port", "0", "--api-key", "abc") as process:
        assert process.stdout
        told = ""
        while "Ctrl-C" not in told:
            told += (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()
        for word in ("LIVEAVATAR_BASE_URL=", "apiUrl:", "api_url=", "/v1/sessions", "abc"):
            assert word in told
        process.send_signal(number)
        await asyncio.wait_for(process.wait(), PATIENCE_S)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--host", "0.0.0.0"], "--api-key"),
        (["--fail", "speak:explode"], "choose one of"),
        (["--port", "70000"], "--port: '70000' is not a whole number from 0 to 65535"),
        (["--max-duration", "0"], "--max-duration: '0' is not a whole number from 1"),
        (["--credits", "many"], "--credits: 'many' is not a whole number from 0"),
    ],
)
async def test_what_cannot_be_started_says_the_fix(
    livekit_binary: Path, words: list[str], complaint: str
) -> None:
    async with running("--port", "0", *words) as process:
        _, told = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert complaint in told.decode()
        assert "Traceback" not in told.decode()
    assert process.returncode == 2
