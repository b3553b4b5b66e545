"""Cartesia: speech synthesis over a WebSocket, in contexts, with times of words and phonemes.

Texts sent with `max_buffer_delay_ms: 0` are spoken at once, all others when a sentence or the
context ends. Not imitated: that buffer's time limit, voices and models (any id is taken),
encodings other than pcm_s16le, and the closing of idle connections.
"""

import asyncio
import base64
import json
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standins.babble import SAMPLE_RATE, babble, resample
from tests.standins.server import Server

CHUNK_S = 0.1
NEEDED = {"transcript", "continue", "context_id", "model_id", "voice", "output_format"}
ALLOWED = NEEDED | {
    *("add_timestamps", "use_normalized_timestamps", "max_buffer_delay_ms", "language", "flush"),
    *("generation_config", "pronunciation_dict_id", "add_phoneme_timestamps"),
}
Message = dict[str, Any]


@dataclass(frozen=True)
class SpeechError:
    """What the vendor says, on an open WebSocket, instead of speaking."""

    status: int
    title: str
    message: str


@dataclass
class Context:
    """One context of a connection: the text not yet spoken and the audio time already told."""

    context_id: str
    inbox: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    pending: str = ""
    told_s: float = 0.0
    flushes: int = 0

    def take(self, message: Message) -> str:
        """Add a message's text; what is to be spoken now, possibly nothing."""
        self.pending += message["transcript"]
        ended = not message.get("continue") or message.get("flush")
        unbuffered = message.get("max_buffer_delay_ms") == 0
        if not (ended or unbuffered or self.pending.rstrip().endswith((".", "!", "?"))):
            return ""
        text, self.pending = self.pending, ""
        return text.strip()

    def timestamps(self, text: str, audio_s: float) -> Message:
        """The words of `text`, spread by their length over its audio, in context time."""
        words = text.split()
        letters = sum(len(word) + 1 for word in words)
        ends: list[float] = []
        for word in words:
            previous_s = ends[-1] if ends else self.told_s
            ends.append(previous_s + audio_s * (len(word) + 1) / letters)
        starts = [self.told_s, *ends[:-1]]
        self.told_s += audio_s
        times = {"words": words, "start": starts, "end": ends}
        return self.message("timestamps", word_timestamps=times)

    def phonemes(self, text: str, audio_s: float) -> Message:
        """The letters of `text` for its phonemes, as `timestamps` spreads them; call it before."""
        letters = [(at, letter) for at, letter in enumerate(text) if letter.isalpha()]
        step_s = audio_s / (len(text) + 1)
        times = {
            "phonemes": [letter.lower() for _, letter in letters],
            "start": [self.told_s + at * step_s for at, _ in letters],
            "end": [self.told_s + (at + 1) * step_s for at, _ in letters],
        }
        return self.message("phoneme_timestamps", phoneme_timestamps=times)

    def message(self, kind: str, **fields: Any) -> Message:
        """A message of this context in the vendor's envelope."""
        head = {"type": kind, "done": kind == "done", "status_code": 206}
        return head | {"context_id": self.context_id} | fields


def problem_with(message: Message) -> str:
    """What the vendor would refuse a message for; "" for nothing."""
    if message.get("cancel"):
        return "" if message.keys() == {"context_id", "cancel"} else "a cancel takes a context_id"
    if missing := NEEDED - message.keys():
        return f"missing: {', '.join(sorted(missing))}"
    if unknown := message.keys() - ALLOWED:
        return f"unknown: {', '.join(sorted(unknown))}"
    if not 0 <= message.get("max_buffer_delay_ms", 0) <= 5000:
        return "max_buffer_delay_ms is from 0 to 5000"
    return ""


Speaker = tuple[Context, asyncio.Task[None]]


@dataclass
class CartesiaState:
    """What was spoken and cancelled, over all connections."""

    spoken: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    errors: deque[SpeechError] = field(default_factory=deque)


