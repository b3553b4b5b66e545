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


FACE_GONE = "The face is gone; the voice goes on."


def face_lost() -> RTVIServerMessageFrame:
    """What tells the page that the voice goes on alone."""
    return RTVIServerMessageFrame({"type": "face-lost", "text": FACE_GONE})


def sentence(part: Part, error: ErrorFrame) -> str:
    """Why a part failed and what to do: "The ears failed: deepgram refused the key: check …"."""
    cause = CAUSES.get(error.category or ErrorCategory.UNKNOWN, "failed")
    keys = ", ".join(environment_names(field)[0] for field in part.needs)
    fix = f" Check {keys}, then run `avatar doctor`." if keys else " Run `avatar doctor`."
    return f"The {SPOKEN[part.kind]} failed: {part.value} {cause}.{fix}"
