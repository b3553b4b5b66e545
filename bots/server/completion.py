"""An answer in OpenAI's protocol: in pieces, as a whole, or why there is none."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bots.server.client import left
from bots.server.origins import is_mind
from bots.server.question import Question
from pipelines.mind.thinker import Usage
from pipelines.race import done_before

KINDS = {401: "authentication_error", 429: "rate_limit_error"}
CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
RETRY = {429: {"Retry-After": "1"}}
# What stands between would otherwise keep the pieces until there are many.
STREAM = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}
DONE = b"data: [DONE]\n\n"
Wire = dict[str, Any]


class Completion:
    """Sends an answer while it is made; a client that leaves ends its making."""

    def __init__(
        self,
        question: Question,
        words: AsyncGenerator[str, None],
        usage: Usage,
        over: Callable[[], None],
    ) -> None:
        """`words` is the answer, after which `usage` is known; `over` hears of the end of it."""
        self._question, self._words, self._usage, self._over = question, words, usage, over
        self._id, self._at = f"chatcmpl-{secrets.token_hex(12)}", int(time.time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless nobody is there any more."""
        send_it = self._stream if self._question.stream else self._whole
        sending = asyncio.create_task(send_it(send))
        try:
            await done_before(left(receive), sending)
        finally:
            self._over()
        if not sending.cancelled():
            sending.result()

    async def _stream(self, send: Send) -> None:
        await _begin(send, STREAM)
        async with aclosing(self._words) as words:
            await self._piece(send, {"role": "assistant", "content": ""})
            async for each in words:
                await self._piece(send, {"content": each})
        await self._piece(send, {}, "stop")
        if self._question.counted:
            await _send(send, _event(self._head("chat.completion.chunk") | self._last()))
        await _send(send, DONE, more=False)

    async def _piece(self, send: Send, delta: Wire, reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        piece = self._head("chat.completion.chunk") | {"choices": [choice]}
        await _send(send, _event(piece | ({"usage": None} if self._question.counted else {})))

    def _last(self) -> Wire:
        return {"choices": [], "usage": self._counted()}

    async def _whole(self, send: Send) -> None:
        async with aclosing(self._words) as words:
            text = "".join([each async for each in words])
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        whole = {"choices": [choice], "usage": self._counted()}
        await _begin(send, {"content-type": "application/json"})
        body = json.dumps(self._head("chat.completion") | whole).encode()
        await _send(send, body, more=False)

    def _head(self, kind: str) -> Wire:
        return {
            "id": self._id,
            "object": kind,
            "created": self._at,
            "model": self._question.model,
        }

    def _counted(self) -> Wire:
        read, written = self._usage.read, self._usage.written
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        }


class Envelope:
    """Lets clients of OpenAI's protocol read why they are refused, whoever refuses them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        await self._app(scope, receive, _Rewriting(send) if is_mind(scope) else send)


class _Rewriting:
    """Sends an answer on; a refusal in OpenAI's shape."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._refusal: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._refusal = message
        elif self._refusal is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._tell(self._refusal)

    async def _tell(self, start: Message) -> None:
        told = json.loads(self._body)
        if "error" not in told:
            told = _error(start["status"], told["detail"])
        body = json.dumps(told).encode()
        length = (b"content-length", str(len(body)).encode())
        kept = [header for header in start["headers"] if header[0].lower() != length[0]]
        await self._send({**start, "headers": [*kept, length]})
        await self._send({"type": "http.response.body", "body": body})


def wrong(status: int, why: str, field: str | None = None, code: str | None = None) -> JSONResponse:
    """Why there is no answer."""
    return JSONResponse(_error(status, why, field, code), status, RETRY.get(status))


def _error(status: int, why: str, field: str | None = None, code: str | None = None) -> Wire:
    kind = KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    told = {"message": why, "type": kind, "param": field, "code": code or CODES.get(status)}
    return {"error": told}


def _event(piece: Wire) -> bytes:
    return f"data: {json.dumps(piece)}\n\n".encode()


async def _begin(send: Send, headers: Mapping[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
