"""An agent of ElevenLabs', as its conversation is seen from its WebSocket.

Not imitated: understanding. It answers each piece of speech that is followed by silence with the
next of its answers, and messages with the next one at once.
"""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from aiohttp import web

from tests.standins.babble import babble
from tests.standins.loudness import voiced_s

HEARS_HZ = 16_000
# So much quiet after speech ends a turn.
QUIET_BYTES = 2 * HEARS_HZ // 2
CHUNK_BYTES = 24_000
Message = dict[str, Any]


class Conversation:
    """What an agent says, and keeps of what it is told.

    Attributes:
        began: what the client sent first.
        told: all messages of the client but sound and pongs, in their order.
        pongs: the ids of pings that were answered.
        heard: the sound that came: s16le mono, of the rate that `formats` say, or 16 kHz.
    """

    def __init__(
        self,
        opening: str = "",
        answers: Iterable[str] = (),
        heard_as: str = "What time is it?",
        formats: Message | None = None,
        begins: bool = True,
    ) -> None:
        """`heard_as` is what it takes any speech for; one that does not begin says nothing."""
        self._opening, self._answers, self._heard_as = opening, deque(answers), heard_as
        self._formats, self._begins = formats or {}, begins
        self._socket: web.WebSocketResponse | None = None
        self._sounds = self._voiced = self._quiet = 0
        self._changed = asyncio.Event()
        self.began: Message = {}
        self.told: list[Message] = []
        self.pongs: list[int] = []
        self.heard = bytearray()

    async def hold(self, socket: web.WebSocketResponse) -> None:
        """Converse until the client leaves."""
        self._socket = socket
        # A client may leave while it is spoken to, and that is no fault of either side.
        with suppress(ConnectionError):
            async for frame in socket:
                await self._take(json.loads(frame.data))
                self._changed.set()
                self._changed = asyncio.Event()

    async def until(self, happened: Callable[[], object], timeout_s: float = 15.0) -> None:
        """Wait for something to become true. Raises: TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not happened():
                await self._changed.wait()

    async def send(self, kind: str, **fields: Any) -> None:
        """Send an event."""
        assert self._socket, "nobody has come"
        await self._socket.send_json({"type": kind, **fields})

    async def send_raw(self, text: str) -> None:
        """Send what may be no event."""
        assert self._socket, "nobody has come"
        await self._socket.send_str(text)

    async def say(self, text: str) -> None:
        """Say something: as ElevenLabs does, faster than it is heard."""
        await self.send("agent_response", agent_response_event={"agent_response": text})
        pcm = babble(text)
        for at in range(0, len(pcm), CHUNK_BYTES):
            await self.sound(pcm[at : at + CHUNK_BYTES])

    async def sound(self, pcm: bytes) -> None:
        """Send some more of what it says: s16le mono 24 kHz."""
        self._sounds += 1
        sound = base64.b64encode(pcm).decode()
        await self.send("audio", audio_event={"audio_base_64": sound, "event_id": self._sounds})

    async def interrupt(self) -> None:
        """Fall silent; what was sent is not to be heard any more."""
        await self.send("interruption", interruption_event={"event_id": self._sounds})

    async def hang_up(self, code: int = 1000, reason: str = "") -> None:
        """Leave."""
        assert self._socket, "nobody has come"
        await self._socket.close(code=code, message=reason.encode())

    async def _take(self, message: Message) -> None:
        if "user_audio_chunk" in message:
            await self._hear(base64.b64decode(message["user_audio_chunk"]))
        elif message["type"] == "conversation_initiation_client_data":
            self.began = message
            if self._begins:
                await self._begin()
        elif message["type"] == "pong":
            self.pongs.append(message["event_id"])
        else:
            self.told.append(message)
            if message["type"] == "user_message":
                await self._answer()

    async def _begin(self) -> None:
        formats = {
            "conversation_id": "conversation-1",
            "agent_output_audio_format": "pcm_24000",
            "user_input_audio_format": "pcm_16000",
            **self._formats,
        }
        await self.send(
            "conversation_initiation_metadata", conversation_initiation_metadata_event=formats
        )
        await self.send("ping", ping_event={"event_id": 7, "ping_ms": None})
        if self._opening:
            await self.say(self._opening)

    async def _hear(self, pcm: bytes) -> None:
        self.heard += pcm
        loud = voiced_s(pcm, HEARS_HZ) > 0
        self._voiced += len(pcm) if loud else 0
        self._quiet = 0 if loud else self._quiet + len(pcm)
        if self._voiced and self._quiet >= QUIET_BYTES:
            self._voiced = 0
            event = {"user_transcript": self._heard_as}
            await self.send("user_transcript", user_transcription_event=event)
            await self._answer()

    async def _answer(self) -> None:
        if self._answers:
            await self.say(self._answers.popleft())
