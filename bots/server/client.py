"""Whether somebody still waits for an answer."""

from starlette.types import Receive


async def left(receive: Receive) -> None:
    """Wait until the client has gone, whose request has come as a whole."""
    while (await receive())["type"] != "http.disconnect":
        pass
