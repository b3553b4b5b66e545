"""Where transcripts are kept, and what happens when they cannot be."""

from pathlib import Path

from loguru import logger

from sessions.transcript import Transcript, why_not_kept

from .errors import BadSetting
from .settings import Settings

FIX = "give another folder, or none to keep none"


def folder(settings: Settings) -> Path | None:
    """The folder of the transcripts; None when none are kept.

    Raises:
        BadSetting: it is somebody's home, and there is no such home.
    """
    if settings.avatar_transcripts == "none":
        return None
    try:
        return Path(settings.avatar_transcripts).expanduser()
    except RuntimeError:
        raise _bad(settings, "is in a home that is not known") from None


def kept(settings: Settings) -> tuple[Settings, str]:
    """The settings, without transcripts where the default folder cannot be written, and why.

    Raises:
        BadSetting: a folder that was set cannot be written.
    """
    where = folder(settings)
    why = why_not_kept(where) if where else ""
    if not why:
        return settings, ""
    if "avatar_transcripts" in settings.model_fields_set:
        raise _bad(settings, f"cannot be written ({why})")
    return settings.model_copy(update={"avatar_transcripts": "none"}), (
        f"no transcripts are kept: {settings.avatar_transcripts}/ cannot be written here ({why});"
        " --transcripts FOLDER puts them elsewhere"
    )


def keep(transcript: Transcript, settings: Settings, conversation: str) -> None:
    """Keep a transcript; none is kept where only the default folder could not be written.

    Raises:
        BadSetting: a folder that was set cannot be written.
    """
    where = folder(settings)
    if not where:
        return
    try:
        transcript.keep_in(where, conversation)
    except OSError as error:
        if "avatar_transcripts" in settings.model_fields_set:
            raise _bad(settings, f"cannot be written ({error.strerror})") from None
        logger.warning(f"No transcript is kept: {where}/ cannot be written ({error.strerror}).")


def _bad(settings: Settings, problem: str) -> BadSetting:
    return BadSetting(f"AVATAR_TRANSCRIPTS={settings.avatar_transcripts}", problem, FIX)
