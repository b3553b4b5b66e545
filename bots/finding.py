"""What the doctor finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing and its state, and the fix.

    States are "ok", "off" (not used and not usable), "unchecked" and "bad".
    """

    what: str
    state: str
    detail: str
    fix: str = ""
