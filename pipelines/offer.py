"""What a user may choose: who the avatar is and how it looks, by ids and never by a path."""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .errors import Incompatible, NotOffered
from .parts import Lineup, Part, values
from .persona import PACKAGED, Persona, load_persona
from .settings import Settings, environment_names


@dataclass(frozen=True)
class OfferedFace:
    """A face to choose; `source` is what its part calls it, `picture` a still one, 16:9."""

    id: str
    name: str
    source: str
    picture: Path | None


def offered_personas(settings: Settings, lineup: Lineup) -> dict[str, str]:
    """The personas to choose from, the default first: names or files by id.

    Whoever sets a persona means that one, so no other is offered beside it; and one that has no
    voice in this line-up is not offered.

    Raises:
        Incompatible: the persona that is set has no voice.
        BadSetting: one cannot be read.
    """
    sources = _sources(settings)
    lacking = unvoiced(settings, lineup)
    if lacking.keys() == sources.keys():
        raise next(iter(lacking.values()))
    return {name: source for name, source in sources.items() if name not in lacking}


def unvoiced(settings: Settings, lineup: Lineup) -> dict[str, Incompatible]:
    """Why the personas that would be offered if they had a voice are not, by id, with the fix.

    Raises:
        BadSetting: one cannot be read.
    """
    voice = lineup["tts"].part
    if settings.is_set(_voice_setting(voice)):  # everybody speaks with it
        return {}
    personas = {name: load_persona(source) for name, source in _sources(settings).items()}
    return {
        name: _why_unvoiced(persona, voice)
        for name, persona in personas.items()
        if not persona.has_voice(voice.value)
    }


def _why_unvoiced(persona: Persona, voice: Part) -> Incompatible:
    speaking = [f"TTS={row}" for row in values("tts") if persona.has_voice(row)]
    fixes = [*speaking, f"set {environment_names(_voice_setting(voice))[0]}"]
    problem = f"{persona.name} has no voice with {voice.choice}"
    return Incompatible(problem, f"use {', or '.join(fixes)}")


def _voice_setting(voice: Part) -> str:
    """The setting that gives everybody one voice of this part."""
    names = (f"{voice.value}_voice", f"{voice.value}_voice_id")
    return next(name for name in names if name in Settings.model_fields)


def _sources(settings: Settings) -> dict[str, str]:
    default = settings.avatar_persona
    others = [] if "avatar_persona" in settings.model_fields_set else _packaged()
    return {_id(source): source for source in dict.fromkeys([default, *others])}


def persona_asked(settings: Settings, lineup: Lineup, asked: object = None) -> Persona:
    """The persona of an id, the default one for None; in the language that is set.

    Raises:
        NotOffered: it is not offered.
        Incompatible: the persona that is set has no voice.
        BadSetting: it cannot be read.
    """
    offered = offered_personas(settings, lineup)
    wanted = next(iter(offered)) if asked is None else asked
    if not isinstance(wanted, str) or wanted not in offered:
        raise NotOffered("persona", wanted, offered)
    return _load(settings, offered[wanted])


def every_persona(settings: Settings) -> list[Persona]:
    """Everybody who could be chosen, whoever speaks for them; in the language that is set.

    Raises:
        BadSetting: one cannot be read.
    """
    return list(personas_by_id(settings).values())


def personas_by_id(settings: Settings) -> dict[str, Persona]:
    """The same by their ids, the default first.

    Raises:
        BadSetting: one cannot be read.
    """
    return {id: _load(settings, source) for id, source in _sources(settings).items()}


def _load(settings: Settings, source: str) -> Persona:
    persona = load_persona(source)
    return replace(persona, language=settings.avatar_language or persona.language)


def offered_faces(settings: Settings, lineup: Lineup) -> Mapping[str, OfferedFace]:
    """The faces to choose from, by id; none where the face part has no pictures of them.

    Raises:
        BadSetting: one that is set cannot be shown.
    """
    looks = _looks(lineup)
    personas = [load_persona(source) for source in offered_personas(settings, lineup).values()]
    return looks.faces(settings, personas) if looks else {}


def face_id(settings: Settings, lineup: Lineup, persona: Persona) -> str | None:
    """The face of a persona, None where faces cannot be chosen.

    Raises:
        BadSetting: it cannot be shown.
    """
    looks = _looks(lineup)
    return looks.face_id(settings, persona) if looks else None


def _looks(lineup: Lineup) -> Any:
    """What knows the faces of this line-up; None where there is nothing to choose."""
    named = lineup["avatar"].part.looks
    return importlib.import_module(named) if named else None


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
