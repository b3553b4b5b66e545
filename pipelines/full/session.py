"""A FULL session, in the ledger from before its beginning until its end is confirmed."""

import asyncio
import contextlib

import aiohttp
from loguru import logger

from liveavatar import LiveAvatar
from liveavatar.errors import LiveAvatarError
from liveavatar.records import Started, Transcript
from liveavatar.wire import FullRequest
from pipelines.ending import end
from pipelines.errors import PartFailed
from pipelines.ledger import LIVEAVATAR, books, paid
from pipelines.meter import FULL, stay
from pipelines.rest import STARTING_S
from pipelines.settings import Settings
from sessions.ledger import NOT_KEPT, LedgerError, Paid

from .refusal import sentence

# The first session of a server takes it seconds to start.
LIMIT_S = 25.0
KEEP_ALIVE_S = 60.0
# Who waits for what was said has as long.
SAID_S = 5.0


class Session:
    """A session that LiveAvatar runs.

    Attributes:
        live: the account.
        stay: for how long it is there, until its end is confirmed.
    """

    def __init__(self, settings: Settings, http: aiohttp.ClientSession) -> None:
        """One that is not begun; `http` is closed by who opened it, after `end()`."""
        key, root = settings.liveavatar_api_key.get_secret_value(), settings.liveavatar_base_url
        self.live = LiveAvatar(http, key, root, LIMIT_S)
        self.stay = stay(settings, FULL)
        self._settings, self._http = settings, http
        self._paid: Paid | None = None

    @property
    def id(self) -> str:
        """What LiveAvatar calls it; "" before it is asked for."""
        return self._paid.id if self._paid else ""

    async def begin(self, request: FullRequest) -> Started:
        """Begin it; one that may have been started is stopped, also when nobody waits any more.

        Raises:
            PartFailed: it is not begun; says why.
        """
        try:
            token = await self.live.sessions.token(request)
            lasts_s = (request.max_session_duration or 0) + STARTING_S
            begun = paid(self._settings, LIVEAVATAR, token.session_id, lasts_s)
            self._paid = begun
            await books(self._settings).open(begun)
            started = await self.live.sessions.start(token.session_token)
        except LedgerError as error:
            self._paid = None
            logger.error(f"No FULL session at LiveAvatar is begun: {error}")
            raise PartFailed(f"No session at LiveAvatar is begun, for {NOT_KEPT}.") from error
        except LiveAvatarError as error:
            logger.warning(f"No FULL session at LiveAvatar: {error}")
            raise PartFailed(sentence(error, self._settings)) from error
        self.stay.begin(started.max_session_duration or float("inf"))
        books(self._settings).when_over(begun, self.stay.end)
        return started

    async def keep_alive(self) -> None:
        """Say again and again that it is still wanted."""
        while True:
            await asyncio.sleep(KEEP_ALIVE_S)
            try:
                await self.live.sessions.keep_alive(self.id)
            except LiveAvatarError as error:
                logger.warning(f"A FULL session is not kept alive: {error}")

    async def said(self, since: int | None = None) -> Transcript | None:
        """What LiveAvatar has written down from a timestamp on; None if it does not say."""
        with contextlib.suppress(LiveAvatarError, TimeoutError):
            async with asyncio.timeout(SAID_S):
                return await self.live.sessions.transcript(self.id, since)
        return None

    async def end(self) -> None:
        """Stop it; what does not succeed is tried again, for it costs money."""
        if self._paid:
            await asyncio.shield(end(self._paid, self._settings, self._http))
