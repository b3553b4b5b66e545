"""A room on a LiveKit server of one's own."""

import aiohttp
from pipecat.runner.types import LiveKitRunnerArguments
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport

from pipelines.media.video import ToRoom
from pipelines.meeting import Meeting, media
from pipelines.settings import Settings


def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: LiveKitRunnerArguments,
    size: tuple[int, int],
) -> Meeting:
    """The transport, with a camera of the face's size."""
    params = LiveKitParams(**media(size))
    transport = LiveKitTransport(arguments.url, arguments.token, arguments.room_name, params=params)
    camera = ToRoom(transport.output().write_video_frame, size)
    return Meeting(transport, (camera,), camera.newest.shown)
