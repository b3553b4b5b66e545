"""What a user may choose: who the avatar is and how it looks, by ids and never by a path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .errors import NotOffered
from .parts import Lineup, load
from .persona import PACKAGED, Persona, load_persona
from .settings import Settings


@dataclass(frozen=True)
class OfferedFace:
    """A face to choose; `source` is what its part calls it, `picture` a still one, 16:9."""

    id: str
    name: str
    source: str
    picture: Path | None


def offered_personas(settings: Settings) -> dict[str, str]:
    """The personas to choose from, the default first: names or files by id.

    Whoever sets a persona means that one, so no other is offered beside it.
    """
    default = settings.avatar_persona
    others = [] if "avatar_persona" in settings.model_fields_set else _packaged()
    return {_id(source): source for source in dict.fromkeys([default, *others])}


def persona_asked(settings: Settings, asked: object = None) -> Persona:
    """The persona of an id, the default one for None; in the language that is set.

    Raises:
        NotOffered: it is not offered.
        BadSetting: it cannot be read.
    """
    offered = offered_personas(settings)
    wanted = next(iter(offered)) if asked is None else asked
    if not isinstance(wanted, str) or wanted not in offered:
        raise NotOffered("persona", wanted, offered)
    persona = load_persona(offered[wanted])
    return replace(persona, language=settings.avatar_language or persona.language)


def offered_faces(settings: Settings, lineup: Lineup) -> Mapping[str, OfferedFace]:
    """The faces to choose from, by id; none where the face part has no pictures of them.

    Raises:
        BadSetting: one that is set cannot be shown.
    """
    module = load(lineup["avatar"].part)
    personas = [load_persona(source) for source in offered_personas(settings).values()]
    return module.faces(settings, personas) if hasattr(module, "faces") else {}


def face_id(settings: Settings, lineup: Lineup, persona: Persona) -> str | None:
    """The face of a persona, None where faces cannot be chosen.

    Raises:
        BadSetting: it cannot be shown.
    """
    module = load(lineup["avatar"].part)
    return module.face_id(settings, persona) if hasattr(module, "face_id") else None


def with_face(settings: Settings, lineup: Lineup, persona: Persona, asked: object) -> Persona:
    """The persona with the face of an id, or with its own for None.

    Raises:
        NotOffered: it is not offered.
    """
    if asked is None:
        return persona
    offered = offered_faces(settings, lineup)
    if not isinstance(asked, str) or asked not in offered:
        raise NotOffered("avatar", asked, offered)
    faces = {**persona.avatar, lineup["avatar"].part.value: offered[asked].source}
    return replace(persona, avatar=faces)


def _packaged() -> list[str]:
    return sorted(path.stem for path in PACKAGED.glob("*.yaml"))


def _id(source: str) -> str:
    """A persona's id: its name, or that of its file without the folder."""
    return re.sub(r"[^\w-]+", "-", Path(source).stem)
