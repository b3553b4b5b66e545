"""A persona as LiveAvatar keeps it: the texts of a context (liveavatar-protocol: 5)."""

import re
from dataclasses import dataclass
from string import Template

from pipelines.persona import Persona

# Stands for a dollar sign that would otherwise begin a variable, and is filled as one.
DOLLAR = "avatar_dollar"


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


def variable(name: str) -> str:
    """A variable as LiveAvatar reads it."""
    return f"${{{name}}}"


def _in_braces(text: str, name: str) -> str:
    """A text as LiveAvatar fills it, which knows `${guest}`, no `$guest` and no `$$`."""

    def written(found: re.Match[str]) -> str:
        named = found["named"] or found["braced"]
        if named == "name":
            return name
        if named:
            return variable(named)
        begins = text[found.end() : found.end() + 1] in ("{", "$")
        return variable(DOLLAR) if begins else "$"

    return Template.pattern.sub(written, text)
