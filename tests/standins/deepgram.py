"""Deepgram: live transcription over a WebSocket, with the transcripts written beforehand.

This is Nova; flux.py is Flux. Not imitated: endpointing by the model (the script says when a line
ends), UtteranceEnd, SpeechStarted, multichannel audio, and the closing of silent connections after
ten seconds.
"""

import json
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.standins.flux import FluxConnection, problem_with
from tests.standins.loudness import voiced_s
from tests.standins.script import Line
from tests.standins.server import Server

Message = dict[str, Any]
CODES = {
    400: "INVALID_QUERY_PARAMETER",
    401: "INVALID_AUTH",
    404: "NOT_FOUND",
    429: "TOO_MANY_REQUESTS",
}


@dataclass
class Connection:
    """One listening WebSocket: what arrived on it, and what it answers. Knows no HTTP.

    Audio is s16le mono at `sample_rate` Hz. `options` are the query parameters of the client.
    """

    script: deque[Line]
    options: dict[str, str]
    audio_bytes: int = 0
    keep_alives: int = 0
    finals: int = 0
    closed: bool = False
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _voiced_s: float = 0.0
    _quiet_s: float = 0.0
    _words_told: int = 0
    _start_s: float = 0.0

    @property
    def sample_rate(self) -> int:
        """Of the incoming audio, in Hz."""
        return int(self.options.get("sample_rate", "16000"))

    @property
    def audio_s(self) -> float:
        """How much audio has arrived, in seconds."""
        return self.audio_bytes / (2 * self.sample_rate)

    def hear(self, pcm: bytes) -> list[Message]:
        """Take a chunk of audio; the results it leads to."""
        self.audio_bytes += len(pcm)
        heard_s = voiced_s(pcm, self.sample_rate)
        self._voiced_s += heard_s
        chunk_s = len(pcm) / (2 * self.sample_rate)
        self._quiet_s = 0.0 if heard_s else self._quiet_s + chunk_s
        if self._complete() and self._quiet_s >= self.script[0].silence_s:
            return [self._final(speech_final=True)]
        return self._interim()

    def control(self, message: Message) -> list[Message]:
        """Take a control message; the answers to it."""
        match message["type"]:
            case "KeepAlive":
                self.keep_alives += 1
                return []
            case "Finalize":
                return [self._final(from_finalize=True)]
            case "CloseStream":
                self.closed = True
                return [self._final(), self._metadata()] if self._complete() else [self._metadata()]
        return []

    def _complete(self) -> bool:
        return bool(self.script) and self._voiced_s >= self.script[0].voiced_s

    def _interim(self) -> list[Message]:
        if not self.script or self.options.get("interim_results") != "true":
            return []
        words = self.script[0].text.split()
        share = min(1.0, self._voiced_s / self.script[0].voiced_s)
        told, self._words_told = self._words_told, int(share * len(words))
        if self._words_told <= told:
            return []
        return [self._results(" ".join(words[: self._words_told]))]

    def _final(self, *, speech_final: bool = False, from_finalize: bool = False) -> Message:
        self.finals += 1
        text = ""
        if self._complete():
            text = self.script.popleft().text
            self._voiced_s, self._quiet_s, self._words_told = 0.0, 0.0, 0
        answer = self._results(text) | {"is_final": True, "speech_final": speech_final}
        self._start_s = self.audio_s
        return answer | {"from_finalize": from_finalize}

    def _results(self, text: str) -> Message:
        duration_s = self.audio_s - self._start_s
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": self._start_s,
            "duration": duration_s,
            "is_final": False,
            "speech_final": False,
            "channel": {"alternatives": [_alternative(text, self._start_s, duration_s)]},
            "metadata": {
                "request_id": self.request_id,
                "model_info": {"name": "stand-in", "version": "1", "arch": "stand-in"},
                "model_uuid": "00000000-0000-0000-0000-000000000000",
            },
            "from_finalize": False,
        }

    def _metadata(self) -> Message:
        return {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self.request_id,
            "sha256": "0" * 64,
            "created": "2026-01-01T00:00:00.000Z",
            "duration": self.audio_s,
            "channels": 1,
        }


