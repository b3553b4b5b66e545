"""The vendor's bad days: one table of faults, for the command line, the control plane and tests.

A fault is written `place:name parameter=value …`, as in `speak:close-ws after=3`. The place is a
moment of a session, or a REST route: `token`, `start`, `stop`, `keep-alive`, or method and path
(`GET /v1/voices`, `* /v1/contexts/*`). Every fault takes `times=N`: how often it strikes, 0 for
always.
"""

import math
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

Value = float | int | str
ROUTE = "a route"
SOCKET, SPEAK, ROOM, END = "socket", "speak", "room", "end"
LLM, TTS, AGENT, PTT = "llm", "tts", "agent", "ptt"
NICKNAMES = {
    "token": ("POST /v1/sessions/token",),
    "start": ("POST /v1/sessions/start",),
    "stop": ("POST /v1/sessions/stop", "DELETE /v1/sessions", "DELETE /v1/sessions/*"),
    "keep-alive": ("POST /v1/sessions/keep-alive",),
}
RANGES = {
    "status": (400, 599),
    "code": (0, 99_999),
    "by": (0, 3600),
    "after": (0, 3600),
    "times": (0, 1_000_000),
}
CLOSE_CODES = (*range(1000, 1004), *range(1007, 1015), *range(3000, 5000))
WRITTEN = re.compile(r"(?P<place>.+?):(?P<name>[a-z-]+)(?P<parameters>(?:\s.*)?)", re.DOTALL)


@dataclass(frozen=True)
class Kind:
    """A row of the table: a fault, where it can strike, and its parameters with defaults."""

    name: str
    places: tuple[str, ...]
    summary: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


FAULTS = {
    kind.name: kind
    for kind in (
        Kind(
            "answer",
            (ROUTE,),
            "answer with an error and do nothing",
            {"status": 500, "code": 5000, "message": "scripted failure"},
        ),
        Kind(
            "delay",
            (ROUTE, LLM, TTS, ROOM, AGENT),
            "wait before doing anything, in seconds; in FULL mind or voice before each answer; "
            "avatar or agent come into the room so long after the start",
            {"by": 1.0},
        ),
        Kind(
            "withhold-connected",
            (SOCKET,),
            "send `connected` late or (by=0) never; drop commands until then",
            {"by": 0.0},
        ),
        Kind("drop-acks", (SOCKET,), "send no agent.audio_buffer_* events"),
        Kind(
            "delay-acks",
            (SOCKET,),
            "send agent.audio_buffer_* events late, in seconds",
            {"by": 1.0},
        ),
        Kind("old-events", (SOCKET,), "send only the older events: agent.speak_*"),
        Kind(
            "new-events",
            (SOCKET,),
            "send only the newer events: agent.state_updated and acknowledgements",
        ),
        Kind(
            "close-ws",
            (SOCKET, SPEAK),
            "close the WebSocket, so many seconds after it opened, or into speech",
            {"after": 0.0, "code": 1011},
        ),
        Kind(
            "close-room",
            (ROOM, SPEAK),
            "delete the room, so many seconds after the start, or into speech",
            {"after": 0.0},
        ),
        Kind("no-video", (ROOM,), "publish a voice but no picture"),
        Kind("no-voice", (ROOM,), "publish a voice that stays silent, and tell that it speaks"),
        Kind(
            "throw-out",
            (ROOM,),
            "the client is removed from the room, so many seconds after it came",
            {"after": 0.0},
        ),
        Kind(
            "no-data",
            (ROOM,),
            "in FULL no event is sent and no command arrives, so many seconds after the agent came",
            {"after": 0.0},
        ),
        Kind("silent", (END,), "at maximum duration go still, close nothing and tell nobody"),
        Kind(
            "fail",
            (LLM, PTT),
            "in FULL the mind fails: the avatar asks to say it again; or push-to-talk, and says so",
        ),
        Kind(
            "hang", (LLM, TTS), "in FULL mind or voice never comes to the answer; nothing is said"
        ),
        Kind(
            "break-off",
            (TTS,),
            "in FULL the voice breaks off, so many seconds into what it says",
            {"after": 1.0},
        ),
        Kind("never-joins", (AGENT,), "the agent of a FULL session does not join its room"),
        Kind(
            "leave",
            (AGENT,),
            "the agent leaves the room, so many seconds after it came; the session goes on",
            {"after": 0.0},
        ),
        Kind(
            "hang-up",
            (AGENT,),
            "the agent ends the session (AGENT_HANG_UP), so many seconds after it came",
            {"after": 0.0},
        ),
        Kind("no-ack", (PTT,), "push-to-talk works, and is not acknowledged"),
    )
}


