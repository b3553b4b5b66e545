"""/ws, where `pipecat eval` holds its conversations."""

import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from loguru import logger
from pipecat.runner.types import WebSocketRunnerArguments
from starlette.websockets import WebSocket

from bots.avatar import converse
from bots.server.casting import Casting, asked_variables
from bots.server.doors import ticket
from bots.server.refusal import Refused
from bots.server.seats import Seats
from bots.server.telling import telling
from pipelines.errors import AvatarError, BadSetting
from pipelines.parts import HEADLESS
from pipelines.settings import Settings

TICKET_S = 300.0
NOT_LET_IN = 4003
TRY_AGAIN_LATER = 1013


class Tickets:
    """Tokens that let somebody in once, for five minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expiries_s: dict[str, float] = {}

    def issue(self) -> str:
        """A new token."""
        now_s = self._clock()
        self._expiries_s = {t: at_s for t, at_s in self._expiries_s.items() if at_s > now_s}
        token = secrets.token_urlsafe(24)
        self._expiries_s[token] = now_s + TICKET_S
        return token

    def has(self, token: str) -> bool:
        """Whether a token would let somebody in now."""
        return self._expiries_s.get(token, 0.0) > self._clock()

    def take(self, token: str) -> bool:
        """Whether a token lets somebody in; it does not again."""
        return self._expiries_s.pop(token, 0.0) > self._clock()


class Harness:
    """Meets harnesses."""

    def __init__(self, casting: Casting, tickets: Tickets, seats: Seats) -> None:
        self._seats = seats
        self._body = _body(casting.settings)
        # The file is the operator's, and so are its variables.
        own = asked_variables(self._body) if isinstance(self._body, dict) else {}
        self._casting = replace(casting, given={**casting.given, **own})
        # With an access token the doors let nobody in without a credential.
        closed = bool(casting.settings.avatar_access_token.get_secret_value())
        self._needs_ticket = casting.settings.avatar_ws_auth == "token" and not closed
        self._tickets = tickets

    async def meet(self, websocket: WebSocket) -> None:
        """Hold one conversation, from its first message to the end."""
        # One that the doors have taken for a ticket is used up in any case.
        taken = self._tickets.take(ticket(websocket.scope))
        if self._needs_ticket and not taken:
            await websocket.close(NOT_LET_IN)
            return
        try:
            self._seats.take()
        except Refused as error:
            await websocket.close(TRY_AGAIN_LATER, str(error))
            return
        try:
            await self._hold(websocket)
        finally:
            self._seats.leave()

    async def _hold(self, websocket: WebSocket) -> None:
        await websocket.accept()
        # Starlette's WebSocket is the one that Pipecat knows by FastAPI's name.
        arguments = WebSocketRunnerArguments(
            websocket,  # pyright: ignore[reportArgumentType]
            session_id=str(uuid.uuid4()),
            body=self._body,
        )
        try:
            async with telling(arguments):
                request = self._casting.cast(HEADLESS, self._body).request(arguments)
            await converse(request)
        except AvatarError as error:
            logger.error(str(error))


def _body(settings: Settings) -> Any:
    """What the conversations over /ws take as the body of /start.

    Raises:
        BadSetting: the file cannot be read.
    """
    file = settings.avatar_runner_body
    if not file:
        return {}
    try:
        return yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or "it is no YAML in UTF-8"
        raise BadSetting(
            f"AVATAR_RUNNER_BODY={file}", f"cannot be read ({why})", "give a YAML or JSON file"
        ) from None
