"""Embeds: pages with an avatar, and the FULL sessions of who opens them (liveavatar-protocol: 5).

What each page is made of is kept on a shelf; these are plain functions of such a record.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from uuid import UUID

from liveavatar.wire import AvatarPersona, FullRequest, VoiceAgent
from sandbox.avatars import pack_of
from sandbox.bodies import NewEmbed
from sandbox.shelves import Record
from sandbox.variables import check_givable, required

# Shape and width of a frame, and where it is: in the text of a page, or in a corner of it.
SHAPES = {
    "horizontal": "aspect-ratio: 16/9; width: min(100%, 60rem);",
    "vertical": "aspect-ratio: 9/16; width: min(100%, 26rem);",
}
PLACES = {
    "DEFAULT": "border: none;",
    "WIDGET": "border: none; position: fixed; inset: auto 1rem 1rem auto; max-width: 90vw;",
}
PERMISSIONS = "microphone; screen-wake-lock"


def wish_of(embed: NewEmbed | Record, variables: Mapping[str, str]) -> FullRequest:
    """The session that a visitor of an embed asks for, whatever fills the context's variables."""
    made = embed if isinstance(embed, NewEmbed) else NewEmbed.model_validate(embed)
    persona = AvatarPersona(
        voice_id=made.voice_id, context_id=made.context_id, language=made.default_language
    )
    agent = VoiceAgent(id=made.voice_agent_id) if made.voice_agent_id else None
    return FullRequest(
        mode="FULL",
        avatar_id=made.avatar_id,
        is_sandbox=made.is_sandbox,
        max_session_duration=made.max_session_duration,
        avatar_persona=None if agent else persona,
        voice_agent=agent,
        dynamic_variables=dict(variables),
    )


def placeholders(context: Record | None) -> dict[str, str]:
    """Something for each variable of a context, which a page has once it is opened.

    Raises: BadRequest when no page can have them all.
    """
    texts = (context["prompt"], context["opening_text"]) if context else ()
    check_givable(*texts)
    return {name: name[:1000] for name in required(*texts)}


def frame(url: str, kind: str, orientation: str) -> str:
    """The HTML that shows a page within another one."""
    return (
        f'<iframe src="{escape(url)}" allow="{PERMISSIONS}" title="LiveAvatar Embed"'
        f' style="{SHAPES[orientation]} {PLACES[kind]}"></iframe>'
    )


def lineup(embed: Record, avatars: Iterable[Record]) -> dict[str, Any]:
    """What the page is told: who is there, and what is kept."""
    names = (avatar["name"] for avatar in avatars if avatar["id"] == embed["avatar_id"])
    return {
        "transport": "full",
        "persona": {"id": None, "name": next(names, None)},
        "personas": [],
        "poster": "portrait",
        "kept": {"transcripts": True, "where": "in the sandbox, until it forgets"},
    }


def pack_name(embed: Record) -> str:
    """The pack that stands in for an embed's avatar."""
    return pack_of(UUID(embed["avatar_id"]))
