"""GET /metrics: the numbers of this process, and what the ledger says is open."""

from collections import Counter

from loguru import logger
from starlette.requests import Request
from starlette.responses import Response

from pipelines.errors import UserError
from pipelines.ledger import DAILY, LIVEAVATAR, books
from pipelines.media import rate
from pipelines.settings import Settings
from sessions import metrics
from sessions.ledger import LedgerError

NOTHING = {(kind, whose): 0 for kind in (LIVEAVATAR, DAILY) for whose in ("running", "left")}


class Metrics:
    """Tells the numbers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def show(self, _request: Request) -> Response:
        """Answer with everything; a ledger that cannot be read leaves out what is open."""
        metrics.open_now(await self._open())
        metrics.drawn_now(rate.paces())
        return Response(metrics.text(), headers={"Content-Type": metrics.CONTENT_TYPE})

    async def _open(self) -> dict[tuple[str, str], int]:
        try:
            entries = await books(self._settings).entries()
        except (LedgerError, UserError) as error:
            logger.error(f"What is open cannot be told: {error}")
            return {}
        found = Counter((e.paid.kind, "running" if e.held else "left") for e in entries)
        return {**NOTHING, **found}
