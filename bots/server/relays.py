"""POST /sessions/…/events: what a page sees of a conversation that LiveAvatar runs."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bots.server.doors import holder
from bots.server.refusal import Refused
from bots.server.visits import Visits
from pipelines.errors import Incompatible
from pipelines.full.events import Batch, read

NOT_THE_PAGE = "This is not the page that holds the conversation."


class Relays:
    """Takes what pages see, each for its own conversation, and answers with what they are told."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

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
        return JSONResponse({"messages": visit.page.take(batch)})


async def _batch(request: Request) -> Batch:
    try:
        content = await request.json()
    except ValueError:
        content = None
    try:
        return read(content)
    except Incompatible as error:
        raise Refused(400, str(error)) from None
