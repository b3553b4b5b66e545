"""Rooms at Daily and LiveKit, made for a user who starts a conversation there."""

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import BaseModel, ValidationError

from bots import log
from pipelines.errors import BadSetting, Incompatible, PartFailed
from pipelines.settings import Settings, environment_names

# As long as a session on Pipecat Cloud can be.
ROOM_S = 4 * 3600.0
TOKEN_S = 2 * 3600.0


@dataclass(frozen=True)
class DailyRoom:
    """A room and the tokens that let the avatar, who owns it, and its user in."""

    url: str
    token: str = field(repr=False)
    user_token: str = field(repr=False)


@asynccontextmanager
async def daily_room(settings: Settings, asked: Mapping[str, Any]) -> AsyncIterator[DailyRoom]:
    """A room for one conversation; it is deleted again if the block fails.

    Args:
        settings: Daily's key, and a room to use if there shall be but one.
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
    async with aiohttp.ClientSession() as http:
        rest = daily.DailyRESTHelper(
            daily_api_key=settings.daily_api_key.get_secret_value(),
            daily_api_url=settings.daily_base_url,
            aiohttp_session=http,
        )
        url = settings.daily_room_url
        try:
            name = f"pipecat-{uuid.uuid4().hex[:8]}"
            new = daily.DailyRoomParams(name=name, properties=room)
            url = url or (await rest.create_room(new)).url
            params = daily.DailyMeetingTokenParams(properties=token)
            tokens = [
                await rest.get_token(url, TOKEN_S, owner=owner, params=params)
                for owner in (True, False)
            ]
            made = DailyRoom(url, *tokens)
        except Exception as error:  # Daily's helper raises nothing else
            raise _no_room(settings, error) from error
        try:
            yield made
        except BaseException:
            if not settings.daily_room_url:
                await rest.delete_room_by_url(url)
            raise


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


def _no_room(settings: Settings, error: Exception) -> PartFailed:
    why = log.Redaction(settings).clean(str(error) or type(error).__name__)
    return PartFailed(f"No room at daily: {why}. Check {environment_names('daily_api_key')[0]}.")
