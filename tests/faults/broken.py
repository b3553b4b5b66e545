"""Vendors that open what they are asked for, and break the answer that says so."""

import asyncio
import json

from aiohttp import WSCloseCode, web

from tests.standins.daily import Daily
from tests.standins.liveavatar import LiveAvatar

HANGS = ("hangs in mid-stream", "partial then silence")
# How much later than at once an answer comes.
SLOW_S = {"slow 2x": 0.5, "slow 10x": 5.0}


class Breakage:
    """What becomes of an answer."""

    def __init__(self, fault: str) -> None:
        self._fault = fault
        self._over = asyncio.Event()

    def let_go(self) -> None:
        """Let go of who waits."""
        self._over.set()

    async def answer(self, request: web.Request, whole: web.Response) -> web.StreamResponse:
        """Answer as the fault has it, with the status of the whole answer."""
        await asyncio.sleep(SLOW_S.get(self._fault, 0.0))
        if self._fault in SLOW_S:
            return whole
        if self._fault == "empty answer":
            return web.Response(status=whole.status)
        if self._fault == "garbage":
            html = "<html>Welcome</html>"
            return web.Response(status=whole.status, text=html, content_type="text/html")
        return await self._half(request, whole)

    async def _half(self, request: web.Request, whole: web.Response) -> web.StreamResponse:
        body = whole.body
        assert isinstance(body, bytes) and json.loads(body)
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        answer = web.StreamResponse(status=whole.status, headers=headers)
        await answer.prepare(request)
        if self._fault != "hangs in mid-stream":
            await answer.write(body[: len(body) // 2])
        if self._fault in HANGS:
            await self._over.wait()
        if request.transport:
            request.transport.close()
        return answer


class BrokenLiveAvatar(LiveAvatar):
    """Opens the session, and then breaks the answer."""

    def __init__(self, fault: str) -> None:
        super().__init__(livekit_url="ws://127.0.0.1:9")
        self._breakage = Breakage(fault)

    async def hang_up(self, code: int = WSCloseCode.GOING_AWAY) -> None:
        """Let go of who waits."""
        self._breakage.let_go()
        await super().hang_up(code)

    async def _start(self, request: web.Request) -> web.StreamResponse:  # type: ignore[override]
        return await self._breakage.answer(request, await super()._start(request))


class BrokenDaily(Daily):
    """Opens the room, and then breaks the answer."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self._breakage = Breakage(fault)

    async def hang_up(self, code: int = WSCloseCode.GOING_AWAY) -> None:
        """Let go of who waits."""
        self._breakage.let_go()
        await super().hang_up(code)

    async def _create(self, request: web.Request) -> web.StreamResponse:  # type: ignore[override]
        return await self._breakage.answer(request, await super()._create(request))
