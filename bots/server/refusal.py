"""What is said to who asked, when there is no conversation."""

from starlette.responses import JSONResponse

MISTAKE = "The server made a mistake. What it was is in the server's log."


class Refused(Exception):
    """A request that cannot be answered: the HTTP status, and why in a sentence.

    Attributes:
        retry_s: in how many seconds it may be; None for never.
    """

    def __init__(self, status: int, why: str, retry_s: int | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.retry_s = retry_s

    @property
    def answer(self) -> JSONResponse:
        """What is answered."""
        after = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        return JSONResponse({"detail": str(self)}, self.status, after)


def refuse(status: int, why: str) -> JSONResponse:
    """An answer that says why there is no other."""
    return JSONResponse({"detail": why}, status)
