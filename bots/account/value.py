"""A secret's value: from a setting or standard input, never from the command line."""

import getpass
import sys

from pipelines.errors import MissingSetting, UserError
from pipelines.settings import Settings, environment_names

# The settings that hold what LiveAvatar calls by these types.
SETTINGS = {
    "ELEVENLABS_API_KEY": "elevenlabs_api_key",
    "CARTESIA_API_KEY": "cartesia_api_key",
    "GEMINI_API_KEY": "google_api_key",
}
TYPES = ("OPENAI_API_KEY", *SETTINGS, "LLM_API_KEY")
WHY = (
    "The value of a secret is read from standard input, unseen when it is typed: on the command"
    " line it would stand in the history of your shell."
)


def setting_of(type: str) -> str:
    """The name of the setting that holds a type of secret, "" if there is none."""
    return environment_names(SETTINGS[type])[0] if type in SETTINGS else ""


def of_setting(type: str, settings: Settings) -> str:
    """The value that the settings have of a type.

    Raises:
        UserError: there is no setting of this type, or it is empty.
    """
    if type not in SETTINGS:
        known = ", ".join(SETTINGS)
        raise UserError(f"No setting holds a secret of type {type}", f"--setting is for {known}")
    if not settings.is_set(SETTINGS[type]):
        raise MissingSetting("--setting", [setting_of(type)], None)
    return getattr(settings, SETTINGS[type]).get_secret_value()


def typed(what: str) -> str:
    """A line of standard input, unseen when it is typed.

    Raises:
        UserError: it is empty, or more than a line.
    """
    try:
        text = getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.read()
    except (EOFError, UnicodeDecodeError):
        text = ""
    value = text.strip()
    if not value or not value.isprintable():
        raise UserError(f"{what} is not given", "give it on standard input, as one line of text")
    return value
