"""What an account holds beside its sessions, a class for each kind (liveavatar-protocol: 5).

Every method raises LiveAvatarError. What is created is named by the id that is returned; what is
changed is read again by who needs it, since no source says what LiveAvatar answers to a change.
"""

from collections.abc import Sequence
from typing import Any, Literal

from liveavatar.records import (
    LLM,
    Avatar,
    Context,
    ContextEntry,
    Embed,
    Link,
    Made,
    Memory,
    Page,
    Preview,
    Secret,
    Voice,
)
from liveavatar.rest import Rest, path_of

AVATARS, VOICES, CONTEXTS = "/v1/avatars", "/v1/voices", "/v1/contexts"
SECRETS, LLMS, MEMORY = "/v1/secrets", "/v1/llm-configurations", "/v1/memory"


class Shelf:
    """One kind of things."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def _add(self, path: str, body: dict[str, Any], hidden: str = "") -> str:
        return (await self._rest.ask(Made, "POST", path, body, hidden=hidden)).id


class Avatars(Shelf):
    """Faces. There is no call that makes one."""

    async def public(self) -> list[Avatar]:
        """Those that everybody can have."""
        return await self._rest.every(Page[Avatar], f"{AVATARS}/public")

    async def own(self) -> list[Avatar]:
        """The account's."""
        return await self._rest.every(Page[Avatar], AVATARS)

    async def get(self, id: str) -> Avatar:
        """One avatar."""
        return await self._rest.ask(Avatar, "GET", path_of(AVATARS, id))

    async def change(
        self, id: str, name: str | None = None, default_voice_id: str | None = None
    ) -> None:
        """Rename it, or give it another voice."""
        body = {"name": name, "default_voice_id": default_voice_id}
        await self._rest.tell("PATCH", path_of(AVATARS, id), body)

    async def delete(self, id: str) -> None:
        """Take it off the list."""
        await self._rest.tell("DELETE", path_of(AVATARS, id))


class Voices(Shelf):
    """Voices, for FULL."""

    async def public(self) -> list[Voice]:
        """Those that everybody can have."""
        return await self._rest.every(Page[Voice], VOICES, {"voice_type": "public"})

    async def own(self) -> list[Voice]:
        """The account's."""
        return await self._rest.every(Page[Voice], VOICES, {"voice_type": "private"})

    async def get(self, id: str) -> Voice:
        """One voice."""
        return await self._rest.ask(Voice, "GET", path_of(VOICES, id))

    async def preview(self, id: str) -> bytes:
        """An audio file of it."""
        path = path_of(VOICES, id, "preview")
        return (await self._rest.ask(Preview, "GET", path)).audio_base64

    async def add(self, provider_voice_id: str, secret_id: str, name: str | None = None) -> str:
        """Take over a voice of the vendor whose key the secret is: its id here.

        LiveAvatar does not check the vendor's id, and takes the same voice over twice.
        """
        body = {"provider_voice_id": provider_voice_id, "secret_id": secret_id, "name": name}
        return await self._add(f"{VOICES}/third_party", body)

    async def change(self, id: str, name: str) -> None:
        """Rename it: 1 to 64 characters."""
        await self._rest.tell("PATCH", path_of(VOICES, id), {"name": name})

    async def delete(self, id: str) -> None:
        """Forget it."""
        await self._rest.tell("DELETE", path_of(VOICES, id))


