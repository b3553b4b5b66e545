"""What this server refuses, with the status and the code of the envelope.

Refusal (liveavatar-protocol: section 1; a code marked * is this server's own choice)
├── Invalid             422, 4000   the request is malformed
├── BadRequest          400, 4000   well formed, but it cannot be done
├── Unauthorized        401, 4001*  wrong or missing API key
├── NotAuthenticated    403, 4003   wrong or missing session token
├── NotFound            404, 4004*  no such thing
├── NotAllowed          405, 4005*  not with this method
├── TooMany             409*, 4009* as many sessions run as may
├── NoCredits           402*, 4002* less than one minute's worth is left
├── AvatarFailed        500, 5000*  the avatar could not join the room
└── AgentFailed         500, 5000*  the agent of a FULL session could not be started

SandboxError (a UserError) is for whoever starts the server.
"""

from pipelines.errors import UserError


class SandboxError(UserError):
    """The sandbox cannot be started as asked; the message says the fix."""


class Refusal(Exception):
    """An answer that is an error."""

    status = 500
    code = 5000

    def __init__(self, message: str, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status or self.status
        self.code = code or self.code


class Invalid(Refusal):
    """The request is malformed."""

    status, code = 422, 4000

    def __init__(self, problem: str) -> None:
        super().__init__(f"Request validation errors. {problem}")


class BadRequest(Refusal):
    """The request is well formed, but it cannot be done."""

    status, code = 400, 4000


class Unauthorized(Refusal):
    """The API key is wrong or missing."""

    status, code = 401, 4001

    def __init__(self) -> None:
        super().__init__("Unauthorized: X-API-KEY is missing or not the one of this sandbox")


class NotAuthenticated(Refusal):
    """The session token is wrong or missing."""

    status, code = 403, 4003

    def __init__(self) -> None:
        super().__init__("Not authenticated")


class NotFound(Refusal):
    """There is no such thing."""

    status, code = 404, 4004

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")


class TooMany(Refusal):
    """As many sessions run as may."""

    status, code = 409, 4009

    def __init__(self) -> None:
        super().__init__("Session concurrency limit reached")


class NoCredits(Refusal):
    """Less than one minute's worth is left."""

    status, code = 402, 4002

    def __init__(self) -> None:
        super().__init__("Insufficient credits")


class AvatarFailed(Refusal):
    """The avatar could not join the room."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The avatar could not join the room: {why}")


class AgentFailed(Refusal):
    """The agent of a FULL session could not be started."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The agent could not be started: {why}")
