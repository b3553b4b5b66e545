"""An application that is served on sockets."""

import asyncio

import pytest
from starlette.applications import Starlette

from web.port import listen
from web.serving import serving


async def test_a_server_that_breaks_off_ends_what_it_serves():
    (listener,) = listen("127.0.0.1", 0)
    listener.close()
    limit = asyncio.timeout(10)
    with pytest.raises((OSError, ValueError)):
        async with limit, serving(Starlette(), [listener], log_config=None):
            await asyncio.Event().wait()
    assert not limit.expired()