class Contexts(Shelf):
    """What avatars know, for FULL and for the agents of OpenAI and Gemini."""

    async def all(self) -> list[ContextEntry]:
        """Every context, without its texts."""
        return await self._rest.every(Page[ContextEntry], CONTEXTS)

    async def get(self, id: str) -> Context:
        """One context, whole."""
        return await self._rest.ask(Context, "GET", path_of(CONTEXTS, id))

    async def add(
        self, name: str, prompt: str, opening_text: str = "", links: Sequence[Link] = ()
    ) -> str:
        """A new one; names are unique."""
        return await self._add(CONTEXTS, _context(name, prompt, opening_text, links))

    async def change(
        self,
        id: str,
        name: str | None = None,
        prompt: str | None = None,
        opening_text: str | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        """Change what is given; the rest is read first, since a change takes all of it."""
        old = await self.get(id)
        body = _context(
            old.name if name is None else name,
            old.prompt if prompt is None else prompt,
            old.opening_text if opening_text is None else opening_text,
            old.links if links is None else links,
        )
        await self._rest.tell("PATCH", path_of(CONTEXTS, id), body)

    async def delete(self, id: str) -> None:
        """Forget it."""
        await self._rest.tell("DELETE", path_of(CONTEXTS, id))


class Secrets(Shelf):
    """Keys of other vendors, whose values never come back."""

    async def all(self) -> list[Secret]:
        """Every secret, without its value."""
        return (await self._rest.ask(Page[Secret], "GET", SECRETS)).results

    async def add(self, name: str, value: str, type: str) -> str:
        """Keep one.

        Args:
            name: 1 to 255 characters.
            value: what no error will repeat.
            type: OPENAI_API_KEY, ELEVENLABS_API_KEY, GEMINI_API_KEY, CARTESIA_API_KEY or
                LLM_API_KEY.
        """
        body = {"secret_name": name, "secret_value": value, "secret_type": type}
        return await self._add(SECRETS, body, hidden=value)

    async def delete(self, id: str) -> None:
        """Forget it; what uses it fails from then on, and nobody is told."""
        await self._rest.tell("DELETE", path_of(SECRETS, id))


class LLMs(Shelf):
    """Language models of one's own, for FULL."""

    async def all(self) -> list[LLM]:
        """Every configuration, without its address."""
        return (await self._rest.ask(Page[LLM], "GET", LLMS)).results

    async def get(self, id: str) -> LLM:
        """One configuration."""
        return await self._rest.ask(LLM, "GET", path_of(LLMS, id))

    async def add(
        self,
        model_name: str,
        secret_id: str,
        display_name: str | None = None,
        base_url: str | None = None,
    ) -> str:
        """A new one; `base_url` is an endpoint of OpenAI's protocol that streams."""
        body = _llm(model_name, secret_id, display_name or model_name, base_url)
        return await self._add(LLMS, body)

    async def change(
        self,
        id: str,
        model_name: str | None = None,
        secret_id: str | None = None,
        display_name: str | None = None,
        base_url: str | None = None,
    ) -> None:
        """Change what is given."""
        body = _llm(model_name, secret_id, display_name, base_url)
        await self._rest.tell("PATCH", path_of(LLMS, id), body)

    async def delete(self, id: str) -> None:
        """Forget it."""
        await self._rest.tell("DELETE", path_of(LLMS, id))


class Memories(Shelf):
    """What is remembered of sessions."""

    async def all(self) -> list[Memory]:
        """Every memory."""
        return await self._rest.every(Page[Memory], MEMORY)

    async def get(self, id: str) -> Memory:
        """One memory."""
        return await self._rest.ask(Memory, "GET", path_of(MEMORY, id))

    async def add(self, session_id: str) -> str:
        """Remember a session."""
        return await self._add(MEMORY, {"memory_type": "session", "session_id": session_id})

    async def delete(self, id: str) -> None:
        """Forget it."""
        await self._rest.tell("DELETE", path_of(MEMORY, id))


class Embeds(Shelf):
    """Pages with an avatar, which LiveAvatar serves."""

    async def add(
        self,
        avatar_id: str,
        context_id: str | None = None,
        voice_id: str | None = None,
        voice_agent_id: str | None = None,
        type: Literal["DEFAULT", "WIDGET"] = "DEFAULT",
        max_session_duration: int | None = None,
        default_language: str = "en",
        is_sandbox: bool = False,
        orientation: Literal["horizontal", "vertical"] = "horizontal",
    ) -> Embed:
        """A new one: a voice agent, or a context and a voice. The duration is in seconds.

        No source knows a call that takes it away again.
        """
        body = {"avatar_id": avatar_id, "context_id": context_id, "voice_id": voice_id}
        body |= {"voice_agent_id": voice_agent_id, "type": type, "orientation": orientation}
        settings = {"is_sandbox": is_sandbox, "default_language": default_language}
        body |= settings | {"max_session_duration": max_session_duration}
        return await self._rest.ask(Embed, "POST", "/v2/embeddings", body)


def _context(name: str, prompt: str, opening: str, links: Sequence[Link]) -> dict[str, Any]:
    pages = [link.model_dump(exclude_none=True) for link in links]
    return {"name": name, "prompt": prompt, "opening_text": opening, "links": pages}


def _llm(
    model: str | None, secret_id: str | None, name: str | None, base_url: str | None
) -> dict[str, Any]:
    return {
        "model_name": model,
        "secret_id": secret_id,
        "display_name": name,
        "base_url": base_url,
    }
