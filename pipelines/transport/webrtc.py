"""A direct WebRTC connection to the browser."""

import aiohttp
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport

from pipelines.media import encoder, sound
from pipelines.media.video import FaceTrack, Newest, ToTrack
from pipelines.meeting import Meeting
from pipelines.settings import Settings


def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: SmallWebRTCRunnerArguments,
    size: tuple[int, int],
) -> Meeting:
    """The transport. The picture leaves through a track of our own, so its size is the face's."""
    encoder.install()
    sound.install()
    connection = arguments.webrtc_connection
    transport = SmallWebRTCTransport(
        connection, TransportParams(audio_in_enabled=True, audio_out_enabled=True)
    )
    newest = Newest()

    # A connection that is taken up again ends the track of the one before.
    @connection.event_handler("connected")
    async def show_face(_connection: object) -> None:
        connection.replace_video_track(FaceTrack(newest))

    return Meeting(transport, (ToTrack(newest),), newest.shown, muted=lambda: is_off(connection))


def is_off(connection: SmallWebRTCConnection) -> bool:
    """Whether the browser has said that its microphone is off, by RTVI's message trackStatus."""
    track = connection.audio_input_track() if connection.is_connected() else None
    return track is not None and not track.is_enabled()
