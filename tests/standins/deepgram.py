"""Deepgram: live transcription over a WebSocket, with the transcripts written beforehand.

Not imitated: endpointing by the model (the script says when a line ends), UtteranceEnd,
SpeechStarted, multichannel audio, and the closing of silent connections after ten seconds.
"""

import json
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

from tests.standins.server import Server

VOICED_RMS = 300.0
WINDOW_S = 0.02
Message = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """What the user will have said once `voiced_s` seconds above the noise floor have arrived.

    The final result follows on Finalize, on CloseStream, or after `silence_s` seconds of quiet,
    whichever is first. Until then the words arrive one by one as interim results.
    """

    text: str
    voiced_s: float = 0.2
    silence_s: float = 1.0


@dataclass
class Connection:
    """One listening WebSocket: what arrived on it, and what it answers. Knows no HTTP.

    Audio is s16le mono at `sample_rate` Hz. `options` are the query parameters of the client.
    """

    script: deque[Line]
    options: dict[str, str]
    audio_bytes: int = 0
    keep_alives: int = 0
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
        voiced_s = _voiced_s(pcm, self.sample_rate)
        self._voiced_s += voiced_s
        chunk_s = len(pcm) / (2 * self.sample_rate)
        self._quiet_s = 0.0 if voiced_s else self._quiet_s + chunk_s
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
    connections: list[Connection] = field(default_factory=list)

    @property
    def audio_bytes(self) -> int:
        """All audio received on all connections."""
        return sum(connection.audio_bytes for connection in self.connections)

    def say(self, text: str, voiced_s: float = 0.2, silence_s: float = 1.0) -> None:
        """Add a line to the end of the script."""
        self.script.append(Line(text, voiced_s, silence_s))


class Deepgram(Server):
    """Deepgram's `/v1/listen`, and `/v1/projects` as the cheapest call that checks a key."""

    def __init__(self, key: str = "fake-deepgram-key", lines: Iterable[Line | str] = ()) -> None:
        super().__init__(
            [web.get("/v1/listen", self._listen), web.get("/v1/projects", self._projects)]
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
        code = {401: "INVALID_AUTH", 404: "NOT_FOUND", 429: "TOO_MANY_REQUESTS"}.get(status)
        body = {"err_code": code or "INTERNAL_SERVER_ERROR", "err_msg": message}
        return web.json_response(body | {"request_id": str(uuid.uuid4())}, status=status)

    async def _projects(self, _: web.Request) -> web.Response:
        return web.json_response({"projects": [{"project_id": "fake", "name": "stand-in"}]})

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        connection = Connection(self.state.script, dict(request.query))
        self.state.connections.append(connection)
        async with self.accept(request) as socket:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    answers = connection.hear(message.data)
                else:
                    answers = connection.control(json.loads(message.data))
                for answer in answers:
                    await socket.send_json(answer)
                self.notify()
                if connection.closed:
                    await socket.close()
        return socket


def _voiced_s(pcm: bytes, sample_rate: int) -> float:
    window = int(sample_rate * WINDOW_S)
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float64)
    pieces = (samples[at : at + window] for at in range(0, len(samples), window))
    return sum(
        len(piece) / sample_rate for piece in pieces if np.sqrt(np.mean(piece**2)) > VOICED_RMS
    )


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
