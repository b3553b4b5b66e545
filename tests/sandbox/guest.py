"""Somebody in the room of a FULL session: speaks, gives commands, and keeps every event."""

import asyncio
import json
from typing import Any, Self

import numpy as np
from livekit import rtc

from liveavatar.channel import CONTROL, RESPONSE
from tests.sandbox.caller import Call, Caller, Viewer

RATE = 16_000
PIECE = RATE // 50
AFTER_S = 1.5
TOLD_S = 25.0


class Guest(Viewer):
    """A viewer with a microphone and a data channel; `events` are all that came, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=1000)
        self._orders = 0
        self.room.on("data_received", self._received)

    @classmethod
    async def joining(cls, url: str, token: str) -> Self:
        """Join, with the microphone on."""
        guest = await super().joining(url, token)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", guest._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await guest.room.local_participant.publish_track(track, options)
        return guest

    async def say(self, pcm: bytes, after_s: float = AFTER_S) -> None:
        """Speak, s16le mono 16 kHz, at the pace of speech; then be quiet for a while."""
        sound = pcm + bytes(2 * int(RATE * after_s))
        for at in range(0, len(sound), 2 * PIECE):
            piece = sound[at : at + 2 * PIECE].ljust(2 * PIECE, b"\0")
            await self._source.capture_frame(rtc.AudioFrame(piece, RATE, 1, PIECE))
        await self._source.wait_for_playout()

    def hush(self) -> None:
        """Drop what is not said yet."""
        self._source.clear_queue()

    async def order(self, event_type: str, **fields: Any) -> str:
        """Give a command; its id."""
        self._orders += 1
        event_id = f"order-{self._orders}"
        await self.send({"event_type": event_type, "event_id": event_id, **fields})
        return event_id

    async def send(self, message: Any) -> None:
        """Send a packet on the topic of commands: JSON, or bytes as they are."""
        packet = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self.room.local_participant.publish_data(packet, topic=CONTROL)

    async def told(self, event_type: str, after: int = 0, **fields: Any) -> dict[str, Any]:
        """Wait for an event that fits, among those from number `after` on."""
        wanted = {"event_type": event_type, **fields}

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events[after:] if wanted.items() <= event.items()]

        try:
            async with asyncio.timeout(TOLD_S), self._changed:
                await self._changed.wait_for(found)
        except TimeoutError:
            raise AssertionError(f"no {wanted} among {self.types()}") from None
        return found()[0]

    def types(self, after: int = 0) -> list[str]:
        """The types of the events, pieces of texts left out."""
        types = (event["event_type"] for event in self.events[after:])
        return [each for each in types if not each.endswith(".chunk")]

    def texts(self, event_type: str) -> str:
        """All texts of one type of event, in one."""
        return "".join(e["text"] for e in self.events if e["event_type"] == event_type)

    def said(self) -> bytes:
        """All sound so far: s16le mono 24 kHz."""
        return self.sound().astype(np.int16).tobytes()

    async def answered(self, after: int) -> str:
        """Wait until the avatar has said something, from event number `after` on; its text."""
        told = await self.told("avatar.transcription", after)
        await self.told("avatar.speak_ended", self.events.index(told))
        return told["text"]

    def _received(self, packet: rtc.DataPacket) -> None:
        if packet.topic == RESPONSE:
            self.events.append(json.loads(packet.data))
            self._tasks.append(asyncio.create_task(self._note(lambda: None)))


async def visit(caller: Caller, call: Call) -> Guest:
    """Join a session's room as its client."""
    guest = await Guest.joining(call.data["livekit_url"], call.data["livekit_client_token"])
    caller.leaves(guest)
    return guest
