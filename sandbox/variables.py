"""The `${variables}` of a context's texts (liveavatar-protocol: section 5)."""

import re
from collections.abc import Mapping

from liveavatar.wire import LONGEST_NAME, MOST_VARIABLES
from sandbox.errors import BadRequest

# In braces only: prompts speak of prices.
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def required(*texts: str | None) -> list[str]:
    """The names that texts ask for, in order of the alphabet."""
    return sorted({name for text in texts for name in VARIABLE.findall(text or "")})


def filled(text: str | None, values: Mapping[str, str]) -> str:
    """A text with its variables; those that have no value stay as they are."""
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), text or "")


def check(values: Mapping[str, str], *texts: str | None) -> None:
    """Raises: BadRequest when a variable has no value; values that nothing asks for are ignored."""
    lacking = [name for name in required(*texts) if name not in values]
    if lacking:
        raise BadRequest(f"dynamic_variables: the context requires {', '.join(lacking)}")


def check_givable(*texts: str | None) -> None:
    """Raises: BadRequest when no session can be given all that texts ask for."""
    names = required(*texts)
    if len(names) > MOST_VARIABLES:
        raise BadRequest(
            f"context_id: the context requires {len(names)} variables, and a session is given"
            f" {MOST_VARIABLES} at most"
        )
    for name in names:
        if len(name) > LONGEST_NAME:
            raise BadRequest(
                f"context_id: the context requires {name}, and a name has {LONGEST_NAME}"
                " characters at most"
            )
