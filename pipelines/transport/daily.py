"""A Daily room."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from pipecat.runner.types import DailyRunnerArguments
from pipecat.transports.daily.transport import DailyParams, DailyTransport

from pipelines.key import check_key
from pipelines.media.video import ToRoom
from pipelines.meeting import Meeting, media, telling
from pipelines.settings import Settings


def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: DailyRunnerArguments,
    size: tuple[int, int],
) -> Meeting:
    """The transport, with a camera of the face's size."""
    params = DailyParams(
        api_key=settings.daily_api_key.get_secret_value(),
        api_url=settings.daily_base_url,
        **media(size),
    )
    transport = DailyTransport(arguments.room_url, arguments.token, "Avatar", params=params)
    camera = ToRoom(transport.output().write_video_frame, size)
    return Meeting(
        transport,
        (camera,),
        camera.newest.shown,
        alive=transport._client._in_call,
        muted=lambda: is_off(transport.participants()),
        occupied=lambda gone: bool(transport.participants().keys() - {"local", gone}),
        tell=telling(transport),
    )


def is_off(participants: Mapping[str, Any]) -> bool:
    """Whether the microphone of every user is off, as `CallClient.participants()` has them."""
    users = [participant for name, participant in participants.items() if name != "local"]
    states = [user.get("media", {}).get("microphone", {}).get("state") for user in users]
    return bool(states) and all(state == "off" for state in states)


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    url = f"{settings.daily_base_url.rstrip('/')}/"
    key = settings.daily_api_key.get_secret_value()
    await check_key(http, url, {"Authorization": f"Bearer {key}"}, "DAILY_API_KEY")
