"""A user in a LiveKit room who knows apart whom they hear and see."""

import asyncio
import json
import math
import time
from typing import Any

import numpy as np
from livekit import rtc

from tests.sandbox.listening import loud
from tests.talk.guest import Guest

BOT = "Pipecat Agent"


class Attendee(Guest):
    """A guest; `voices` and `sights` are of each participant, by identity.

    What is heard of all is what avatars say, and what the bot does, whose voice is there without a
    word while an avatar speaks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.voices: dict[str, list[tuple[float, np.ndarray]]] = {}
        self.sights: dict[str, list[float]] = {}
        self.messages: list[dict[str, Any]] = []
        self.room.on("data_received", lambda packet: self._read(packet.data))

    @property
    def bot(self) -> str:
        """The bot's identity."""
        return next(who for who in self.room.remote_participants if who.startswith(BOT))

    @property
    def avatars(self) -> list[str]:
        """The identities of avatars that are there."""
        return [who for who in self.room.remote_participants if who.startswith("avatar-")]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The server messages of a kind."""
        told = (message.get("data") or {} for message in self.messages)
        return [data for data in told if isinstance(data, dict) and data.get("type") == kind]

    def spoke(self, who: str, since_s: float = 0.0, until_s: float = math.inf) -> float:
        """When somebody was loud last in that time, 0 if never."""
        voice = reversed(self.voices.get(who, []))
        return next((at for at, sound in voice if since_s < at < until_s and loud(sound)), 0.0)

    def loud_s(self, who: str, since_s: float) -> float:
        """For how many seconds somebody was loud since then."""
        voice = self.voices.get(who, [])
        return sum(len(sound) for at, sound in voice if at > since_s and loud(sound)) / 24_000

    def said(self, who: str, since_s: float = 0.0, until_s: float = math.inf) -> bytes:
        """What somebody was heard to say in that time: s16le mono 24 kHz."""
        voice = self.voices.get(who, [])
        sounds = [sound for at, sound in voice if since_s < at < until_s]
        return np.concatenate([np.zeros(0), *sounds]).astype(np.int16).tobytes()

    def _read(self, data: bytes) -> None:
        self.messages.append(json.loads(data))

    def _subscribed(self, track: rtc.Track, _: Any, participant: rtc.RemoteParticipant) -> None:
        who, video = participant.identity, track.kind == rtc.TrackKind.KIND_VIDEO
        self.tracks.setdefault(who, set()).add("video" if video else "audio")
        work = self._watch(track, who) if video else self._listen(track, who)
        self._tasks.append(asyncio.create_task(work))

    async def _watch(self, track: rtc.Track, who: str) -> None:
        sights = self.sights.setdefault(who, [])
        async for _ in rtc.VideoStream(track):
            await self._note(lambda: sights.append(time.monotonic()))

    async def _listen(self, track: rtc.Track, who: str) -> None:
        voice = self.voices.setdefault(who, [])
        async for event in rtc.AudioStream(track, sample_rate=24_000):
            samples = np.frombuffer(event.frame.data, np.int16).astype(float)
            voice.append((time.monotonic(), samples))
            if who.startswith("avatar-") or (who.startswith(BOT) and loud(samples)):
                await self._note(lambda s=samples: self._keep(s))
