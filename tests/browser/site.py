"""Somebody else's web site: pages of their own making, on an origin of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from tests.serving import served

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">
<script type="module" src="{server}/avatar.js"></script></head>
<body><h1>A shop</h1>{body}</body></html>"""


@dataclass
class Site:
    """A site whose one page is `page`."""

    port: int
    page: str = ""

    @property
    def url(self) -> str:
        """On this machine, by a name that is no avatar's."""
        return f"http://localhost:{self.port}/"

    @property
    def foreign_url(self) -> str:
        """By the name of a machine elsewhere."""
        return f"http://shop.example:{self.port}/"

    def show(self, server: str, body: str = "<avatar-call></avatar-call>") -> None:
        """Make the page one that loads the element from a server."""
        self.page = PAGE.format(server=server, body=body)


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    """A site on a free port."""
    site = Site(0)

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text=site.page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    async with served(app) as site.port:
        yield site
