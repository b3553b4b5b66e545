"""What goes on when the place dies in which one would meet."""

from bots.server.rooms import LIMIT_S
from pipelines.transport.heygen import SESSION_LIMIT_S
from tests.faults import Cell

DAILY, OWN = "Daily REST", "LiveAvatar's own room"
WHO = {DAILY: "Daily", OWN: "LiveAvatar"}
NOWHERE = "nothing: there is no room to meet in"
CAUSES = {
    "refused": "cannot be reached",
    "401": "refused",
    "402": "has no credit left",
    "429": "was asked too often",
    "500": "has a failure of its own",
    "DNS gone": "cannot be reached",
}
HANGS = ("hangs at connect", "hangs in mid-stream", "partial then silence")
BROKEN = ("closes in mid-stream", "garbage", "empty answer")
# From the request on, when it can be known that there is no room.
KNOWN_S = {DAILY: LIMIT_S, OWN: SESSION_LIMIT_S}


def _told(vendor: str, fault: str, cause: str, within_s: float = 1.0) -> Cell:
    return Cell(vendor, fault, NOWHERE, f"why: {WHO[vendor]} {cause}", within_s)


def _daily() -> list[Cell]:
    cells = [_told(DAILY, fault, cause) for fault, cause in CAUSES.items()]
    cells += [_told(DAILY, fault, CAUSES["500"]) for fault in BROKEN]
    late = f"takes longer than {LIMIT_S:.0f} s"
    # A room that may have been made is deleted first.
    cells += [_told(DAILY, fault, late, 3.0) for fault in HANGS]
    slow = ("slow 2x", "slow 10x")
    return cells + [Cell(DAILY, fault, "what is said in the room", "nothing") for fault in slow]


def _own() -> list[Cell]:
    cells = [_told(OWN, fault, cause) for fault, cause in CAUSES.items()]
    none = "gave no session"
    cells += [_told(OWN, fault, none) for fault in ("garbage", "empty answer")]
    late = f"takes longer than {SESSION_LIMIT_S:.0f} s"
    return [*cells, _told(OWN, "hangs at connect", late)]


CELLS = (*_own(), *_daily())
