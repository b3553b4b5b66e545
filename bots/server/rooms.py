"""Rooms at Daily and LiveKit, made for a user who starts a conversation there."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from loguru import logger
from pipecat.utils.errors import ErrorCategory, classify_http_status_code
from pydantic import BaseModel, ValidationError

from pipelines.ending import end
from pipelines.errors import BadSetting, Incompatible, PartFailed
from pipelines.ledger import DAILY, books, paid
from pipelines.redaction import redacted
from pipelines.settings import Settings, environment_names
from pipelines.trouble import SLOW, cause
from sessions import metrics
from sessions.ledger import NOT_KEPT, LedgerError

if TYPE_CHECKING:
    from pipecat.transports.daily.utils import (
        DailyMeetingTokenParams,
        DailyRESTHelper,
        DailyRoomParams,
    )

# As long as a session on Pipecat Cloud can be.
ROOM_S = 4 * 3600.0
TOKEN_S = 2 * 3600.0
# Who asks for a room hears within 10 s that there is none.
LIMIT_S, DELETE_LIMIT_S = 7.0, 2.0
STATUS = re.compile(r"\(status: (\d{3})\)")
REFUSED = (ErrorCategory.AUTHENTICATION, ErrorCategory.AUTHORIZATION)


@dataclass(frozen=True)
class DailyRoom:
    """A room and the tokens that let the avatar, who owns it, and its user in."""

    url: str
    token: str = field(repr=False)
    user_token: str = field(repr=False)


@asynccontextmanager
async def daily_room(settings: Settings, asked: Mapping[str, Any]) -> AsyncIterator[DailyRoom]:
    """A room for one conversation, which is deleted when the block ends.

    Args:
        settings: Daily's key, and a room to use if there shall be but one, which stays.
        asked: the request of /start, with Pipecat's `dailyRoomProperties` and
            `dailyMeetingTokenProperties`.

    Raises:
        Incompatible: the properties cannot be read.
        PartFailed: Daily gave no room.
    """
    from pipecat.transports.daily import utils as daily

    properties = {"exp": time.time() + ROOM_S, "eject_at_room_exp": True}
    room = _read(daily.DailyRoomProperties, asked, "dailyRoomProperties", properties)
    token = _read(daily.DailyMeetingTokenProperties, asked, "dailyMeetingTokenProperties", {})
    async with aiohttp.ClientSession() as http, _opened(settings, http) as name:
        rest = daily.DailyRESTHelper(
            daily_api_key=settings.daily_api_key.get_secret_value(),
            daily_api_url=settings.daily_base_url,
            aiohttp_session=http,
        )
        new = daily.DailyRoomParams(name=name, properties=room)
        yield await _made(rest, settings, new, daily.DailyMeetingTokenParams(properties=token))


@asynccontextmanager
async def _opened(settings: Settings, http: aiohttp.ClientSession) -> AsyncIterator[str]:
    """The name of a room that is about to be made; Daily has no such room afterwards.

    Raises:
        PartFailed: it cannot be written down, so it is not made.
    """
    name = f"pipecat-{uuid.uuid4().hex[:8]}"
    if settings.daily_room_url:
        yield name
        return
    room = paid(settings, DAILY, name, ROOM_S)
    try:
        await books(settings).open(room)
    except LedgerError as error:
        logger.error(f"No room at Daily is opened: {error}")
        raise PartFailed(f"No room at Daily is opened, for {NOT_KEPT}.") from error
    try:
        yield name
    except BaseException:  # who asked for it waits for the answer, and not for the end of the room
        await asyncio.shield(end(room, settings, http, waits_s=(), limit_s=DELETE_LIMIT_S))
        raise
    await asyncio.shield(end(room, settings, http))


async def _made(
    rest: "DailyRESTHelper",
    settings: Settings,
    new: "DailyRoomParams",
    params: "DailyMeetingTokenParams",
) -> DailyRoom:
    """The room, and who may enter it.

    Raises:
        PartFailed: Daily gave none, or not in time.
    """
    try:
        async with asyncio.timeout(LIMIT_S):
            url = settings.daily_room_url or (await rest.create_room(new)).url
            tokens = [
                await rest.get_token(url, TOKEN_S, owner=owner, params=params)
                for owner in (True, False)
            ]
            return DailyRoom(url, *tokens)
    except Exception as error:  # Daily's helper raises nothing else
        metrics.failed("meeting", "daily", "gave no room")
        raise _no_room(error) from error


def livekit_room(settings: Settings) -> tuple[str, str, str]:
    """Name of a room, the avatar's token and a user's, which nobody else has."""
    from pipecat.runner.livekit import generate_session_tokens

    name = settings.livekit_room_name or f"pipecat-{uuid.uuid4().hex[:8]}"
    keys = (settings.livekit_api_key, settings.livekit_api_secret)
    key, secret = (each.get_secret_value() for each in keys)
    return name, *generate_session_tokens(name, uuid.uuid4().hex, key, secret)


def _read(
    model: type[BaseModel], asked: Mapping[str, Any], field: str, defaults: Mapping[str, Any]
) -> Any:
    given = asked.get(field) or {}
    if not isinstance(given, dict):
        raise Incompatible(f'"{field}" in the body of /start is no object', "send a JSON object")
    try:
        return model(**{**defaults, **given})
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise BadSetting(
            f'"{field}" in the body of /start',
            f"cannot be used at {where} ({error.errors()[0]['msg']})",
            "see Daily's properties",
        ) from None


def _no_room(error: Exception) -> PartFailed:
    """Why there is none, in the words in which any vendor's failure is told."""
    clean = redacted(str(error) or type(error).__name__)
    logger.warning(f"No room at Daily: {clean}")
    if isinstance(error, TimeoutError):
        return PartFailed(f"No room at Daily: it {SLOW}.")
    status = STATUS.search(str(error))
    if status and status[1] != "200":
        category = classify_http_status_code(int(status[1]))
    elif isinstance(error, aiohttp.ClientConnectionError):
        category = ErrorCategory.CONNECTIVITY
    else:
        category = ErrorCategory.SERVER
    if category is ErrorCategory.INVALID_REQUEST:  # Daily says what of a request is wrong
        return PartFailed(f"No room at Daily: {clean}.")
    fix = f" Check {environment_names('daily_api_key')[0]}." if category in REFUSED else ""
    return PartFailed(f"No room at Daily: it {cause(category)}.{fix}")
