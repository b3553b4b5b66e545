"""The sandbox as its own command, so that its face does not share a process with the test."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox import LiveKit
from tests.doorkeeper import env_of
from tests.talk.app import AVATAR, environment


@dataclass(frozen=True)
class Rehearsal:
    """A running sandbox."""

    url: str
    key: str
    pid: int
    """Of its process."""

    @property
    def env(self) -> dict[str, str]:
        """What points the app at it."""
        return {"LIVEAVATAR_BASE_URL": self.url, "LIVEAVATAR_API_KEY": self.key}

    async def open_sessions(self) -> list[dict[str, Any]]:
        """The sessions that would cost money now."""
        answer = await self._ask("GET", "/v1/sessions?type=active")
        return answer["data"]["results"]

    async def credits(self) -> float:
        """What the latest session cost that is over."""
        latest = (await self._ask("GET", "/v1/sessions?type=historic"))["data"]["results"][0]
        return latest["credits_consumed"]

    async def commands(self, session: str) -> list[str]:
        """The types of what a session was sent."""
        told = (await self._ask("GET", f"/_sandbox/sessions/{session}"))["data"]["log"]
        return [each["message"]["type"] for each in told if each["way"] == "received"]

    async def voice(self) -> bytes:
        """What the latest session was given to say: s16le mono 24 kHz."""
        session = (await self._ask("GET", "/_sandbox/sessions"))["data"][-1]
        async with self._asking("GET", f"/_sandbox/sessions/{session['id']}/voice") as answer:
            with wave.open(io.BytesIO(await answer.read())) as sound:
                return sound.readframes(sound.getnframes())

    async def reset(self) -> None:
        """End every session and close every room."""
        await self._ask("POST", "/_sandbox/reset")

    async def _ask(self, method: str, path: str) -> dict[str, Any]:
        async with self._asking(method, path) as answer:
            return await answer.json()

    @asynccontextmanager
    async def _asking(self, method: str, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        async with aiohttp.ClientSession(raise_for_status=True) as http:
            headers = {"X-API-KEY": self.key}
            async with http.request(method, f"{self.url}{path}", headers=headers) as answer:
                yield answer


@asynccontextmanager
async def rehearsal(livekit: LiveKit, faults: Sequence[str] = ()) -> AsyncIterator[Rehearsal]:
    """Run `avatar sandbox` on a LiveKit server until the block ends."""
    flags = [word for fault in faults for word in ("--fail", fault)]
    process = await asyncio.create_subprocess_exec(
        AVATAR, "sandbox", "--port", "0", "--json", *flags,
        env=environment(env_of(livekit)), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line, "the sandbox ended early"
        told = json.loads(line)
        yield Rehearsal(told["url"], told["key"], process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 30)
