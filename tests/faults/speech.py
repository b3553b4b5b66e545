"""What goes on when ears, mind or voice die."""

from collections.abc import Mapping

from pipelines.guard.voice import LOCAL_LATE_S
from tests.faults import FAULTS, Cell
from tests.faults.hall import LOST

NEXT = "the next mind's answer"
REST = "the whole answer, the rest of it by the local voice"
ANEW = "the answer: the local ears hear what was said"
EXCUSE = "what was answered, then: “Say that again?”"
WAITS = "“One moment please.”, then the next mind's answer"
WHO = "what failed and who takes its place"
WHAT = "what failed"
NOTHING = "nothing"


def _mind(vendor: str) -> list[Cell]:
    at_once = ("refused", "401", "402", "429", "500", "DNS gone", "garbage", "empty answer")
    cells = [Cell(vendor, fault, NEXT, WHO) for fault in at_once]
    late = ("hangs at connect", "hangs in mid-stream", "slow 10x")
    cells += [Cell(vendor, fault, WAITS, WHO) for fault in late]
    cells += [
        Cell(vendor, f, EXCUSE, WHO) for f in ("closes in mid-stream", "partial then silence")
    ]
    return [*cells, Cell(vendor, "slow 2x", "its answer", NOTHING)]


def _voice() -> list[Cell]:
    gone = ("refused", "401", "402", "429", "500", "DNS gone", "hangs at connect", "empty answer")
    breaks = ("hangs in mid-stream", "slow 10x", "closes in mid-stream", "garbage")
    cells = [Cell("Cartesia", fault, REST, WHO) for fault in (*gone, *breaks)]
    cells += [Cell("Cartesia", "partial then silence", REST, WHO)]
    return [*cells, Cell("Cartesia", "slow 2x", "the answer", NOTHING)]


def _ears() -> list[Cell]:
    gone = ("refused", "401", "402", "429", "500", "DNS gone", "hangs at connect")
    breaks = ("hangs in mid-stream", "slow 10x", "closes in mid-stream", "garbage")
    cells = [Cell("Deepgram", fault, ANEW, WHO) for fault in (*gone, *breaks)]
    cells += [Cell("Deepgram", "partial then silence", ANEW, WHO)]
    cells += [Cell("Deepgram", "slow 2x", "the answer", NOTHING)]
    asks = "“Are you still there?” after the usual silence"
    return [*cells, Cell("Deepgram", "empty answer", asks, NOTHING)]


NETWORK = (*FAULTS[: FAULTS.index("hangs in mid-stream")],)


def _local(vendor: str, cells: list[Cell], never: Mapping[str, str]) -> list[Cell]:
    why = "it runs on this machine and asks nobody over a network"
    cells += [Cell(vendor, fault, unreachable=why) for fault in NETWORK]
    return cells + [Cell(vendor, fault, unreachable=why) for fault, why in never.items()]


def _local_ears() -> list[Cell]:
    name = "local ears"
    lost = [Cell(name, "closes in mid-stream", f"“{LOST}”", WHAT)]
    lost += [Cell(name, "hangs in mid-stream", f"“{LOST}”", WHAT)]
    slow = [Cell(name, fault, "the answer", NOTHING) for fault in ("slow 2x", "slow 10x")]
    asks = "“Are you still there?” after the usual silence"
    empty = [Cell(name, fault, asks, NOTHING) for fault in ("garbage", "empty answer")]
    whole = "what is said is written down as a whole, again at each look"
    return _local(name, [*lost, *slow, *empty], {"partial then silence": whole})


def _local_voice() -> list[Cell]:
    name, slow = "local voice", ("slow 2x", "slow 10x")
    rest = "the whole answer, the rest of it by the next voice"
    cells = [Cell(name, "closes in mid-stream", rest, WHO)]
    # A slow machine may need long for a sentence.
    cells += [Cell(name, "hangs in mid-stream", f"{rest}, after {LOCAL_LATE_S:.0f} s", WHO)]
    cells += [Cell(name, fault, "the answer", NOTHING) for fault in slow]
    whole = "a sentence is made as a whole, or not at all"
    never: dict[str, str] = dict.fromkeys(
        ("garbage", "partial then silence", "empty answer"), whole
    )
    return _local(name, cells, never)


CELLS = (
    *_ears(),
    *_mind("Gemini"),
    *_mind("Ollama"),
    *_voice(),
    *_local_ears(),
    *_local_voice(),
)


def reachable(*vendors: str) -> list[Cell]:
    """The cells of vendors that can be brought about."""
    return [cell for cell in CELLS if cell.vendor in vendors and not cell.unreachable]
