"""A server that lends its mind, in this process."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import openai

from bots.running import Stop
from bots.server.app import Server
from bots.server.casting import Casting
from pipelines.parts import choose
from pipelines.settings import load_settings
from web.port import listen

TOKEN = "a-bearer-of-the-mind-alone"
ACCESS = "the-access-token-of-all-else"


@dataclass
class Lent:
    """Where the mind is asked, and what the server has said of it."""

    url: str
    said: list[str] = field(default_factory=list)
    stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    def client(self, key: str = TOKEN) -> openai.AsyncOpenAI:
        """OpenAI's own client, which asks once; closed with the server."""
        client = openai.AsyncOpenAI(api_key=key, base_url=f"{self.url}/v1", max_retries=0)
        self.stack.push_async_callback(client.close)
        return client


@asynccontextmanager
async def lending(given: dict[str, str] | None = None, **settings: Any) -> AsyncIterator[Lent]:
    """Serve until the block ends; no conversation is held, so no other part is loaded."""
    fields = {"avatar_lend_mind": True, "avatar_mind_token": TOKEN, "avatar": "none"}
    fields |= {"avatar_access_token": ACCESS, "avatar_host": "127.0.0.1"}
    chosen = load_settings(**fields, **settings)
    said: list[str] = []
    listeners = listen("127.0.0.1", 0)
    server = Server(Casting(chosen, given or {}), choose(chosen), say=said.append)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(server.life(listeners, Stop()))
        url = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
        async with contextlib.AsyncExitStack() as clients:
            yield Lent(url, said, clients)
