"""What is logged: secrets reach no sink."""

import logging
import re
import sys
from typing import TYPE_CHECKING

from loguru import logger

from pipelines.settings import Settings

if TYPE_CHECKING:
    from loguru import Record

# Three base64url parts, the first of which is a JSON object: every token of LiveKit, LiveAvatar
# and Daily.
JSON_WEB_TOKEN = re.compile(r"eyJ[\w-]{6,}\.[\w-]+\.[\w-]+")
# The address of a LiveAvatar WebSocket carries its credential in the path or query.
SOCKET_ADDRESS = re.compile(r"(wss?://[^/\s]+/)\S+")
HIDDEN = "•••"
BELOW_EVERY_SINK = -1


class Redaction:
    """Takes secrets out of log records before any sink sees them, and drops the unwanted ones.

    Sinks that others add may take everything, so the level is kept here as well.
    """

    def __init__(self, settings: Settings) -> None:
        self._secrets = sorted(settings.secrets(), key=len, reverse=True)
        self._least = logger.level(settings.avatar_log_level).no

    def __call__(self, record: "Record") -> None:
        """Change one record in place."""
        if record["level"].no < self._least or _is_join_link(record):
            record["level"].no = BELOW_EVERY_SINK
        record["message"] = self.clean(record["message"])

    def clean(self, text: str) -> str:
        """The text without keys and tokens."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return SOCKET_ADDRESS.sub(rf"\1{HIDDEN}", JSON_WEB_TOKEN.sub(HIDDEN, text))


def _is_join_link(record: "Record") -> bool:
    """HeyGenClient logs a link with the room's token, ready to join."""
    return record["name"] == "pipecat.services.heygen.client" and (
        record["function"] == "_initialize" and "session started" not in record["message"]
    )


def redact(settings: Settings) -> None:
    """Redact every record from now on, whatever sinks are added later."""
    logger.configure(patcher=Redaction(settings))
    if settings.avatar_log_level in ("WARNING", "ERROR"):
        logging.disable(logging.INFO)  # uvicorn's, which sets its own levels when it starts


def show(settings: Settings) -> None:
    """Show records of the chosen level on standard error, and nothing else."""
    logger.remove()
    logger.add(sys.stderr, level=settings.avatar_log_level, format=FORMAT)


FORMAT = "<dim>{time:HH:mm:ss}</dim> <level>{level: <7}</level> {message}"
