"""LiveAvatar's REST API, with every session in the ledger until its end is confirmed."""

import asyncio

import aiohttp
from loguru import logger
from pipecat.services.heygen.api_liveavatar import LiveAvatarApi, LiveAvatarNewSessionRequest
from pipecat.services.heygen.base_api import StandardSessionResponse

from sessions.ledger import LedgerError, Paid

from .ending import end
from .ledger import LIVEAVATAR, books, paid
from .meter import stay
from .settings import Settings

# Between its token and its start, and what clocks may differ by.
STARTING_S = 120.0


class LiteApi(LiveAvatarApi):
    """LiveAvatar's REST API at the address of the settings.

    A session is in the ledger before it is started, and until LiveAvatar has confirmed its end. One
    that may have been started is stopped, also when nobody waits for it any more.

    Attributes:
        stay: for how long the session is there, until its end is confirmed.
    """

    def __init__(self, settings: Settings, http: aiohttp.ClientSession) -> None:
        super().__init__(settings.liveavatar_api_key.get_secret_value(), http)
        self._settings, self._http = settings, http
        self._paid: Paid | None = None
        self.stay = stay(settings)
        root = settings.liveavatar_base_url.rstrip("/")
        self.BASE_URL = f"{root}/v1"

    async def new_session(
        self, request_data: LiveAvatarNewSessionRequest
    ) -> StandardSessionResponse:
        """Open a session.

        Raises:
            LedgerError: it cannot be written down, so it is not begun.
        """
        token = (await self.create_session_token(request_data)).data
        lasts_s = (request_data.max_session_duration or 0) + STARTING_S
        begun = paid(self._settings, LIVEAVATAR, token.session_id, lasts_s)
        self._paid = begun
        try:
            await books(self._settings).open(begun)
            started = await self.start_session(token.session_token)
        except LedgerError as error:
            logger.error(f"No session at LiveAvatar is begun: {error}")
            self._paid = None
            raise
        except BaseException:
            await asyncio.shield(self.stopped())
            raise
        self.stay.begin(started.data.max_session_duration)
        books(self._settings).when_over(begun, self.stay.end)
        return StandardSessionResponse(
            session_id=started.data.session_id,
            access_token=started.data.livekit_client_token,
            livekit_url=started.data.livekit_url,
            livekit_agent_token=started.data.livekit_agent_token,
            ws_url=started.data.ws_url,
            raw_response=started,
        )

    async def stopped(self) -> None:
        """Stop the session; what does not succeed is tried again, for it costs money."""
        if self._paid:
            await end(self._paid, self._settings, self._http)
