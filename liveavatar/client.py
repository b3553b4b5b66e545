"""LiveAvatar for programs: every call of its REST API, typed, without a framework.

>>> async with aiohttp.ClientSession() as http:
...     live = LiveAvatar(http, key)
...     print(await live.credits(), [voice.name for voice in await live.voices.own()])
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import aiohttp

from liveavatar.records import Credits, Language, Page, SessionEntry, Started, Transcript
from liveavatar.resources import (
    Avatars,
    Contexts,
    Embeds,
    LLMs,
    Memories,
    Secrets,
    Shelf,
    Voices,
)
from liveavatar.rest import ROOT, TIMEOUT_S, Rest, path_of
from liveavatar.wire import EndReason, FullRequest, LiteRequest, TokenData

SESSIONS = "/v1/sessions"


class LiveAvatar:
    """An account at LiveAvatar, or at a server like it.

    Every method raises LiveAvatarError. Nothing is asked twice, and nothing logs the key.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        key: str,
        base_url: str = ROOT,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """An account, for as long as `http` is open; the arguments are those of `Rest`."""
        self._rest = rest = Rest(http, key, base_url, timeout_s)
        self.avatars = Avatars(rest)
        self.voices = Voices(rest)
        self.contexts = Contexts(rest)
        self.secrets = Secrets(rest)
        self.llms = LLMs(rest)
        self.memories = Memories(rest)
        self.embeds = Embeds(rest)
        self.sessions = Sessions(rest)

    async def credits(self) -> Decimal:
        """What is left: a minute of FULL takes two, one of LITE one."""
        return (await self._rest.ask(Credits, "GET", "/v1/users/credits")).credits_left

    async def languages(self) -> list[Language]:
        """The languages that avatars speak."""
        return (await self._rest.ask(Page[Language], "GET", "/v1/languages")).results

    async def send_feedback(self, feedback: Mapping[str, str]) -> None:
        """Tell LiveAvatar something: `use_case`, `blockers` and `additional_feedback`."""
        await self._rest.tell("POST", "/v1/feedback/agents", {"feedback_data": dict(feedback)})


class Sessions(Shelf):
    """Sessions (2): `FullSession` goes through one from its beginning to its end."""

    async def token(self, request: FullRequest | LiteRequest) -> TokenData:
        """A session that is not begun, and the token to begin it with, once."""
        body = request.model_dump(mode="json", exclude_none=True)
        return await self._rest.ask(TokenData, "POST", f"{SESSIONS}/token", body)

    async def start(self, session_token: str) -> Started:
        """Begin a session, from when on it costs credits; its room is open then."""
        return await self._rest.ask(Started, "POST", f"{SESSIONS}/start", token=session_token)

    async def keep_alive(self, id: str) -> None:
        """Say that a session is still wanted; without, it ends after five minutes."""
        await self._rest.tell("POST", f"{SESSIONS}/keep-alive", {"session_id": id})

    async def stop(self, id: str, reason: EndReason = EndReason.USER_CLOSED) -> None:
        """End a session, be it over already or not begun yet, as often as one likes."""
        body = {"session_id": id, "reason": str(reason)}
        await self._rest.tell("POST", f"{SESSIONS}/stop", body)

    async def all(
        self,
        type: Literal["active", "historic"],
        avatar_id: str | None = None,
        context_id: str | None = None,
        embed_id: str | None = None,
    ) -> list[SessionEntry]:
        """Those that run, or that are over."""
        query = {"type": type, "avatar_id": avatar_id}
        query |= {"context_id": context_id, "embed_id": embed_id}
        return await self._rest.every(Page[SessionEntry], SESSIONS, query)

    async def get(self, id: str) -> SessionEntry:
        """One session."""
        return await self._rest.ask(SessionEntry, "GET", path_of(SESSIONS, id))

    async def transcript(
        self, id: str, since: int | None = None, until: int | None = None
    ) -> Transcript:
        """What was said from one timestamp on and before another."""
        path = path_of(SESSIONS, id, "transcript")
        query = {"start_timestamp": since, "end_timestamp": until}
        return await self._rest.ask(Transcript, "GET", path, query=query)

    async def forget(self, id: str) -> None:
        """Have what was said deleted, for good."""
        await self._rest.tell("DELETE", path_of(SESSIONS, id, "events"))
