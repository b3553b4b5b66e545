"""What there is at LiveAvatar: a row for each kind of things, with what can be done with it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from liveavatar import LiveAvatar, LiveAvatarError
from liveavatar.records import LLM, Avatar, ContextEntry, Record, Secret, Voice


@dataclass(frozen=True)
class Listed:
    """A line of a list; `public` things belong to everybody, None where there are none such."""

    record: Record
    public: bool | None = None

    def told(self) -> dict[str, Any]:
        """As JSON."""
        more = {} if self.public is None else {"public": self.public}
        return {**self.record.model_dump(mode="json"), **more}


@dataclass(frozen=True)
class Kind:
    """One kind of things.

    Attributes:
        one: what a single one is called.
        own: the account's.
        public: what everybody has; None where there is no such thing.
        find: one by its id; a LiveAvatarError of status 404 if it is not there.
        delete: forgets one by its id.
        name: what somebody has called one.
        detail: what else a list says of one.
    """

    one: str
    own: Callable[[LiveAvatar], Awaitable[Sequence[Record]]]
    find: Callable[[LiveAvatar, str], Awaitable[Record]]
    delete: Callable[[LiveAvatar, str], Awaitable[None]]
    name: Callable[[Any], str] = lambda record: record.name
    detail: Callable[[Any], Sequence[str | None]] = lambda record: ()
    public: Callable[[LiveAvatar], Awaitable[Sequence[Record]]] | None = None


def _avatar(avatar: Avatar) -> Sequence[str | None]:
    voice = avatar.default_voice
    return (
        avatar.type.lower(),
        "" if avatar.status == "ACTIVE" else avatar.status.lower(),
        "expired" if avatar.is_expired else "",
        f"voice {voice.name or voice.id}" if voice else "",
        avatar.error_message,
    )


def _voice(voice: Voice) -> Sequence[str | None]:
    return (voice.language, voice.gender, *voice.tags)


def _context(context: ContextEntry) -> Sequence[str | None]:
    changed = context.updated_at
    return (f"changed {changed.date()}" if changed else "",)


def _llm(llm: LLM) -> Sequence[str | None]:
    return (llm.model_name, llm.base_url, f"secret {llm.secret_id}" if llm.secret_id else "")


async def _secret(live: LiveAvatar, id: str) -> Secret:
    for secret in await live.secrets.all():
        if secret.id == id:
            return secret
    raise LiveAvatarError(404, None, "Secret not found")


KINDS = {
    "avatars": Kind(
        "avatar",
        own=lambda live: live.avatars.own(),
        public=lambda live: live.avatars.public(),
        find=lambda live, id: live.avatars.get(id),
        delete=lambda live, id: live.avatars.delete(id),
        detail=_avatar,
    ),
    "voices": Kind(
        "voice",
        own=lambda live: live.voices.own(),
        public=lambda live: live.voices.public(),
        find=lambda live, id: live.voices.get(id),
        delete=lambda live, id: live.voices.delete(id),
        detail=_voice,
    ),
    "contexts": Kind(
        "context",
        own=lambda live: live.contexts.all(),
        find=lambda live, id: live.contexts.get(id),
        delete=lambda live, id: live.contexts.delete(id),
        detail=_context,
    ),
    "llms": Kind(
        "LLM configuration",
        own=lambda live: live.llms.all(),
        find=lambda live, id: live.llms.get(id),
        delete=lambda live, id: live.llms.delete(id),
        name=lambda llm: llm.display_name or llm.model_name,
        detail=_llm,
    ),
    "secrets": Kind(
        "secret",
        own=lambda live: live.secrets.all(),
        find=_secret,
        delete=lambda live, id: live.secrets.delete(id),
        name=lambda secret: secret.secret_name,
        detail=lambda secret: (secret.secret_type,),
    ),
}


async def listed(live: LiveAvatar, kind: Kind, *, own: bool, public: bool) -> list[Listed]:
    """The account's things, what everybody has, or both; what is in both lists is everybody's."""
    if not kind.public:
        return [Listed(record) for record in await kind.own(live)]
    mine = {record.key: record for record in await kind.own(live)} if own else {}
    theirs = {record.key: record for record in await kind.public(live)} if public else {}
    rest = [Listed(record, False) for key, record in mine.items() if key not in theirs]
    return rest + [Listed(record, True) for record in theirs.values()]
