"""What goes on when the face dies."""

from tests.faults import FAULTS, Cell

ALONE = "the whole answer at once, by the voice alone"
GOES_ON = "the whole answer, its rest without LiveAvatar"
BY_ANOTHER = "the whole answer, its rest by the face that stands in"
BY_BOT = "the whole answer, its rest by the bot"
BY_FACE = "the whole answer, by the face"
STANDS_IN = "that the face is gone and another stands in"
LATE = "after 10 s that it is late, and another"
COMES = "the face, in the pause after it"
NOTHING = "nothing"

REST, SOCKET = "LiveAvatar REST", "LiveAvatar WebSocket"
ROOM, OWN = "LiveKit room", "LiveAvatar's own room"
DIRECT = "LiveAvatar in a room of yours"
REFUSED = ("refused", "401", "402", "429", "500", "DNS gone")


def _alone(vendor: str, seen: str, *faults: str) -> list[Cell]:
    return [Cell(vendor, fault, ALONE, seen, 1.0) for fault in faults]


def _rest() -> list[Cell]:
    gone = (*REFUSED, "closes in mid-stream", "garbage", "empty answer")
    late = ("hangs at connect", "hangs in mid-stream", "partial then silence")
    cells = _alone(REST, STANDS_IN, *gone) + _alone(REST, LATE, *late)
    return cells + _alone(REST, COMES, "slow 2x", "slow 10x")


def _socket() -> list[Cell]:
    """What is said into a WebSocket that is dead, or to an avatar that stays silent, is missed."""
    cells = _alone(SOCKET, STANDS_IN, *REFUSED) + _alone(SOCKET, LATE, "hangs at connect")
    cells += _alone(SOCKET, COMES, "slow 10x")
    cells += [Cell(SOCKET, f, BY_FACE, NOTHING, 1.0) for f in ("slow 2x", "closes in mid-stream")]
    unheard = ("hangs in mid-stream", "partial then silence", "empty answer")
    cells += [Cell(SOCKET, fault, GOES_ON, STANDS_IN, 4.0) for fault in unheard]
    return [*cells, Cell(SOCKET, "garbage", GOES_ON, STANDS_IN, 2.0)]


def _room() -> list[Cell]:
    """Sound and pictures go on without the signalling: what hangs in mid-stream is not noticed."""
    cells = _alone(ROOM, STANDS_IN, *REFUSED, "garbage")
    cells += _alone(ROOM, LATE, "hangs at connect", "partial then silence")
    cells += _alone(ROOM, COMES, "slow 10x")
    cells += _alone(ROOM, "after 6 s without a picture another", "empty answer")
    cells += [Cell(ROOM, f, BY_FACE, NOTHING, 1.0) for f in ("slow 2x", "hangs in mid-stream")]
    return [*cells, Cell(ROOM, "closes in mid-stream", GOES_ON, STANDS_IN, 1.0)]


def _own() -> list[Cell]:
    """Once there is a room; `places.py` has what keeps it from being there."""
    cells = [Cell(OWN, fault, BY_FACE, NOTHING, 1.0) for fault in ("slow 2x", "slow 10x")]
    unheard = ("hangs in mid-stream", "partial then silence")
    cells += [Cell(OWN, fault, BY_BOT, STANDS_IN, 4.0) for fault in unheard]
    return [*cells, Cell(OWN, "closes in mid-stream", BY_BOT, STANDS_IN, 1.0)]


def _direct() -> list[Cell]:
    """The avatar in the room; its session is asked for and driven as above.

    One that hangs tells that it speaks, and is not heard.
    """
    cells = _alone(DIRECT, STANDS_IN, "500") + _alone(DIRECT, COMES, "slow 10x")
    cells += _alone(DIRECT, LATE, "empty answer")
    unheard = ("hangs in mid-stream", "partial then silence")
    cells += [Cell(DIRECT, fault, BY_BOT, STANDS_IN, 4.0) for fault in unheard]
    return [*cells, Cell(DIRECT, "closes in mid-stream", BY_BOT, STANDS_IN, 1.0)]


def _never(vendor: str, reached: list[Cell], why: str) -> list[Cell]:
    known = {cell.fault for cell in reached}
    return [Cell(vendor, fault, unreachable=why) for fault in FAULTS if fault not in known]


JOINS = "LiveAvatar itself joins the room; how its session can fail is above"
LOCAL = tuple(
    Cell("puppet", fault, unreachable="it is drawn in this process, by nobody's leave")
    for fault in FAULTS
    if fault != "closes in mid-stream"
)
PUPPET = Cell("puppet", "closes in mid-stream", BY_ANOTHER, STANDS_IN, 1.0)
REACHED = (*_rest(), *_socket(), *_room(), *_own(), *_direct(), PUPPET)
CELLS = (*REACHED, *_never(DIRECT, _direct(), JOINS), *LOCAL)
