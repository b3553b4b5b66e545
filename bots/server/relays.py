"""POST /sessions/…/events: what a page sees of a conversation that LiveAvatar runs."""

import hmac
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from bots.server.doors import holder
from bots.server.refusal import Refused
from bots.server.visits import Visits
from pipelines.errors import Incompatible

if TYPE_CHECKING:
    from pipelines.full.events import Batch

NOT_THE_PAGE = "This is not the page that holds the conversation."


class Relays:
    """Takes what pages see, each for its own conversation, and answers with what they are told."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def bucket(self, scope: Scope) -> str:
        """What the relays of one conversation are counted by; "" for any other request.

        Pages in other conversations, of which there may be many behind one address, take nothing
        from it.
        """
        _, *path = scope["path"].split("/")
        if len(path) != 3 or (path[0], path[2]) != ("sessions", "events"):
            return ""
        return f"relays of {path[1]}" if self._visits.has(path[1]) else ""

    async def take(self, request: Request) -> Response:
        """Take what one page has seen.

        Raises:
            Refused: there is no such conversation, or it is not this page's.
        """
        visit = self._visits.find(request.path_params["session_id"], holder(request).id)
        batch = await _batch(request)
        given, key = batch.key.encode(errors="surrogatepass"), visit.key.encode()
        if not visit.page or not hmac.compare_digest(given, key):
            raise Refused(403, NOT_THE_PAGE)
        page, told = visit.page, visit.page.take(batch)
        return JSONResponse({"messages": told, "told": page.told, "taken": page.taken})


async def _batch(request: Request) -> "Batch":
    from pipelines.full.events import read  # and LiveAvatar's messages

    try:
        content = await request.json()
    except ValueError:
        content = None
    try:
        return read(content)
    except Incompatible as error:
        raise Refused(400, str(error)) from None
