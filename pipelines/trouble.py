"""What the user is told when a part fails, in a sentence with a fix."""

from pipecat.frames.frames import ErrorFrame
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.utils.errors import ErrorCategory

from .parts import SPOKEN, Part
from .settings import environment_names

CAUSES = {
    ErrorCategory.AUTHENTICATION: "refused the key",
    ErrorCategory.AUTHORIZATION: "does not allow this with your key",
    ErrorCategory.INVALID_REQUEST: "did not understand the request; look at its model and voice",
    ErrorCategory.RATE_LIMIT: "was asked too often; wait a moment",
    ErrorCategory.QUOTA: "has no credit left",
    ErrorCategory.CONNECTIVITY: "cannot be reached; look at the network and its base URL",
    ErrorCategory.SERVER: "has a failure of its own; try again later",
}
SLOW = "takes too long to answer"
EMPTY = "answered nothing"
STOPPED = "stopped in the middle"
# What is nobody's to mend: it may be gone at the next try.
PASSING = (SLOW, EMPTY, STOPPED, CAUSES[ErrorCategory.RATE_LIMIT], CAUSES[ErrorCategory.SERVER])

FACE_GONE = "The face is gone; the voice goes on."
FACE_REPLACED = "The face is gone; another one stands in for it."
FACE_LATE = "The face is late; the voice goes on without it."
FACE_LATE_REPLACED = "The face is late; another one stands in for it."
FACE_LEAVES = "The face will leave in a few seconds; the voice goes on."
ROOM_CLOSES = "LiveAvatar will close this room in a few seconds."


def face_lost(*, pictured: bool, late: bool = False) -> RTVIServerMessageFrame:
    """What tells the page that the face is not there; `pictured` if another picture is."""
    gone = FACE_REPLACED if pictured else FACE_GONE
    not_yet = FACE_LATE_REPLACED if pictured else FACE_LATE
    text = not_yet if late else gone
    return RTVIServerMessageFrame({"type": "face-lost", "text": text, "picture": pictured})


def face_back() -> RTVIServerMessageFrame:
    """What tells the page that the face is there again."""
    return RTVIServerMessageFrame({"type": "face-back"})


def notice(text: str) -> RTVIServerMessageFrame:
    """What the page shows for a while."""
    return RTVIServerMessageFrame({"type": "notice", "text": text})


def sentence(part: Part, why: ErrorFrame | str, spare: Part | None = None) -> str:
    """Why a part failed and what to do: "The ears failed: deepgram refused the key. Check …".

    With a `spare` that takes its place, there is nothing to do now.
    """
    cause = _cause(why)
    failed = f"The {SPOKEN[part.kind]} failed: {part.value} {cause}"
    if spare:
        return f"{failed.partition(';')[0]}; {spare.value} takes its place."
    if cause in PASSING:
        return f"{failed}." if ";" in cause else f"{failed}; try again."
    keys = ", ".join(environment_names(field)[0] for field in part.needs)
    fix = f"Check {keys}, then run `avatar doctor`." if keys else "Run `avatar doctor`."
    return f"{failed}. {fix}"


def briefly(why: ErrorFrame | str) -> str:
    """Why a part failed, in as few words as there are causes: "refused the key"."""
    return _cause(why).partition(";")[0]


def _cause(why: ErrorFrame | str) -> str:
    return why if isinstance(why, str) else cause(why.category)


def cause(category: ErrorCategory | None) -> str:
    """What a vendor did that failed so."""
    return CAUSES.get(category or ErrorCategory.UNKNOWN, "failed")
