"""What goes wrong with LiveAvatar, as sentences.

LiveAvatarError     LiveAvatar refused, failed, or answered what nobody understands
└── NoAnswer        nothing came back: whether it was done is not known
"""


class LiveAvatarError(Exception):
    """LiveAvatar answered with an error.

    Attributes:
        problem: what it said, without the fix.
        status: the HTTP status, None without an answer.
        code: the envelope's code, None without envelope.
    """

    def __init__(self, status: int | None, code: int | None, message: str) -> None:
        fix = ": check LIVEAVATAR_API_KEY" if status in (401, 403) else ""
        self.problem = f"{message} ({status})" if status else message
        super().__init__(f"{self.problem}{fix}.")
        self.status = status
        self.code = code


class NoAnswer(LiveAvatarError):
    """LiveAvatar cannot be reached, or takes too long."""

    def __init__(self, url: str, error: Exception) -> None:
        cause = "it takes too long" if isinstance(error, TimeoutError) else type(error).__name__
        why = f"LiveAvatar at {url} does not answer ({cause}): check LIVEAVATAR_BASE_URL"
        super().__init__(None, None, why)
