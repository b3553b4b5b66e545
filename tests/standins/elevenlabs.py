"""ElevenLabs: speech of many contexts over one WebSocket, with times of characters; and an agent.

As `auto_mode=true` has it, every text is spoken as it comes. Not imitated: buffering without that
mode, other formats than PCM, the limit of five contexts, and silences that close a connection.
"""

import asyncio
import base64
import json
import secrets
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import WSCloseCode, web

from tests.standins.babble import SAMPLE_RATE, babble, resample
from tests.standins.convai import Conversation
from tests.standins.server import Server

KEY = "fake-elevenlabs-key"
CHUNK_S = 0.1
VOICE_SETTINGS = {"stability", "similarity_boost", "style", "use_speaker_boost", "speed"}
Message = dict[str, Any]
Mood = Literal["well", "silent", "mute", "garbage", "closing"]


@dataclass
class ElevenLabsState:
    """What was asked for, over all connections.

    Attributes:
        spoken: the texts, with the voice that each was for.
        settings: the voice settings of each context, in their order.
        closed: contexts that clients have closed.
        mood: what becomes of a text: it is spoken, or nothing comes, or an end without a sound, or
            what is no message, or the connection closes in the middle of it.
    """

    spoken: list[tuple[str, str]] = field(default_factory=list)
    settings: list[dict[str, Any]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    mood: Mood = "well"


class ElevenLabs(Server):
    """`/v1/text-to-speech/{voice}/multi-stream-input`, and agents at `/v1/convai/conversation`.

    `speak` turns text into s16le mono at 24 kHz. `agents` are conversations that are still to be
    held, by the id of the agent.
    """

    def __init__(self, key: str = KEY, speak: Callable[[str], bytes] = babble) -> None:
        super().__init__(
            [
                web.get("/v1/text-to-speech/{voice}/multi-stream-input", self._listen),
                web.get("/v1/convai/conversation/get-signed-url", self._sign),
                web.get("/v1/convai/conversation", self._converse),
            ]
        )
        self.key, self.speak = key, speak
        self.state = ElevenLabsState()
        self.agents: dict[str, Conversation] = {}
        self._signatures: set[str] = set()
        # Cleared, it signs nothing until it is set again.
        self.signs = asyncio.Event()
        self.signs.set()

    def refuse(self, request: web.Request) -> web.Response | None:
        """Take the key as `xi-api-key`, or an address that was signed, once."""
        signature = request.query.get("conversation_signature", "")
        if signature in self._signatures:
            self._signatures.remove(signature)
            return None
        given = request.headers.get("xi-api-key", "")
        return None if given == self.key else self.error(401, f"Invalid API key {given}")

    def error(self, status: int, message: str) -> web.Response:
        """ElevenLabs' error, whose message may repeat what it was given."""
        return web.json_response({"detail": {"status": "error", "message": message}}, status=status)

    # Speech.

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        rate = int(request.query["output_format"].removeprefix("pcm_"))
        line = Line(self, request.match_info["voice"], rate)
        async with self.accept(request) as socket:
            # A client may leave while it is spoken to, and that is no fault of either side.
            with suppress(ConnectionError):
                async for frame in socket:
                    if not await line.take(socket, json.loads(frame.data)):
                        break
        return socket

    # The agent.

    async def _sign(self, request: web.Request) -> web.Response:
        agent_id = request.query["agent_id"]
        await self.signs.wait()
        if agent_id not in self.agents:
            return self.error(404, f"The agent {agent_id} does not exist")
        signature = secrets.token_hex(8)
        self._signatures.add(signature)
        query = f"agent_id={agent_id}&conversation_signature={signature}"
        return web.json_response({"signed_url": f"{self.ws_url}/v1/convai/conversation?{query}"})

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        async with self.accept(request) as socket:
            await self.agents[request.query["agent_id"]].hold(socket)
        return socket


class Line:
    """One connection: the contexts that are open on it."""

    def __init__(self, server: ElevenLabs, voice: str, rate: int) -> None:
        self._server, self._voice, self._rate = server, voice, rate
        self._state = server.state
        self._open: dict[str, bool] = defaultdict(bool)

    async def take(self, socket: web.WebSocketResponse, message: Message) -> bool:
        """Take a message; whether the connection stays open."""
        if message.get("close_socket"):
            return False
        context_id = message.get("context_id")
        if context_id is None:  # keeps the connection alive
            return True
        if message.get("close_context"):
            return await self._close(socket, context_id)
        if message.get("flush"):
            return True
        return await self._open_or_speak(socket, context_id, message)

    async def _open_or_speak(
        self, socket: web.WebSocketResponse, context_id: str, message: Message
    ) -> bool:
        given = message.get("voice_settings")
        if given is not None and (self._open[context_id] or not given.keys() <= VOICE_SETTINGS):
            reason = b"voice_settings belong to a context's first message"
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=reason)
            return False
        if not self._open[context_id]:
            self._open[context_id] = True
            self._state.settings.append(given or {})
        text = message["text"].strip()
        return await self._speak(socket, context_id, text) if text else True

    async def _close(self, socket: web.WebSocketResponse, context_id: str) -> bool:
        self._state.closed.append(context_id)
        if self._open.pop(context_id, False) and self._state.mood != "silent":
            await socket.send_json({"isFinal": True, "contextId": context_id})
        self._server.notify()
        return True

    async def _speak(self, socket: web.WebSocketResponse, context_id: str, text: str) -> bool:
        self._state.spoken.append((self._voice, text))
        self._server.notify()
        match self._state.mood:
            case "garbage":
                await socket.send_str("<p>Welcome to nginx!")
            case "well" | "closing":
                await self._send_speech(socket, context_id, text)
        return self._state.mood != "closing"

    async def _send_speech(self, socket: web.WebSocketResponse, context_id: str, text: str) -> None:
        spoken = await asyncio.to_thread(self._server.speak, text)
        pcm = resample(spoken, SAMPLE_RATE, self._rate)
        halved = self._state.mood == "closing"
        step, whole = 2 * int(self._rate * CHUNK_S), len(pcm) // (2 if halved else 1)
        # The space ends the last word of a text where another follows.
        times = _alignment(f"{text} ", len(pcm) / (2 * self._rate))
        for at in range(0, whole, step):
            await socket.send_json(
                {
                    "audio": base64.b64encode(pcm[at : min(at + step, whole)]).decode(),
                    "isFinal": None,
                    "alignment": None if at or halved else times,
                    "normalizedAlignment": None if at or halved else times,
                    "contextId": context_id,
                }
            )


def _alignment(text: str, audio_s: float) -> Message:
    """The characters of a text, spread evenly over its sound."""
    letter_ms = 1000 * audio_s / len(text)
    return {
        "chars": list(text),
        "charStartTimesMs": [int(at * letter_ms) for at in range(len(text))],
        "charDurationsMs": [int(letter_ms)] * len(text),
    }
