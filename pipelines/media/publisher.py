"""What the bot publishes itself in a LiveKit room that somebody else has joined for it."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from livekit import rtc
from livekit.rtc.participant import PublishDataError, PublishTrackError, UnpublishTrackError
from loguru import logger
from pipecat.frames.frames import AudioRawFrame, OutputImageRawFrame

# What waits to be heard cannot be taken back by an interruption.
QUEUE_MS = 200
FPS = 25
BITS_PER_PIXEL = 0.1


class Publisher:
    """Publishes a track when there is something for it; `room` is the room, once it is joined.

    Pictures are RGB of (width, height) `size`.
    """

    def __init__(self, room: Callable[[], rtc.Room | None], size: tuple[int, int]) -> None:
        self._room = room
        self._size = size
        self._opening = asyncio.Lock()
        self._voice: rtc.AudioSource | None = None
        self._picture: rtc.VideoSource | None = None
        self._shown: rtc.LocalVideoTrack | None = None

    async def open_voice(self, sample_rate: int) -> rtc.AudioSource | None:
        """Publish a voice that is silent yet: what is said before users listen to it is lost."""
        room = self._room()
        async with self._opening:
            if self._voice or not (room and room.isconnected()):
                return self._voice
            voice = rtc.AudioSource(sample_rate, 1, queue_size_ms=QUEUE_MS)
            track = rtc.LocalAudioTrack.create_audio_track("voice", voice)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            if not await _publish(room, track, options):
                await voice.aclose()
                return None
            self._voice = voice
        return voice

    async def speak(self, sound: AudioRawFrame) -> bool:
        """Let sound be heard, s16le mono, when what is before it is nearly over."""
        room = self._room()
        if not (room and room.isconnected()):
            return False
        voice = self._voice or await self.open_voice(sound.sample_rate)
        if not voice:
            return False
        samples = len(sound.audio) // 2
        await voice.capture_frame(rtc.AudioFrame(sound.audio, sound.sample_rate, 1, samples))
        return True

    def hush(self) -> None:
        """Forget what waits to be heard."""
        if self._voice:
            self._voice.clear_queue()

    async def show(self, picture: OutputImageRawFrame) -> bool:
        """Let a picture be seen."""
        room = self._room()
        if not (room and room.isconnected()):
            return False
        async with self._opening:
            shown = self._picture or await self._open_picture(room)
        if not shown:
            return False
        shown.capture_frame(rtc.VideoFrame(*self._size, rtc.VideoBufferType.RGB24, picture.image))
        return True

    async def _open_picture(self, room: rtc.Room) -> rtc.VideoSource | None:
        picture = rtc.VideoSource(*self._size)
        track = rtc.LocalVideoTrack.create_video_track("picture", picture)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
        options.video_encoding.max_framerate = FPS
        width, height = self._size
        options.video_encoding.max_bitrate = round(width * height * FPS * BITS_PER_PIXEL)
        if await _publish(room, track, options):
            self._picture, self._shown = picture, track
        else:
            await picture.aclose()
        return self._picture

    async def hide(self) -> None:
        """Take the picture away; the next one is published anew."""
        async with self._opening:
            room, picture, track = self._room(), self._picture, self._shown
            self._picture = self._shown = None
            if picture and track:
                if room and room.isconnected():
                    with contextlib.suppress(UnpublishTrackError):  # the room is about to be gone
                        await room.local_participant.unpublish_track(track.sid)
                await picture.aclose()

    async def tell(self, message: Mapping[str, Any]) -> bool:
        """Let every page in the room read a message."""
        room = self._room()
        if not (room and room.isconnected()):
            return False
        try:
            await room.local_participant.publish_data(json.dumps(message), reliable=True)
        except PublishDataError as error:
            logger.warning(f"The room does not take what the page is told: {error}")
            return False
        return True

    async def aclose(self) -> None:
        """Give back what is held."""
        for source in (self._voice, self._picture):
            if source:
                await source.aclose()
        self._voice = self._picture = None


async def _publish(room: rtc.Room, track: rtc.LocalTrack, options: rtc.TrackPublishOptions) -> bool:
    try:
        await room.local_participant.publish_track(track, options)
    except PublishTrackError as error:
        logger.warning(f"The room does not take the bot's own {track.name}: {error}")
        return False
    return True