class BadFault(ValueError):
    """A fault that is not in the table, or is written wrongly; the message says what is right."""


@dataclass
class Fault:
    """A fault that was ordered; `struck` counts how often it came true."""

    place: str
    name: str
    parameters: dict[str, Value]
    times: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        """Whether it has struck as often as it should."""
        return 0 < self.times <= self.struck

    def number(self, parameter: str) -> float:
        """A parameter that is a number."""
        return float(self.parameters[parameter])

    def __str__(self) -> str:
        values = {**self.parameters, **({"times": self.times} if self.times else {})}
        words = [f"{name}={shlex.quote(str(value))}" for name, value in values.items()]
        return " ".join([f"{self.place}:{self.name}", *words])


def parse_fault(text: str) -> Fault:
    """A fault as it is written on the command line. Raises: BadFault."""
    written = WRITTEN.fullmatch(text.strip())
    if not written:
        raise BadFault(
            f"{text!r} is no fault: write it as place:name, like 'speak:close-ws after=3'."
        )
    kind = FAULTS.get(written["name"])
    if not kind:
        raise BadFault(f"Unknown fault {written['name']!r}: choose one of {', '.join(FAULTS)}.")
    _check_place(written["place"], kind)
    given = _pairs(written["parameters"], kind)
    _check_ranges(given, kind)
    times = given.pop("times", 0)
    return Fault(written["place"], kind.name, {**kind.parameters, **given}, int(times))


def _check_place(place: str, kind: Kind) -> None:
    a_route = place in NICKNAMES or re.fullmatch(r"(\*|[A-Z]+) /\S*", place)
    if place in kind.places or (ROUTE in kind.places and a_route):
        return
    routes = [*NICKNAMES, "a route like 'GET /v1/voices'"] if ROUTE in kind.places else []
    where = ", ".join([*(name for name in kind.places if name != ROUTE), *routes])
    raise BadFault(f"{kind.name} cannot strike at {place!r}: choose one of {where}.")


def _pairs(text: str, kind: Kind) -> dict[str, Value]:
    known = {**kind.parameters, "times": 0}
    try:
        pairs = [word.partition("=") for word in shlex.split(text)]
        return {name: type(known[name])(value) for name, _, value in pairs}
    except KeyError as error:
        raise BadFault(
            f"{kind.name} has no parameter {error}: choose among {', '.join(known)}."
        ) from None
    except ValueError as error:
        raise BadFault(f"{kind.name}: {error}.") from None


def _check_ranges(given: Mapping[str, Value], kind: Kind) -> None:
    for name, value in given.items():
        if isinstance(value, str) or name not in RANGES:
            continue
        low, high = RANGES[name]
        if not math.isfinite(value) or not low <= value <= high:
            raise BadFault(f"{kind.name}: {name}={value} is not from {low} to {high}.")
        if kind.name == "close-ws" and name == "code" and value not in CLOSE_CODES:
            raise BadFault(f"{kind.name}: {name}={value} is no close code that can be sent.")


class Faults:
    """The faults that are ordered, in their order."""

    def __init__(self, ordered: list[Fault] | None = None) -> None:
        self.ordered = ordered or []

    def order(self, text: str) -> Fault:
        """Add a fault. Raises: BadFault."""
        fault = parse_fault(text)
        self.ordered.append(fault)
        return fault

    def clear(self) -> None:
        """Be well again."""
        self.ordered.clear()

    def strike(self, place: str, name: str) -> Fault | None:
        """The fault to come true at a moment of a session, counted; None if there is none."""
        return self._strike(lambda fault: fault.place == place, name)

    def strike_route(self, method: str, path: str, name: str) -> Fault | None:
        """The fault to come true at a REST request, counted; None if there is none."""
        request = f"{method} {path}"
        return self._strike(lambda fault: _meets(fault.place, method, request), name)

    def _strike(self, meets: Callable[[Fault], bool], name: str) -> Fault | None:
        for fault in self.ordered:
            if fault.name == name and not fault.spent and meets(fault):
                fault.struck += 1
                return fault
        return None


def _meets(place: str, method: str, request: str) -> bool:
    patterns = NICKNAMES.get(place, (place,))
    spelt = [f"{method}{p[1:]}" if p.startswith("* ") else p for p in patterns]
    return any(fnmatchcase(request, pattern) for pattern in spelt)