@dataclass
class DeepgramState:
    """The script, shared by all connections, and the connections in order of arrival."""

    script: deque[Line]
    connections: list[Connection | FluxConnection] = field(default_factory=list)

    @property
    def audio_bytes(self) -> int:
        """All audio received on all connections."""
        return sum(connection.audio_bytes for connection in self.connections)

    @property
    def turns(self) -> FluxConnection:
        """The newest connection, which is to Flux."""
        connection = self.connections[-1]
        assert isinstance(connection, FluxConnection)
        return connection

    def say(self, text: str, voiced_s: float = 0.2, silence_s: float = 1.0) -> None:
        """Add a line to the end of the script."""
        self.script.append(Line(text, voiced_s, silence_s))


class Deepgram(Server):
    """Deepgram's `/v1/listen` and `/v2/listen`; `/v1/projects` is the cheapest call with a key."""

    def __init__(self, key: str = "fake-deepgram-key", lines: Iterable[Line | str] = ()) -> None:
        super().__init__(
            [
                web.get("/v1/listen", self._listen),
                web.get("/v2/listen", self._take_turns),
                web.get("/v1/projects", self._projects),
            ]
        )
        self.key = key
        script = (Line(said) if isinstance(said, str) else said for said in lines)
        self.state = DeepgramState(deque(script))

    def unused(self) -> list[str]:
        """Lines never transcribed, besides the faults."""
        return super().unused() + [f"'{said.text}'" for said in self.state.script]

    def refuse(self, request: web.Request) -> web.Response | None:
        """Accept `Authorization: Token <key>` only."""
        if request.headers.get("Authorization") == f"Token {self.key}":
            return None
        return self.error(401, "Invalid credentials.")

    def error(self, status: int, message: str) -> web.Response:
        """Deepgram's flat error body."""
        body = {"err_code": CODES.get(status) or "INTERNAL_SERVER_ERROR", "err_msg": message}
        return web.json_response(body | {"request_id": str(uuid.uuid4())}, status=status)

    async def _projects(self, _: web.Request) -> web.Response:
        return web.json_response({"projects": [{"project_id": "fake", "name": "stand-in"}]})

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        return await self._converse(request, Connection(self.state.script, dict(request.query)), [])

    async def _take_turns(self, request: web.Request) -> web.StreamResponse:
        options = dict(request.query)
        if problem := problem_with(options):
            refusal = self.error(400, problem)
            refusal.headers["dg-error"] = problem
            return refusal
        connection = FluxConnection(self.state.script, options)
        return await self._converse(request, connection, [connection.connected()])

    async def _converse(
        self,
        request: web.Request,
        connection: Connection | FluxConnection,
        greeting: list[Message],
    ) -> web.WebSocketResponse:
        self.state.connections.append(connection)
        async with self.accept(request) as socket:
            for message in greeting:
                await socket.send_json(message)
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    answers = connection.hear(message.data)
                elif message.type is WSMsgType.TEXT:
                    answers = connection.control(json.loads(message.data))
                else:  # the line broke in the middle of a message
                    break
                for answer in answers:
                    await socket.send_json(answer)
                self.notify()
                if connection.closed:
                    await socket.close()
        return socket


def _alternative(text: str, start_s: float, duration_s: float) -> Message:
    words = text.split()
    each_s = duration_s / max(1, len(words))
    return {
        "transcript": text,
        "confidence": 0.99 if text else 0.0,
        "words": [
            {
                "word": word.strip(".,!?").lower(),
                "punctuated_word": word,
                "start": start_s + at * each_s,
                "end": start_s + (at + 1) * each_s,
                "confidence": 0.99,
            }
            for at, word in enumerate(words)
        ],
    }
