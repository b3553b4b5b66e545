"""The avatar in a LiveKit room: one video track, one audio track, and no sound heard."""

import asyncio
import contextlib

from livekit import rtc

from liveavatar.wire import Encoding
from pipelines.joining import join
from puppet import FPS, SAMPLE_RATE

CODECS = {Encoding.H264: rtc.VideoCodec.H264, Encoding.VP8: rtc.VideoCodec.VP8}
BITS_PER_PIXEL = 0.1
VOICE_BITS_PER_S = 96_000
QUEUE_MS = 400
JOIN_TIMEOUT_S = 10.0
LEAVE_TIMEOUT_S = 5.0


class Room:
    """A participant that publishes; built, joined once, left once."""

    def __init__(self, size: tuple[int, int], encoding: Encoding, video: bool = True) -> None:
        """Size is (width, height) in pixels; without `video` only the voice is published."""
        self._size = size
        self._encoding = encoding
        self._video = rtc.VideoSource(*size) if video else None
        self._audio = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=QUEUE_MS)
        self._room = rtc.Room()
        self._voice: rtc.LocalTrackPublication | None = None
        self._expected = b""
        self._arrived = asyncio.Event()
        self._came = asyncio.Event()
        self._room.on("data_received", self._received)
        self._room.on("participant_connected", lambda _: self._came.set())

    async def join(self, url: str, token: str) -> None:
        """Join and publish.

        Raises:
            rtc.ConnectError, rtc.participant.PublishTrackError, TimeoutError: it did not work.
        """
        async with asyncio.timeout(JOIN_TIMEOUT_S):
            options = rtc.RoomOptions(auto_subscribe=False)
            await join(self._room.connect(url, token, options), lambda: self._room)
            me = self._room.local_participant
            voice = rtc.LocalAudioTrack.create_audio_track("voice", self._audio)
            self._voice = await me.publish_track(voice, self._voice_options())
            if self._video:
                picture = rtc.LocalVideoTrack.create_video_track("picture", self._video)
                await me.publish_track(picture, self._picture_options())

    def _voice_options(self) -> rtc.TrackPublishOptions:
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False
        )
        options.audio_encoding.max_bitrate = VOICE_BITS_PER_S
        return options

    def _picture_options(self) -> rtc.TrackPublishOptions:
        width, height = self._size
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            simulcast=False,
            video_codec=CODECS[self._encoding],
        )
        options.video_encoding.max_bitrate = int(width * height * FPS * BITS_PER_PIXEL)
        options.video_encoding.max_framerate = FPS
        return options

    def show(self, picture: bytes) -> None:
        """Publish a picture, I420. May run in any thread."""
        if self._video and self._room.isconnected():
            frame = rtc.VideoFrame(*self._size, rtc.VideoBufferType.I420, picture)
            self._video.capture_frame(frame)

    async def play(self, pcm: bytes) -> None:
        """Queue sound: s16le mono 24 kHz."""
        await self._audio.capture_frame(rtc.AudioFrame(pcm, SAMPLE_RATE, 1, len(pcm) // 2))

    def hush(self) -> None:
        """Drop what is queued and not yet on its way."""
        self._audio.clear_queue()

    async def is_heard(self) -> None:
        """Wait until somebody receives the voice."""
        if self._voice:
            await self._voice.wait_for_subscription()

    async def has_come(self, identity: str) -> None:
        """Wait until somebody is in the room."""
        while identity not in self._room.remote_participants:
            self._came.clear()
            await self._came.wait()

    def expect(self, packet: bytes) -> asyncio.Event:
        """Set once data has come in that another participant sends to all, or cannot come in."""
        self._expected, self._arrived = packet, asyncio.Event()
        if not self._room.isconnected():
            self._arrived.set()
        return self._arrived

    def _received(self, packet: rtc.DataPacket) -> None:
        if packet.data == self._expected:
            self._arrived.set()

    async def leave(self) -> None:
        """Leave the room and give back what is held."""
        # A server that does not answer a goodbye in time is left without one.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._room.disconnect()
        await self._audio.aclose()
        if self._video:
            await self._video.aclose()
