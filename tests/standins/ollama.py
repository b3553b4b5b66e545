"""Ollama, and with it any OpenAI-compatible endpoint: chat completions written beforehand.

Not imitated: Ollama's own `/api/chat`, tools, and the OpenAI parameters of a request. A token is
a word.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standins.replies import Reply, as_replies, spoken_words
from tests.standins.server import Server, body_of

COMPLETIONS = "/v1/chat/completions"


@dataclass
class OllamaState:
    """The replies still to give, bodies of the requests that asked for one, models in memory.

    `read` is what of each request's messages the model got to read.
    """

    replies: deque[Reply]
    prompts: list[dict[str, Any]]
    loaded: list[str] = field(default_factory=list)
    read: list[list[dict[str, Any]]] = field(default_factory=list)

    def last_user_text(self) -> str:
        """What the user said last, in the latest request."""
        turns = [turn for turn in self.prompts[-1]["messages"] if turn["role"] == "user"]
        return turns[-1]["content"]


class Ollama(Server):
    """Ollama's model list and its `/v1` endpoints; without a `key` every caller is welcome.

    Models called "…embed…" cannot chat. `roles` is what the model's template takes: "any", "turns"
    for user and assistant in turns after one system message, "no system" for turns alone. A request
    of more words than `window` loses its oldest messages, as Ollama does it.
    """

    def __init__(
        self,
        key: str | None = None,
        replies: Iterable[Reply | str] = (),
        models: Sequence[str] = ("llama3.2:latest",),
        roles: str = "any",
        window: int = 1_000_000,
    ) -> None:
        super().__init__(
            [
                web.get("/api/tags", self._tags),
                web.post("/api/generate", self._load),
                web.post("/api/show", self._show),
                web.get("/v1/models", self._models),
                web.post(COMPLETIONS, self._complete),
            ]
        )
        self.key = key
        self.models = models
        self.roles = roles
        self.window = window
        self.state = OllamaState(as_replies(replies), [])

    @property
    def openai_url(self) -> str:
        """What an OpenAI client takes as its `base_url`."""
        return f"{self.url}/v1"

    def unused(self) -> list[str]:
        """Replies nobody asked for, besides the faults."""
        return super().unused() + [f"'{reply.text}'" for reply in self.state.replies]

    def refuse(self, request: web.Request) -> web.Response | None:
        """Check the bearer when there is a key to check against."""
        if self.key is None or request.headers.get("Authorization") == f"Bearer {self.key}":
            return None
        return self.error(401, "Incorrect API key provided.")

    def error(self, status: int, message: str) -> web.Response:
        """OpenAI's error envelope."""
        code = "invalid_api_key" if status == 401 else None
        error = {"message": message, "type": "api_error", "param": None, "code": code}
        return web.json_response({"error": error}, status=status)

    async def _tags(self, _: web.Request) -> web.Response:
        models = [{"name": name, "model": name, "size": 1} for name in self.models]
        return web.json_response({"models": models})

    async def _load(self, request: web.Request) -> web.Response:
        """A request without a prompt loads the model; others are not imitated."""
        body = await body_of(request)
        if body["model"] not in self.models or body.get("prompt"):
            return self.error(404, f"model '{body['model']}' not found")
        self.state.loaded.append(body["model"])
        self.notify()
        return web.json_response({"model": body["model"], "response": "", "done": True})

    async def _models(self, _: web.Request) -> web.Response:
        models = [{"id": name, "object": "model", "owned_by": "library"} for name in self.models]
        return web.json_response({"object": "list", "data": models})

    async def _show(self, request: web.Request) -> web.Response:
        able = "embedding" if "embed" in (await body_of(request))["model"] else "completion"
        return web.json_response({"capabilities": [able]})

    def _refusal(self, body: dict[str, Any]) -> web.Response | None:
        """What the model's template says to these messages."""
        if "embed" in body["model"]:
            return self.error(400, f'"{body["model"]}" does not support chat')
        roles = [message["role"] for message in body["messages"]]
        if self.roles == "no system" and "system" in roles:
            return self.error(400, "System role not supported")
        turns = roles[1:] if roles[:1] == ["system"] else roles
        if self.roles == "any" or turns == (["user", "assistant"] * len(turns))[: len(turns)]:
            return None
        return self.error(400, "Conversation roles must alternate user/assistant/user/…")

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await body_of(request)
        self.state.prompts.append(body)
        if body["model"] not in self.models:
            return self.error(404, f'model "{body["model"]}" not found, try pulling it first')
        if refusal := self._refusal(body):
            return refusal
        self.state.read.append(_last(body["messages"], self.window))
        self.notify()
        if not self.state.replies:
            self.unmatched.append(f"POST {COMPLETIONS} without a scripted reply")
            return self.error(400, "No reply is scripted.")
        reply = self.state.replies.popleft()
        if body.get("stream"):
            return await _stream(request, _chunks(reply, body))
        await asyncio.sleep(reply.delay_s)
        return web.json_response(_completion(reply, body))


def _last(messages: list[dict[str, Any]], window: int) -> list[dict[str, Any]]:
    """The messages from the first on from which all fit into a window of so many words."""
    words = [len(str(message["content"]).split()) for message in messages]
    start = next((at for at in range(len(words)) if sum(words[at:]) <= window), len(words))
    return messages[start:]


async def _stream(
    request: web.Request, chunks: AsyncIterator[dict[str, Any]]
) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    with suppress(ConnectionError):  # who asked may have left
        async for chunk in chunks:
            await stream.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await stream.write(b"data: [DONE]\n\n")
    return stream


async def _chunks(reply: Reply, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    head = _head(body) | {"object": "chat.completion.chunk"}
    for word in reply.thought.split():
        delta = {"role": "assistant", "content": "", "reasoning_content": f"{word} "}
        yield head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    async for word in spoken_words(reply):
        delta = {"role": "assistant", "content": word}
        yield head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    if body.get("stream_options", {}).get("include_usage"):
        yield head | {"choices": [], "usage": _usage(reply, body)}


def _completion(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = _head(body) | {"object": "chat.completion"}
    return head | {"choices": [choice], "usage": _usage(reply, body)}


def _head(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "created": 1767225600, "model": body["model"]}


def _usage(reply: Reply, body: dict[str, Any]) -> dict[str, int]:
    asked = sum(len(str(message["content"]).split()) for message in body["messages"])
    answered = len(reply.text.split())
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
    }
