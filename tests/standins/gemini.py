"""Gemini: `generateContent` and its streaming form, with the replies written beforehand.

A wish to think so much or so little is checked as each family of models takes it. Not imitated:
thinking itself, tools, safety verdicts, and any other judgement of the request's content.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standins.replies import Reply, as_replies, spoken_words
from tests.standins.server import Server, body_of

STREAM = "/v1beta/models/*:streamGenerateContent"
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
WRONG_KEY = "API key not valid. Please pass a valid API key."
NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)


LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")


@dataclass
class GeminiState:
    """The replies still to give, and the bodies of the requests that asked for one.

    `usage` has the tokens that were told last of each request, by its place, `withdrawn` the bodies
    of those whose client left before the end of the reply.
    """

    replies: deque[Reply]
    prompts: list[dict[str, Any]]
    usage: dict[int, dict[str, int]] = field(default_factory=dict)
    withdrawn: list[dict[str, Any]] = field(default_factory=list)

    def tokens(self) -> tuple[int, int]:
        """What was told of all requests: read, and written with thoughts."""
        read = sum(told["promptTokenCount"] for told in self.usage.values())
        return read, sum(told["totalTokenCount"] for told in self.usage.values()) - read

    def last_user_text(self) -> str:
        """What the user said last, in the latest request."""
        turns = [turn for turn in self.prompts[-1]["contents"] if turn["role"] == "user"]
        return "".join(part.get("text", "") for part in turns[-1]["parts"])


class Gemini(Server):
    """The Gemini API's v1beta: text generation, and the model list as the cheapest call."""

    def __init__(
        self,
        key: str = "fake-gemini-key",
        replies: Iterable[Reply | str] = (),
        models: Sequence[str] = ("gemini-3.6-flash",),
        refused_levels: Sequence[str] = (),
    ) -> None:
        super().__init__(
            [
                web.get("/v1beta/models", self._models),
                web.get("/v1beta/models/{model}", self._model),
                web.post("/v1beta/models/{model}:streamGenerateContent", self._stream),
                web.post("/v1beta/models/{model}:generateContent", self._generate),
            ]
        )
        self.key = key
        self.models = models
        self.refused_levels = refused_levels
        self.state = GeminiState(as_replies(replies), [])

    def unused(self) -> list[str]:
        """Replies nobody asked for, besides the faults."""
        return super().unused() + [f"'{reply.text}'" for reply in self.state.replies]

    def refuse(self, request: web.Request) -> web.Response | None:
        """400 for a wrong key, 403 for none, in a header or in the query, as the vendor does."""
        key = request.headers.get("x-goog-api-key") or request.query.get("key")
        if key == self.key:
            return None
        return self.error(400, WRONG_KEY) if key else self.error(403, NO_KEY)

    def error(self, status: int, message: str) -> web.Response:
        """Google's error envelope."""
        error = {"code": status, "message": message, "status": STATUSES.get(status, "INTERNAL")}
        if message == WRONG_KEY:
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                    "metadata": {"service": "generativelanguage.googleapis.com"},
                }
            ]
        return web.json_response({"error": error}, status=status)

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"models": [_about(name) for name in self.models]})

    async def _model(self, request: web.Request) -> web.Response:
        return web.json_response(_about(request.match_info["model"]))

    def _problem(self, request: web.Request, body: dict[str, Any]) -> str:
        wish = thinking_config(body)
        level, budget = wish.get("thinking_level"), wish.get("thinking_budget")
        old = request.match_info["model"].startswith("gemini-2.5")
        if level is not None and budget is not None:
            return "You can only set only one of thinking budget and thinking level."
        if level is not None and (old or level in self.refused_levels or level not in LEVELS):
            return f"Thinking level {level} is not supported for this model."
        if budget is not None and not old:
            return "Request contains an invalid argument."
        return ""

    async def _next_reply(self, request: web.Request) -> Reply | web.Response:
        body = await body_of(request)
        if problem := self._problem(request, body):
            return self.error(400, problem)
        self.state.prompts.append(body)
        self.notify()
        if self.state.replies:
            return self.state.replies.popleft()
        self.unmatched.append(f"{request.method} {request.path} without a scripted reply")
        return self.error(400, "No reply is scripted.")

    async def _generate(self, request: web.Request) -> web.Response:
        reply = await self._next_reply(request)
        if isinstance(reply, web.Response):
            return reply
        place, usage = len(self.state.prompts) - 1, _usage(self.state.prompts[-1])
        await asyncio.sleep(reply.delay_s)
        _count(usage, reply.text, reply.thought)
        self.state.usage[place] = usage
        return web.json_response(_chunk(request, reply.text, usage, ended=True))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        reply = await self._next_reply(request)
        if isinstance(reply, web.Response):
            return reply
        place, prompt = len(self.state.prompts) - 1, self.state.prompts[-1]
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        try:
            async for chunk in _chunks(request, reply, _usage(prompt)):
                await stream.write(f"data: {json.dumps(chunk)}\r\n\r\n".encode())
                self.state.usage[place] = chunk["usageMetadata"]
        except ConnectionError:
            self.state.withdrawn.append(prompt)
            self.notify()
        return stream


async def _chunks(
    request: web.Request, reply: Reply, usage: dict[str, int]
) -> AsyncIterator[dict[str, Any]]:
    """Each tells the tokens so far, as the vendor does."""
    thought = reply.thought
    async for word in spoken_words(reply):
        _count(usage, word, thought)
        thought = ""
        yield _chunk(request, word, usage)
    yield _chunk(request, "", usage, ended=True)


def _usage(prompt: dict[str, Any]) -> dict[str, int]:
    """The tokens of a request that has no answer yet; a token is a word."""
    asked = len(json.dumps(prompt).split())
    return {"promptTokenCount": asked, "candidatesTokenCount": 0, "totalTokenCount": asked}


def _count(usage: dict[str, int], text: str, thought: str) -> None:
    said, thoughts = len(text.split()), len(thought.split())
    usage["candidatesTokenCount"] += said
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    usage["totalTokenCount"] += said + thoughts


def _chunk(
    request: web.Request, text: str, usage: dict[str, int], *, ended: bool = False
) -> dict[str, Any]:
    candidate: dict[str, Any] = {
        "content": {"parts": [{"text": text}], "role": "model"},
        "index": 0,
    }
    if ended:
        candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "modelVersion": request.match_info["model"],
        "responseId": "stand-in",
        "usageMetadata": dict(usage),
    }


def thinking_config(body: dict[str, Any]) -> dict[str, Any]:
    """How much a request wishes to be thought; Google takes names in snake and in camel case."""
    wish = (body.get("generationConfig") or {}).get("thinkingConfig") or {}
    return {re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", key): wish[key] for key in wish}


def _about(model: str) -> dict[str, Any]:
    methods = ["generateContent", "countTokens"]
    return {"name": f"models/{model}", "supportedGenerationMethods": methods}
