"""A gate before a vendor: it lets requests through, or keeps who asks waiting for an answer."""

import asyncio
from collections import deque
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Literal, Self

import aiohttp
from aiohttp import web

Deed = Literal["keep", "keep the answer", "lose the answer"]
# What belongs to a connection, or to the length of what is passed on.
OWN = ("Host", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "Connection")


class Gate:
    """Stands before the vendor at `vendor`, and does with requests what is planned.

    One that is kept does not reach the vendor, or its answer does not come back; either way its
    client waits until the gate is left. Of one whose answer is lost it hears 500.

    Attributes:
        kept: what is kept now, as "POST /v1/rooms: keep".
    """

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor
        self._plans: dict[str, deque[Deed]] = {}
        self._news, self._left = asyncio.Event(), asyncio.Event()
        self.kept: list[str] = []

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.set()
        await self._runner.cleanup()
        await self._http.close()

    def plan(self, request: str, *deeds: Deed) -> None:
        """What becomes of the next requests, such as "POST /v1/rooms*", one after the other."""
        self._plans[request] = deque(deeds)

    async def until(self, count: int, limit_s: float = 20.0) -> None:
        """Wait until so many are kept."""
        async with asyncio.timeout(limit_s):
            while len(self.kept) < count:
                self._news.clear()
                await self._news.wait()

    async def _pass(self, request: web.Request) -> web.Response:
        asked = f"{request.method} {request.path}"
        deed = self._deed(asked)
        if deed == "keep":
            return await self._keep(f"{asked}: {deed}")
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name not in OWN}
        url = f"{self._vendor}{request.path_qs}"
        async with self._http.request(request.method, url, data=body, headers=headers) as answer:
            content = await answer.read()
        if deed == "keep the answer":
            return await self._keep(f"{asked}: {deed}")
        if deed == "lose the answer":
            return web.Response(status=500)
        return web.Response(body=content, status=answer.status, content_type=answer.content_type)

    def _deed(self, asked: str) -> Deed | None:
        plans = (plan for glob, plan in self._plans.items() if fnmatchcase(asked, glob) and plan)
        plan = next(plans, None)
        return plan.popleft() if plan else None

    async def _keep(self, what: str) -> web.Response:
        self.kept.append(what)
        self._news.set()
        await self._left.wait()
        return web.Response(status=503)
