"""No key and no token is shown: every log record loses them where it is made, before any sink.

Loguru's records and the standard library's (uvicorn's, asyncio's) are cleaned by value, of what the
settings hold, and by shape. An exception becomes part of the message, because those who print one
show the values of variables (loguru's `diagnose`), which nobody can clean.
"""

import logging
import re
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from loguru import logger

from .settings import Settings

if TYPE_CHECKING:
    from loguru import Record

HIDDEN = "•••"
BELOW_EVERY_SINK = -1
# The sandbox's own key, which its help shows: the word stands in many a sentence.
KNOWN_TO_ALL = {"sandbox"}
# Each with what of it may be shown.
SHAPES = (
    # Three base64url parts, the first of which is a JSON object: every token of LiveKit,
    # LiveAvatar and Daily.
    (re.compile(r"eyJ[\w-]{6,}\.[\w-]+\.[\w-]+"), HIDDEN),
    # The address of a LiveAvatar WebSocket carries its credential in the path or query.
    (re.compile(r"(wss?://[^/\s]+/)\S+"), rf"\1{HIDDEN}"),
    # Our own links and what they are exchanged for.
    (re.compile(r"avatar-(?:link|visit|eval)\.[\w-]+\.[\w-]+"), HIDDEN),
    # What lets into our own WebSocket.
    (re.compile(r"(/ws/)[\w.~-]{16,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(://)[^/\s:@]+:[^/\s@]+(?=@)"), rf"\1{HIDDEN}"),
    (re.compile(r"((?:Bearer|Basic|Token)\s+)[\w.~+/=-]{8,}"), rf"\1{HIDDEN}"),
    # Keys of Google, and of Cartesia and others.
    (re.compile(r"\bAIza[\w-]{30,}"), HIDDEN),
    (re.compile(r"\bsk[_-][\w-]{16,}"), HIDDEN),
    # A query's, a header's or an object's, in JSON or Python.
    (
        re.compile(
            r"((?:\b|_)(?:api[_-]?key|key|token|secret|password|credential|signature|link)"
            r"[\"']?\s*[=:]\s*[\"']?)[\w.~+/%=-]{12,}",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)
ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
Patcher = Callable[["Record"], None]


class Redaction:
    """Takes out secrets: those that it knows, and whatever looks like one.

    Attributes:
        least: loguru's number of the least level that is kept: sinks of others may take everything.
    """

    def __init__(self) -> None:
        self.least = 0
        self._secrets: list[str] = []

    def know(self, settings: Settings) -> None:
        """Hide the values of these settings, too."""
        self.hide(*settings.secrets())

    def hide(self, *secrets: str) -> None:
        """Hide these, too, but what everybody knows."""
        values = {*secrets} - {"", *KNOWN_TO_ALL}
        quoted = {quote(value, safe="") for value in values}
        self._secrets = sorted(values | quoted | {*self._secrets}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without keys and tokens."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for shape, shown in SHAPES:
            text = shape.sub(shown, text)
        return text

    def record(self, record: "Record") -> None:
        """Clean a record of loguru's in place, and drop one that is unwanted."""
        if record["level"].no < self.least or _is_join_link(record):
            record["level"].no = BELOW_EVERY_SINK
        error = record["exception"]
        told = f"\n{_told(error)}" if error else ""
        record["message"] = self.clean(record["message"] + told)
        record["exception"] = None
        for name, value in record["extra"].items():
            if isinstance(value, str):
                record["extra"][name] = self.clean(value)

    def standard(self, record: logging.LogRecord) -> logging.LogRecord:
        """Clean a record of the standard library's in place.

        Its arguments stay as they are where that suffices: uvicorn reads them.
        """
        if isinstance(record.args, tuple):
            cleaned = (self.clean(each) if isinstance(each, str) else each for each in record.args)
            record.args = tuple(cleaned)
        told = f"\n{_told(record.exc_info)}" if record.exc_info else ""
        whole = _message(record) + told
        if told or self.clean(whole) != whole:
            record.msg, record.args = self.clean(whole), ()
        record.exc_info = record.exc_text = None
        record.stack_info = record.stack_info and self.clean(record.stack_info)
        return record


REDACTION = Redaction()


def redacted(text: str) -> str:
    """A text for others, without keys and tokens."""
    return REDACTION.clean(text)


def redact(settings: Settings | None = None) -> None:
    """Clean every record from now on, whatever sinks are added, also those of the settings' keys.

    To be said again where somebody else may have configured the logs since.
    """
    if settings:
        REDACTION.know(settings)
    patcher: Patcher | None = logger._core.patcher  # pyright: ignore — there is no other way to ask
    if not isinstance(patcher, _Patcher):
        logger.configure(patcher=_Patcher(patcher))
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _Factory):
        logging.setLogRecordFactory(_Factory(factory))


class _Patcher:
    """Cleans what another patcher has made of a record of loguru's."""

    def __init__(self, before: Patcher | None) -> None:
        self._before = before

    def __call__(self, record: "Record") -> None:
        if self._before:
            self._before(record)
        REDACTION.record(record)


class _Factory:
    """Cleans what another factory has made of a record of the standard library's."""

    def __init__(self, before: Callable[..., logging.LogRecord]) -> None:
        self._before = before

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        return REDACTION.standard(self._before(*args, **kwargs))


def _is_join_link(record: "Record") -> bool:
    """HeyGenClient logs a link with the room's token, ready to join."""
    return record["name"] == "pipecat.services.heygen.client" and (
        record["function"] == "_initialize" and "session started" not in record["message"]
    )


def _told(error: Any) -> str:
    """A traceback, without the values of variables."""
    return "".join(traceback.format_exception(*error)).rstrip()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # the arguments do not fit, which is the caller's mistake
        return f"{record.msg} {record.args}"
