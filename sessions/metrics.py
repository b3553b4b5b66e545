"""What a monitor is told of this process, in Prometheus' text: who talks, how fast, what failed.

The numbers are the process's, whichever conversation or server they came from.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
STEPS_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)

disable_created_metrics()
_REGISTRY = CollectorRegistry()
ProcessCollector(registry=_REGISTRY)
_ACTIVE = Gauge("avatar_conversations_active", "Conversations that are held.", registry=_REGISTRY)
_BEGUN = Counter("avatar_conversations", "Conversations that were begun.", registry=_REGISTRY)
_REFUSED = Counter(
    "avatar_conversations_refused", "Conversations that were refused.", ["why"], registry=_REGISTRY
)
_STEPS = Histogram(
    "avatar_step_seconds",
    "From the end of what a user said until a step of the answer was done.",
    ["step"],
    registry=_REGISTRY,
    buckets=STEPS_S,
)
_FAILURES = Counter(
    "avatar_failures", "Parts that failed.", ["kind", "part", "cause"], registry=_REGISTRY
)
_PICTURES = Counter("avatar_pictures", "Pictures of drawn faces that were due.", registry=_REGISTRY)
_LATE = Counter(
    "avatar_pictures_late",
    "Those that came more than 40 ms late, or not at all for that.",
    registry=_REGISTRY,
)
_FACES = Gauge(
    "avatar_faces_drawn",
    "Faces that are drawn, by pictures a second.",
    ["pace"],
    registry=_REGISTRY,
)
_SPENT = Counter("avatar_spend_dollars", "What conversations have cost.", registry=_REGISTRY)
_PAID = Gauge(
    "avatar_paid_open",
    "What is paid for and in the ledger: of processes that run, or left by others.",
    ["kind", "whose"],
    registry=_REGISTRY,
)


@contextmanager
def conversing() -> Iterator[None]:
    """Count a conversation, for as long as it is held."""
    _BEGUN.inc()
    with _ACTIVE.track_inprogress():
        yield


def refused(why: str) -> None:
    """Count somebody who was not received: "busy", "stopping" or "spent"."""
    _REFUSED.labels(why).inc()


def answered(steps: Mapping[str, float], first_sound_s: float | None) -> None:
    """Note an answer: seconds until each of its steps, and until its first sound left."""
    sounds = {} if first_sound_s is None else {"answer": first_sound_s}
    for step, at_s in {**steps, **sounds}.items():
        _STEPS.labels(step).observe(at_s)


def failed(kind: str, part: str, cause: str) -> None:
    """Count a failure: of which kind of part, of which one, and why in a few words."""
    _FAILURES.labels(kind, part, cause).inc()


def pictured(*, late: bool) -> None:
    """Count a picture of a face that is drawn here; `late` if it was, or was left out for it."""
    _PICTURES.inc()
    if late:
        _LATE.inc()


def drawn_now(paces: Mapping[str, int]) -> None:
    """Say how many faces are drawn at each pace, "25" for 25 pictures a second."""
    for pace, count in paces.items():
        _FACES.labels(pace).set(count)


def spent(dollars: float) -> None:
    """Add to what conversations have cost, in US dollars."""
    _SPENT.inc(dollars)


def open_now(counts: Mapping[tuple[str, str], int]) -> None:
    """Say what is open of each kind, and whose it is: "running" or "left"; nothing if not known."""
    _PAID.clear()
    for (kind, whose), count in counts.items():
        _PAID.labels(kind, whose).set(count)


def text() -> bytes:
    """Everything, as Prometheus reads it."""
    return generate_latest(_REGISTRY)