class Cartesia(Server):
    """Cartesia's `/tts/websocket`, and `/voices` as the cheapest call that checks a key.

    `speak` turns text into s16le mono at `speak_rate` Hz; it runs in a thread, so a real
    synthesiser is welcome. `delay_s` passes before the first audio of each text, `chunk_delay_s`
    between chunks of 100 ms. While `garbles` is set, times of phonemes are not as they should be.
    """

    def __init__(
        self,
        key: str = "fake-cartesia-key",
        speak: Callable[[str], bytes] = babble,
        speak_rate: int = SAMPLE_RATE,
        delay_s: float = 0.0,
        chunk_delay_s: float = 0.0,
    ) -> None:
        super().__init__(
            [web.get("/tts/websocket", self._listen), web.get("/voices", self._voices)]
        )
        self.key = key
        self.speak = speak
        self.speak_rate = speak_rate
        self.delay_s = delay_s
        self.chunk_delay_s = chunk_delay_s
        self.garbles = False
        self.state = CartesiaState()

    @property
    def tts_url(self) -> str:
        """What a speech client takes as its WebSocket address."""
        return f"{self.ws_url}/tts/websocket"

    def fail_speech(self, status: int, title: str, message: str = "scripted failure") -> None:
        """Answer the next text with an `error` message on the WebSocket."""
        self.state.errors.append(SpeechError(status, title, message))

    def unused(self) -> list[str]:
        """Speech errors nobody met, besides the faults."""
        return super().unused() + [f"speech error {error.status}" for error in self.state.errors]

    def refuse(self, request: web.Request) -> web.Response | None:
        """Take the key as `X-API-Key`, as a bearer, or as `?api_key=`."""
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        key = request.headers.get("X-API-Key") or bearer or request.query.get("api_key")
        return None if key == self.key else self.error(401, "The API key is not valid.")

    def error(self, status: int, message: str) -> web.Response:
        """Cartesia's structured error, as of API version 2026-03-01."""
        title = "Unauthorized" if status == 401 else "Request failed"
        body = {"error_code": None, "title": title, "message": message}
        return web.json_response(body | {"request_id": str(uuid.uuid4())}, status=status)

    async def _voices(self, _: web.Request) -> web.Response:
        voice = {"id": "fake-voice", "name": "Stand-in", "language": "en", "is_public": True}
        return web.json_response({"data": [voice], "has_more": False, "next_page": None})

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        speakers: dict[str, Speaker] = {}
        async with self.accept(request) as socket, asyncio.TaskGroup() as group:
            async for frame in socket:
                message: Message = json.loads(frame.data)
                context_id = message["context_id"]
                if problem := problem_with(message):
                    refusal = SpeechError(400, "Bad request", problem)
                    await socket.send_json(_error(Context(context_id), refusal))
                    continue
                if message.get("cancel"):
                    self._cancel(context_id, speakers)
                    continue
                if context_id not in speakers or speakers[context_id][1].done():
                    context = Context(context_id)
                    task = group.create_task(self._serve(socket, context))
                    speakers[context_id] = context, task
                speakers[context_id][0].inbox.put_nowait(message)
            for _, task in speakers.values():
                task.cancel()
        return socket

    def _cancel(self, context_id: str, speakers: dict[str, Speaker]) -> None:
        if context_id in speakers:
            speakers[context_id][1].cancel()
        self.state.cancelled.append(context_id)
        self.notify()

    async def _serve(self, socket: web.WebSocketResponse, context: Context) -> None:
        message: Message = {"continue": True}
        # A client may leave while it is spoken to, and that is no fault of either side.
        with suppress(ConnectionError):
            while message.get("continue"):
                message = await context.inbox.get()
                async for answer in self._answers(context, message):
                    await socket.send_json(answer)
                    if answer["type"] == "error":
                        return
            await socket.send_json(context.message("done"))
            self.state.finished.append(context.context_id)
            self.notify()

    async def _answers(self, context: Context, message: Message) -> AsyncIterator[Message]:
        text = context.take(message)
        if not text:
            return
        if self.state.errors:
            yield _error(context, self.state.errors.popleft())
            return
        self.state.spoken.append(text)
        self.notify()
        rate = int(message["output_format"]["sample_rate"])
        pcm = resample(await asyncio.to_thread(self.speak, text), self.speak_rate, rate)
        await asyncio.sleep(self.delay_s)
        audio_s = len(pcm) / (2 * rate)
        if message.get("add_phoneme_timestamps"):
            yield context.phonemes(text, audio_s) | (
                {"phoneme_timestamps": None} if self.garbles else {}
            )
        yield context.timestamps(text, audio_s)
        step = 2 * int(rate * CHUNK_S)
        for at in range(0, len(pcm), step):
            if at:
                await asyncio.sleep(self.chunk_delay_s)
            data = base64.b64encode(pcm[at : at + step]).decode()
            yield context.message("chunk", data=data, step_time=1.0)
        context.flushes += 1
        yield context.message("flush_done", flush_done=True, flush_id=context.flushes)


def _error(context: Context, error: SpeechError) -> Message:
    return context.message(
        "error",
        done=True,
        status_code=error.status,
        error_code=None,
        title=error.title,
        message=error.message,
        request_id=str(uuid.uuid4()),
    )
