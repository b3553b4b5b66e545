"""The page on which the user talks with the agent, served by the dispatcher."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "web" / "vendor" / "livekit-client" / "livekit-client.umd.js"


@dataclass(frozen=True)
class Invitation:
    """Where the user goes, and what lets them in, heard and seen."""

    room: str
    url: str
    token: str = field(repr=False)


@contextlib.asynccontextmanager
async def served(invitation: Invitation, port: int) -> AsyncIterator[str]:
    """Serve the page until the block ends; its address. The token is in no address and no log."""

    async def page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / "talk.html")

    async def client(_: web.Request) -> web.FileResponse:
        return web.FileResponse(CLIENT)

    async def invite(request: web.Request) -> web.Response:
        # Another page's name may lead here, too, and makes that page of the same origin.
        own = [f"{name}:{runner.addresses[0][1]}" for name in ("127.0.0.1", "localhost")]
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if request.headers.get("Host") not in own or site != "same-origin":
            raise web.HTTPForbidden(text="Only the page of this server may come in.")
        answer = {"url": invitation.url, "token": invitation.token}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/livekit-client.js", client)])
    app.add_routes([web.post("/invitation", invite)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
