"""A user in a LiveKit room: speaks at real pace, hears and sees the avatar."""

import asyncio
import json
import time
from typing import Self

import numpy as np
from livekit import rtc

from tests.sandbox.caller import Viewer

RATE = 16_000
PIECE = RATE // 100


class Guest(Viewer):
    """A viewer with a microphone."""

    def __init__(self) -> None:
        super().__init__()
        self._source = rtc.AudioSource(RATE, 1)
        self._pcm = bytearray()
        self.quiet = asyncio.Event()
        self.quiet_at_s = 0.0
        self.pictures: list[tuple[float, np.ndarray]] = []

    @classmethod
    async def joining(cls, url: str, token: str) -> Self:
        """Join a room and open the microphone."""
        guest = await super().joining(url, token)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", guest._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await guest.room.local_participant.publish_track(track, options)
        guest._tasks.append(asyncio.create_task(guest._speak()))
        return guest

    def mute(self, muted: bool) -> None:
        """Turn the microphone off, or on again, as LiveKit's clients do."""
        (publication,) = self.room.local_participant.track_publications.values()
        track = publication.track
        assert isinstance(track, rtc.LocalAudioTrack)
        if muted:
            track.mute()
        else:
            track.unmute()

    def say(self, pcm: bytes) -> None:
        """Begin to say something; s16le mono 16 kHz."""
        self._pcm += pcm
        self.quiet.clear()

    async def write(self, text: str) -> None:
        """Send the bot a text, as Pipecat's clients do."""
        message = {"label": "rtvi-ai", "id": "1", "type": "send-text", "data": {"content": text}}
        await self.room.local_participant.publish_data(json.dumps(message), reliable=True)

    def sound_since(self, at_s: float) -> np.ndarray:
        """Sound since then: float64 samples at 24 kHz."""
        return np.concatenate([np.zeros(0), *(s for at, s in self.heard if at >= at_s)])

    async def _speak(self) -> None:
        while True:
            piece = bytes(self._pcm[: 2 * PIECE]).ljust(2 * PIECE, b"\0")
            if self._pcm and len(self._pcm) <= 2 * PIECE:
                self.quiet_at_s = time.monotonic()
                self.quiet.set()
            del self._pcm[: 2 * PIECE]
            await self._source.capture_frame(rtc.AudioFrame(piece, RATE, 1, PIECE))
