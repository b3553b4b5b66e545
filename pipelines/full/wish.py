"""What LiveAvatar is asked for in a session that it runs (liveavatar-protocol: 2.2)."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from pydantic import ValidationError

from liveavatar import LiveAvatar
from liveavatar.errors import LiveAvatarError
from liveavatar.records import Context
from liveavatar.wire import AvatarPersona, Encoding, FullRequest, Quality, VideoSettings
from pipelines.errors import BadSetting
from pipelines.lent import LentMind, untold
from pipelines.likeness import avatar_id, longest_s
from pipelines.persona import FilledPersona, Persona
from pipelines.settings import Settings, environment_names

from .context import stored
from .refusal import limit
from .texts import DOLLAR, texts_of, variable

VOICE = "liveavatar"
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# What LiveAvatar answers of an id that there is not, or that is none: 422.
UNKNOWN = (400, 404, 422)
# The code of such a 400 (liveavatar-protocol: 1); None is that of an answer without envelope.
REFUSED_CODES = (None, 4000)
KINDS = {
    "liveavatar_context_id": "contexts",
    "liveavatar_voice_id": "voices",
    "liveavatar_llm_id": "llms",
}
T = TypeVar("T")

# Which setting a problem of a request is about, by a word in it.
BLAMED = {
    "dynamic_variables": "--var",
    "avatar_id": "LIVEAVATAR_AVATAR_ID",
}


def is_unknown(error: BaseException | None) -> bool:
    """Whether LiveAvatar refused a request for something that it has lost, as far as one knows.

    What it has given out itself is never malformed, so 422 says nothing of that.
    """
    if not isinstance(error, LiveAvatarError) or limit(error):
        return False
    return error.status == 404 or (error.status == 400 and error.code in REFUSED_CODES)


async def full_request(
    live: LiveAvatar,
    settings: Settings,
    persona: Persona,
    *,
    push_to_talk: bool = False,
    mind: LentMind | None = None,
) -> FullRequest:
    """A session with this persona, whose context is at LiveAvatar when this returns.

    `mind` is one of ours that LiveAvatar asks.

    Raises:
        BadSetting: something that is set is not there, or cannot be asked for.
        LiveAvatarError: LiveAvatar refuses, or does not answer.
    """
    context = await _context(live, settings, persona)
    if mind:
        _check_told(mind, settings, persona, context)
    llm_id = await mind.configuration(live) if mind else ""
    try:
        return FullRequest.model_validate(
            {
                "mode": "FULL",
                "avatar_id": avatar_id(settings, persona),
                "is_sandbox": settings.liveavatar_sandbox,
                "interactivity_type": "PUSH_TO_TALK" if push_to_talk else "CONVERSATIONAL",
                "video_settings": _video(settings),
                "max_session_duration": longest_s(settings),
                "avatar_persona": _persona(settings, persona, context),
                "llm_configuration_id": llm_id or settings.liveavatar_llm_id or None,
                "dynamic_variables": _variables(persona, context),
            }
        )
    except ValidationError as error:
        raise _unaskable(error) from None


async def _context(live: LiveAvatar, settings: Settings, persona: Persona) -> Context:
    """The context of the settings, as it is, else the persona's."""
    id = settings.liveavatar_context_id
    if not id:
        return await stored(live, texts_of(_raw(persona)))
    return await _known(live.contexts.get, "liveavatar_context_id", id)


def _raw(persona: Persona) -> Persona:
    return persona.raw if isinstance(persona, FilledPersona) else persona


def _check_told(mind: LentMind, settings: Settings, persona: Persona, context: Context) -> None:
    """See to it that our mind knows who it is from what LiveAvatar tells it, which is the context.

    Raises:
        BadSetting: it would answer no question.
    """
    prompt = context.prompt.replace(variable(DOLLAR), "$")
    if lacking := untold(_raw(persona), mind.given, prompt):
        raise BadSetting(
            f"LIVEAVATAR_CONTEXT_ID={settings.liveavatar_context_id}",
            f"is a context without the prompt of {persona.name}, who leaves {lacking} to each"
            " conversation, so that a mind of ours would not know what to answer",
            "leave it out, have the prompt in it, or start the server with --var",
        )


async def check_named(live: LiveAvatar, settings: Settings) -> None:
    """Find out whether there is what the settings name.

    Raises:
        BadSetting: there is not.
        LiveAvatarError: LiveAvatar does not say so.
    """
    shelves = {
        "liveavatar_context_id": live.contexts,
        "liveavatar_voice_id": live.voices,
        "liveavatar_llm_id": live.llms,
    }
    for field, shelf in shelves.items():
        if settings.is_set(field):
            await _known(shelf.get, field, getattr(settings, field))


async def _known(get: Callable[[str], Awaitable[T]], field: str, id: str) -> T:
    """What there is of an id that a setting has.

    Raises:
        BadSetting: nothing.
        LiveAvatarError: LiveAvatar does not say so.
    """
    try:
        return await get(id)
    except LiveAvatarError as error:
        if error.status not in UNKNOWN:
            raise
        name, kind = environment_names(field)[0], KINDS[field]
        fix = f"leave it out, or take one of those that `avatar account {kind}` lists"
        raise BadSetting(f"{name}={id}", "is not known to LiveAvatar", fix) from None


def _variables(persona: Persona, context: Context) -> Mapping[str, str]:
    """What fills the context's variables.

    Raises:
        BadSetting: one has no value.
    """
    own = persona.values if isinstance(persona, FilledPersona) else {}
    values = {DOLLAR: "$", **own}
    named = VARIABLE.findall(f"{context.prompt} {context.opening_text}")
    wanted = {*context.required_dynamic_variables, *named}
    lacking = ", ".join(sorted(wanted - values.keys()))
    if lacking:
        raise BadSetting(
            f"The context {context.name!r} at LiveAvatar",
            f"has variables without a value ({lacking})",
            "give --var NAME=VALUE, or list them in AVATAR_VISITOR_VARIABLES and send them with"
            " /start",
        )
    return {name: values[name] for name in wanted}


def _video(settings: Settings) -> VideoSettings:
    quality, codec = settings.liveavatar_quality, settings.liveavatar_codec
    return VideoSettings(quality=Quality(quality), encoding=Encoding(codec))


def _persona(settings: Settings, persona: Persona, context: Context) -> AvatarPersona:
    voice = settings.liveavatar_voice_id or persona.voice_with(VOICE)
    return AvatarPersona(
        voice_id=voice or None, context_id=context.id, language=persona.language or "en"
    )


def _unaskable(error: ValidationError) -> BadSetting:
    first = error.errors(include_input=False, include_url=False)[0]
    place = str(first["loc"][0]) if first["loc"] else ""
    where = ".".join(map(str, first["loc"]))
    name = BLAMED.get(place, "What is asked of LiveAvatar")
    return BadSetting(name, f"cannot be sent to LiveAvatar ({where}: {first['msg']})", "change it")
