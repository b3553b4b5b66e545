"""A persona as LiveAvatar keeps it: the texts of a context (liveavatar-protocol: 5)."""

import re
from dataclasses import dataclass
from string import Template

from pipelines.persona import Persona


@dataclass(frozen=True)
class Texts:
    """A context, by its name at LiveAvatar; its `${variables}` are filled by each session."""

    name: str
    prompt: str
    opening: str


def texts_of(persona: Persona) -> Texts:
    """The context of a persona whose variables are not filled."""
    prompt, opening = (
        _in_braces(text, persona.name) for text in (persona.prompt, persona.greeting)
    )
    return Texts(f"{persona.name} (avatar)", prompt, opening)


def _in_braces(text: str, name: str) -> str:
    """A text as LiveAvatar fills it, which knows `${guest}`, no `$guest` and no `$$`."""

    def written(found: re.Match[str]) -> str:
        variable = found["named"] or found["braced"]
        if variable == "name":
            return name
        return f"${{{variable}}}" if variable else "$"

    return Template.pattern.sub(written, text)
