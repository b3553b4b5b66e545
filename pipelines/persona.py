"""Who the avatar is: prompt, greeting, voice, face and language, in one YAML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import expanduser
from pathlib import Path
from string import Template
from typing import Any

import yaml

from .errors import BadSetting
from .text import clean

PACKAGED = Path(__file__).parent / "personas"
SETTING = "AVATAR_PERSONA"
# In C where PyYAML was built so, which takes a tenth of the time.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What a persona calls its voice with a part that has none for it.
NO_VOICE = "none"
PATIENCES = ("quick", "balanced", "patient")
FILLED = (
    *("prompt", "greeting", "lost", "unable", "still_there", "goodbye", "filler", "waiting"),
    *("welcome_back", "updating", "spent"),
)


@dataclass(frozen=True)
class Persona:
    """One persona. `voice` and `avatar` map a part's value ("piper") to what that part calls it.

    `lost` is what it says when its mind answers nothing, `unable` when a part of it fails for good.
    `patience` is how long a pause it grants: one of PATIENCES, or "" for the usual. `filler` is
    said when an answer takes long, `waiting` when it takes very long; "" for nothing.
    `welcome_back` is said to who had dropped, `updating` when the server is stopped, `spent` when
    it has cost as much as it may.
    """

    name: str = "Mira"
    prompt: str = ""
    greeting: str = ""
    lost: str = "Sorry, I lost my thread. Could you say that again?"
    unable: str = "Sorry, something of mine does not work right now."
    still_there: str = "Are you still there?"
    goodbye: str = "I will let you go now. Goodbye!"
    welcome_back: str = "We were cut off. I'm still here: where were we?"
    updating: str = "I'm being updated, so I have to stop here. Please call again in a minute!"
    spent: str = "My budget is used up, so I have to stop here. Goodbye!"
    voice: Mapping[str, str] = field(default_factory=dict)
    avatar: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    patience: str = ""
    filler: str = ""
    waiting: str = ""

    def has_voice(self, part: str) -> bool:
        """Whether a part can speak for it."""
        return self.voice.get(part) != NO_VOICE

    def voice_with(self, part: str) -> str:
        """What a part calls its voice; empty for the part's own."""
        return self.voice.get(part, "") if self.has_voice(part) else ""

    @property
    def variables(self) -> list[str]:
        """The names of the ${variables} in its texts, besides `name`."""
        names = (n for key in FILLED for n in Template(getattr(self, key)).get_identifiers())
        return sorted({name for name in names if name != "name"})

    def filled(self, variables: Mapping[str, str]) -> "FilledPersona":
        """This persona with every ${variable} of its texts filled in.

        Raises:
            BadSetting: a variable has no value, or a `$` stands alone.
        """
        values = {name: clean(value) for name, value in variables.items()} | {"name": self.name}
        kept = {key: getattr(self, key) for key in Persona.__dataclass_fields__}
        texts = {key: _fill(key, kept[key], values) for key in FILLED}
        return FilledPersona(**{**kept, **texts}, raw=self, values=values)


@dataclass(frozen=True)
class FilledPersona(Persona):
    """A persona whose variables are filled in: `raw` is what it was, `values` what filled it."""

    raw: Persona = field(default_factory=Persona)
    values: Mapping[str, str] = field(default_factory=dict)


def load_persona(name_or_file: str) -> Persona:
    """Read a persona: the name of a packaged one, or a file.

    Raises:
        BadSetting: the file cannot be read or does not describe a persona.
    """
    packaged = PACKAGED / f"{name_or_file}.yaml"
    path = packaged if packaged.is_file() else Path(expanduser(name_or_file))
    return _persona_of(_mapping_of(path), str(path))


def _mapping_of(path: Path) -> dict[str, Any]:
    where = f"{SETTING}={path}"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
    except OSError as error:
        names = ", ".join(sorted(p.stem for p in PACKAGED.glob("*.yaml")))
        raise BadSetting(
            where, f"cannot be read ({error.strerror})", f"give a file, or one of {names}"
        ) from None
    except UnicodeDecodeError:
        raise BadSetting(where, "is not text in UTF-8", "save it as UTF-8") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise BadSetting(where, f"is not valid YAML at line {line}", "mend that line") from None
    if not isinstance(content, dict):
        raise BadSetting(where, "describes no persona", f"start from {PACKAGED / 'mira.yaml'}")
    return content


def _persona_of(content: dict[str, Any], where: str) -> Persona:
    setting = f"{SETTING}={where}"
    known = tuple(Persona.__dataclass_fields__)
    for key, value in content.items():
        if key not in known:
            raise BadSetting(setting, f"has the unknown key '{key}'", f"use {', '.join(known)}")
        if key in ("voice", "avatar"):
            if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
                raise BadSetting(
                    setting, f"has a wrong '{key}'", "write `part: name` lines under it"
                )
        elif not isinstance(value, str):
            raise BadSetting(setting, f"has a '{key}' that is not text", "put it in quotes")
        elif key == "patience" and value not in PATIENCES:
            raise BadSetting(
                setting, f"has the unknown patience '{value}'", f"use {', '.join(PATIENCES)}"
            )
    return Persona(**{key: _clean(value) for key, value in content.items()})


def _clean(value: Any) -> Any:
    return clean(value).strip() if isinstance(value, str) else value


def _fill(key: str, text: str, values: Mapping[str, str]) -> str:
    try:
        return Template(text).substitute(values)
    except KeyError as error:
        name = error.args[0]
        raise BadSetting(
            f"{SETTING}: ${{{name}}} in its {key}",
            "has no value",
            f"give --var {name}=…, or list it in AVATAR_VISITOR_VARIABLES and send it with /start",
        ) from None
    except ValueError:
        raise BadSetting(
            f"{SETTING}: its {key}", "has a lone $", "write $$ for a dollar sign"
        ) from None
