"""A direct WebRTC connection to the browser."""

import aiohttp
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import RawAudioTrack, SmallWebRTCTransport

from pipelines.media import encoder, sound
from pipelines.media.video import FaceTrack, Newest, ToTrack
from pipelines.media.view import View
from pipelines.meeting import Meeting
from pipelines.settings import Settings

UNMET = (
    "The user's browser was answered and not met: sound and picture travel by UDP, which something"
    " on the way holds back, or the page was left. --ice-servers names a TURN server."
)

UNREAD = (
    "No message came from the user's page: its browser or network carries voice and picture only,"
    " so nothing was read or typed."
)


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
    newest, view = Newest(), View()
    pictures = ToTrack(newest, view)
    voices: list[RawAudioTrack] = []

    # A connection that is taken up again ends the track of the one before.
    @connection.event_handler("connected")
    async def show_face(_connection: object) -> None:
        connection.replace_video_track(FaceTrack(newest, view))
        voice = transport._client._audio_output_track
        voices.extend([voice] if voice else [])

    async def lose(_connection: object) -> None:
        while voices:
            let_go(voices.pop())

    for event in ("disconnected", "closed"):
        connection.add_event_handler(event, lose)
    return Meeting(
        transport,
        (pictures,),
        newest.shown,
        muted=lambda: is_off(connection),
        reached=connection.is_connected,
        unmet=UNMET,
        unread=UNREAD,
        look=pictures.look,
    )


def let_go(voice: RawAudioTrack) -> None:
    """Take what is still to be sent for sent: nobody asks a track for it whose connection is lost.

    Pipecat waits 10 s for it and then writes the transport off, also where the user comes back.
    """
    while voice._chunk_queue:
        _, sent = voice._chunk_queue.popleft()
        if sent and not sent.done():
            sent.set_result(True)


def is_off(connection: SmallWebRTCConnection) -> bool:
    """Whether the browser has said that its microphone is off, by RTVI's message trackStatus."""
    track = connection.audio_input_track() if connection.is_connected() else None
    return track is not None and not track.is_enabled()
