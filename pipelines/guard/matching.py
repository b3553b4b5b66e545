"""Which parts can take each other's place."""

from collections.abc import Sequence
from types import ModuleType

from pipelines.errors import Incompatible
from pipelines.parts import Part, load
from pipelines.persona import Persona
from pipelines.settings import Settings


def own_turns(ears: Sequence[Part], settings: Settings, persona: Persona) -> bool:
    """Whether these ears say themselves when a turn has ended: all of them, or none.

    Raises:
        Incompatible: some cannot but do so, and others cannot do so.
    """
    fixed = [row for row in ears if not hasattr(load(row), "build_owner")]
    owners = [row.value for row in fixed if _owns_turns(load(row), settings, persona)]
    others = [row.value for row in fixed if row.value not in owners]
    if owners and others:
        raise Incompatible(
            f"{others[0]} and {owners[0]} cannot take each other's place here: {others[0]} does not"
            " say when a turn has ended",
            f"leave one of them out of STT, or list whisper for {owners[0]}",
        )
    return not others


def _owns_turns(module: ModuleType, settings: Settings, persona: Persona) -> bool:
    return not hasattr(module, "owns_turns") or module.owns_turns(settings, persona)
