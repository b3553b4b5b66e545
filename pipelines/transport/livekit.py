"""A room on a LiveKit server of one's own."""

from collections.abc import Callable

import aiohttp
from livekit import api
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.types import LiveKitRunnerArguments
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport

from pipelines.errors import UserError
from pipelines.media.video import ToRoom
from pipelines.meeting import Meeting, media, telling
from pipelines.microphone import is_off
from pipelines.occupancy import is_occupied
from pipelines.settings import Settings

# LiveKit keeps up to a second of the voice. Each time it has run dry and the lost time was made up,
# that much more is waiting in it, and heard so much later than the mouth is seen to say it.
QUEUED_MS = 120


def params(size: tuple[int, int], *, camera: bool = True) -> LiveKitParams:
    """How the room is taken part in, with or without a camera of this size.

    Ears take one stream: those of several users are mixed, for pieces of one and the other by
    turns are no speech.
    """
    options = media(size)
    options["video_out_enabled"] = camera
    return LiveKitParams(**options, audio_out_queue_size_ms=QUEUED_MS, audio_in_user_tracks=False)


def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: LiveKitRunnerArguments,
    size: tuple[int, int],
) -> Meeting:
    """The transport, with a camera of the face's size."""
    url, token, room = arguments.url, arguments.token, arguments.room_name
    transport = LiveKitTransport(url, token, room, params=params(size))
    return meeting(transport, ToRoom(transport.output().write_video_frame, size))


def meeting(
    transport: LiveKitTransport, camera: ToRoom, face: Callable[[], FrameProcessor] | None = None
) -> Meeting:
    """What the room is to a conversation; `face` builds what stands for one that comes itself."""
    return Meeting(
        transport,
        (camera,),
        camera.newest.shown,
        face=face,
        alive=lambda: transport._client._connected,
        muted=lambda: is_off(transport._client._room),
        occupied=lambda _gone: is_occupied(transport._client._room),
        tell=telling(transport),
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    secrets = (settings.livekit_api_key, settings.livekit_api_secret)
    key, secret = (value.get_secret_value() for value in secrets)
    async with api.LiveKitAPI(settings.livekit_url, key, secret, session=http) as livekit:
        try:
            await livekit.room.list_rooms(api.ListRoomsRequest())
        except api.TwirpError as error:
            raise UserError(
                f"the key was refused ({error.code})",
                "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
            ) from None
