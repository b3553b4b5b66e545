"""Lets Pipecat's eval harness, which speaks over a WebSocket, talk as a viewer does, over WebRTC.

To the harness it is a bot behind `/ws`; to the avatar it is a page. RTVI messages pass as they are,
the harness's voice (`raw-audio`) goes into the microphone, and the avatar's, where the harness asks
for it (`eval-connect`), comes back as `eval-bot-audio`.
"""

import asyncio
import base64
import contextlib
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from pipecat.evals.serializer import (
    EVAL_BOT_AUDIO_TYPE,
    EVAL_CANCEL_MESSAGE_TYPE,
    EVAL_CONNECT_MESSAGE_TYPE,
    EvalConnectionFlags,
)
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bots.eval.viewer import Viewer
from bots.eval.visitor import PIECE, RATE

LABEL = "rtvi-ai"
# Silence is not handed on, but for so much before the voice and after it: 20 ms each.
BEFORE, AFTER = 10, 20
# The least of 32768 that is handed on.
QUIET = 60


class Bridge:
    """One conversation, from a harness's socket to a viewer, who looks on for `looks_s`."""

    def __init__(self, url: str, token: str, looks_s: float) -> None:
        # Other programs of this machine can reach the socket, too.
        self._path = f"/{secrets.token_urlsafe(16)}"
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._flags = EvalConnectionFlags()
        self._early: deque[bytes] = deque(maxlen=BEFORE)
        self._after = 0
        self.viewer = Viewer(url, token, self._told, self._heard, looks_s)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Join the conversation; yields the address for the harness."""
        async with serve(self._meet, "127.0.0.1", 0, max_size=None) as server, self.viewer:
            yield f"ws://127.0.0.1:{_port(server)}{self._path}"

    async def _meet(self, socket: ServerConnection) -> None:
        if not socket.request or urlsplit(socket.request.path).path != self._path:
            return
        sending = asyncio.create_task(self._send(socket))
        over = asyncio.create_task(self._close(socket))
        try:
            async for message in socket:
                self._take(json.loads(message))
        except ConnectionClosed:
            pass
        finally:
            for task in (sending, over):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                    await task

    async def _send(self, socket: ServerConnection) -> None:
        while True:
            await socket.send(await self._out.get())

    async def _close(self, socket: ServerConnection) -> None:
        """Let the harness know that the avatar has ended the conversation."""
        await self.viewer.over.wait()
        await socket.close()

    def _take(self, message: dict[str, Any]) -> None:
        """Something came from the harness."""
        data = message.get("data") or {}
        asked = data.get("t") if message.get("type") == "client-message" else None
        if message.get("type") == "raw-audio":
            self._say(data)
        elif asked == EVAL_CONNECT_MESSAGE_TYPE:
            self._flags = EvalConnectionFlags.model_validate(data.get("d") or {})
        elif asked != EVAL_CANCEL_MESSAGE_TYPE:  # the viewer leaves when it has seen enough
            self.viewer.send_text(json.dumps(message))

    def _say(self, data: dict[str, Any]) -> None:
        """Speak a piece of s16le mono sound; silence is what the microphone has by itself."""
        sound = np.frombuffer(base64.b64decode(data["base64Audio"]), np.int16)
        microphone = self.viewer.microphone
        if not sound.any() and not microphone.speaks:
            return
        # The harness sends in pieces of 40 ms, of which the next may be a little late.
        ahead = b"" if microphone.speaks else bytes(2 * 3 * PIECE)
        microphone.say(ahead + _resampled(sound, int(data["sampleRate"])).tobytes())

    def _told(self, message: dict[str, Any]) -> None:
        self._out.put_nowait(json.dumps({"label": LABEL, **message}))

    def _heard(self, pcm: bytes) -> None:
        """Hand on the avatar's voice, s16le mono 16 kHz, with a little silence around it."""
        if not self._flags.capture_bot_audio:
            return
        loud = np.abs(np.frombuffer(pcm, np.int16)).max(initial=0) > QUIET
        self._after = AFTER if loud else self._after - 1
        if self._after > 0:
            for piece in (*self._early, pcm):
                self._send_sound(piece)
            self._early.clear()
        else:
            self._early.append(pcm)

    def _send_sound(self, pcm: bytes) -> None:
        data = {"audio": base64.b64encode(pcm).decode(), "sampleRate": RATE}
        self._told({"type": EVAL_BOT_AUDIO_TYPE, "data": data})


def _port(server: Server) -> int:
    (socket,) = server.sockets
    return socket.getsockname()[1]


def _resampled(sound: np.ndarray, rate: int) -> np.ndarray:
    """The same sound at 16 kHz, int16."""
    if rate == RATE:
        return sound
    wanted = np.arange(round(len(sound) * RATE / rate)) * rate / RATE
    return np.interp(wanted, np.arange(len(sound)), sound).astype(np.int16)
