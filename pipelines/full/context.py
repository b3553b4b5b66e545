"""The context of a persona at LiveAvatar: made once, found again, and brought up to date."""

from liveavatar import LiveAvatar
from liveavatar.errors import LiveAvatarError
from liveavatar.records import Context, ContextEntry

from .texts import Texts


async def stored(live: LiveAvatar, texts: Texts) -> Context:
    """The context with these texts, by their name.

    Servers that ask at once get the same one.

    Raises:
        LiveAvatarError: it is not there, and cannot be made.
    """
    id = await _found(live, texts.name) or await _added(live, texts)
    context = await live.contexts.get(id)
    if (context.prompt, context.opening_text) != (texts.prompt, texts.opening):
        await live.contexts.change(id, prompt=texts.prompt, opening_text=texts.opening)
        context = await live.contexts.get(id)
    return context


async def _found(live: LiveAvatar, name: str) -> str | None:
    """The oldest context of a name: LiveAvatar may take a name twice."""
    same = [entry for entry in await live.contexts.all() if entry.name == name]
    return min(same, key=_age).id if same else None


def _age(entry: ContextEntry) -> tuple[str, str]:
    return str(entry.created_at or "~"), entry.id


async def _added(live: LiveAvatar, texts: Texts) -> str:
    try:
        own = await live.contexts.add(texts.name, texts.prompt, texts.opening)
    except LiveAvatarError:
        if other := await _found(live, texts.name):  # somebody was quicker
            return other
        raise
    first = await _found(live, texts.name) or own
    if first != own:
        await live.contexts.delete(own)
    return first
