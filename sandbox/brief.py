"""What a FULL session is about: what its request names, looked up and filled in."""

from dataclasses import dataclass, field
from typing import Any

from liveavatar.voicing import ElevenLabsVoicing, Voicing
from liveavatar.wire import AvatarPersona, FullRequest
from sandbox.account import Account
from sandbox.avatars import pack_of, pack_of_voice
from sandbox.errors import BadRequest, NotFound
from sandbox.shelves import Record, Shelf, Shelves
from sandbox.variables import check, filled

LANGUAGE = "en"
# Where a configuration without an address sends its questions, by the type of its secret.
ADDRESSES = {"GEMINI_API_KEY": "https://generativelanguage.googleapis.com/v1beta/openai"}
USUAL_ADDRESS = "https://api.openai.com/v1"
# What `voice_settings` call the provider of a voice, by the type of the secret it came with.
PROVIDERS = {"ELEVENLABS_API_KEY": "elevenLabs", "CARTESIA_API_KEY": "cartesia"}
# Lines of an earlier session that the mind is told of.
REMEMBERED = 40


@dataclass(frozen=True)
class CustomLLM:
    """A model of the client's own, behind OpenAI's protocol; `key` is "" when it is gone."""

    model: str
    base_url: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class CustomVoice:
    """A voice of the client's own at ElevenLabs; `key` is "" when it is gone."""

    id: str
    key: str = field(repr=False)
    settings: ElevenLabsVoicing | None = None


@dataclass(frozen=True)
class Brief:
    """Everything an agent needs to know.

    Without a context (`prompt` is None) it only writes down and repeats. `notes` are what prompt
    and links say, `pack` the face, `voice` the pack whose voice speaks, where there is no `own`
    one or it fails.
    """

    pack: str
    voice: str
    prompt: str | None = None
    notes: str = ""
    opening: str = ""
    llm: CustomLLM | None = None
    own: CustomVoice | None = None
    push_to_talk: bool = False


def brief_of(request: FullRequest, shelves: Shelves, account: Account) -> Brief:
    """What a request asks for.

    Raises:
        BadRequest: it names something that does not exist, or leaves a variable without a value.
    """
    persona = request.avatar_persona
    if request.voice_agent:
        raise BadRequest(f"voice_agent: {NotFound('Voice agent').message}")
    if persona and persona.language.lower().split("-")[0] != LANGUAGE:
        raise BadRequest(
            f"avatar_persona: this server hears and speaks {LANGUAGE} only, not {persona.language}"
        )
    voice = _voice(persona, shelves)
    context = persona.context_id if persona else None
    pack = pack_of(request.avatar_id)
    parts: dict[str, Any] = {
        "pack": pack,
        "voice": (voice and pack_of_voice(voice["id"])) or _default_voice(request, shelves) or pack,
        "own": _own_voice(voice, persona.voice_settings if persona else None, shelves),
        "llm": _llm(request.llm_configuration_id, shelves),
        "push_to_talk": request.interactivity_type == "PUSH_TO_TALK",
    }
    earlier = _earlier(request.memory or {}, shelves, account)
    if context:
        parts |= _texts(_named(shelves.contexts, context), request.dynamic_variables, earlier)
    return Brief(**parts)


def _named(shelf: Shelf, id_: str) -> Record:
    try:
        return shelf.get(id_)
    except NotFound as error:
        raise BadRequest(error.message) from None


def _default_voice(request: FullRequest, shelves: Shelves) -> str | None:
    """The pack whose voice an avatar has; None for an avatar that is not listed."""
    listed = (a for a in shelves.avatars.all() if a["id"] == str(request.avatar_id))
    chosen = (next(listed, None) or {}).get("default_voice")
    return pack_of_voice(chosen["id"]) if chosen else None


def _voice(persona: AvatarPersona | None, shelves: Shelves) -> Record | None:
    return _named(shelves.voices, persona.voice_id) if persona and persona.voice_id else None


def _own_voice(
    voice: Record | None, settings: Voicing | None, shelves: Shelves
) -> CustomVoice | None:
    """The voice that ElevenLabs speaks; this server's own take any settings, and heed none.

    Raises: BadRequest for settings of a provider that the voice is not of.
    """
    provider = PROVIDERS.get((voice or {}).get("secret_type", ""))
    if not (voice and provider):
        return None
    if settings and settings.provider != provider:
        raise BadRequest(
            f"voice_settings: they are for {settings.provider}, and the voice is of {provider}"
        )
    if provider != PROVIDERS["ELEVENLABS_API_KEY"]:
        return None
    theirs = settings if isinstance(settings, ElevenLabsVoicing) else None
    return CustomVoice(voice["provider_voice_id"], _key(voice["secret_id"], shelves), theirs)


def _key(secret_id: str, shelves: Shelves) -> str:
    """The value of a secret; "" of one that is deleted, which breaks who uses it (section 5)."""
    try:
        return shelves.secrets.get(secret_id)["secret_value"]
    except NotFound:
        return ""


def _texts(context: Record, values: dict[str, str], earlier: str) -> dict[str, str]:
    prompt, opening, links = context["prompt"], context["opening_text"], context["links"] or []
    check(values, prompt, opening)
    told = filled(prompt, values)
    faqs = [link.get("faq") or "" for link in links]
    pages = [": ".join(filter(None, (link["url"], link.get("faq")))) for link in links]
    parts = [told, "Pages to draw on:\n" + "\n".join(pages) if pages else "", earlier]
    return {
        "prompt": "\n\n".join(part for part in parts if part),
        "notes": "\n".join([told, *faqs]),
        "opening": filled(opening, values),
    }


def _llm(id_: str | None, shelves: Shelves) -> CustomLLM | None:
    if not id_:
        return None
    record = _named(shelves.llms, id_)
    try:
        secret = shelves.secrets.get(record["secret_id"])
    except NotFound:  # breaks who uses it, silently (section 5)
        secret = {"secret_value": "", "secret_type": ""}
    address = record["base_url"] or ADDRESSES.get(secret["secret_type"], USUAL_ADDRESS)
    return CustomLLM(record["model_name"], address, secret["secret_value"])


def _earlier(memory: dict[str, str | None], shelves: Shelves, account: Account) -> str:
    """What was said in the session that is remembered. Raises: BadRequest on a mismatch (2.2)."""
    id_, session_id = memory.get("session_memory_id"), memory.get("prev_session_id")
    if not id_:
        return ""
    remembered = _named(shelves.memories, id_)["session_id"]
    if session_id not in (None, remembered):
        raise BadRequest("memory: session_memory_id is not of prev_session_id")
    session = account.sessions.get(remembered)
    lines = session.transcript[-REMEMBERED:] if session else []
    said = "\n".join(f"{line['role']}: {line['transcript']}" for line in lines)
    return f"Said in an earlier conversation:\n{said}" if said else ""
