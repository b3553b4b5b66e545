"""LiveAvatar's answers, from bytes to what they mean (liveavatar-protocol: section 1).

Plain functions: nothing that a server sends makes them raise anything but `LiveAvatarError`, whose
text holds nothing of a success, since that may be a token.
"""

import functools
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from liveavatar.errors import LiveAvatarError
from liveavatar.wire import OK

T = TypeVar("T")
# What sources call a success (13.1): the live service, its specification, and a client.
OKAY = (OK, 100, 200)
HIDDEN = "•••"
MESSAGE_CHARS = 500


def data_of(kind: type[T], status: int, reason: str | None, body: bytes) -> T:
    """The data of an answer that is a success.

    Args:
        kind: what it must be.
        status: of HTTP; `reason` is its text.
        reason: what to say where the answer says nothing.
        body: the answer as it came.

    Raises:
        LiveAvatarError: it is none, or nobody understands it.
    """
    envelope = checked(status, reason, body)
    try:
        return _adapter(kind).validate_python(envelope.get("data"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, ("data", *first["loc"])))
        problem = f"LiveAvatar answered in a form that is not known: {where}: {first['msg']}"
        raise LiveAvatarError(status, _code(envelope), problem) from None


def checked(status: int, reason: str | None, body: bytes) -> dict[str, Any]:
    """The envelope of a success, {} when it has no body.

    Raises:
        LiveAvatarError: it is an error.
    """
    envelope = _parsed(body)
    if not 200 <= status < 300:
        raise refusal(status, reason, body)
    if not body:
        return {}
    if not isinstance(envelope, dict) or "code" not in envelope:
        raise LiveAvatarError(status, None, "LiveAvatar answered without its envelope")
    if _code(envelope) not in OKAY:
        raise LiveAvatarError(status, _code(envelope), _message(envelope) or "no reason given")
    return envelope


def refusal(status: int, reason: str | None, body: bytes) -> LiveAvatarError:
    """What to raise of an answer that is an error: an envelope, FastAPI's form, or neither."""
    parsed = _parsed(body)
    said = _message(parsed) or _line(reason or "") or "no reason given"
    return LiveAvatarError(status, _code(parsed), said)


def without(error: LiveAvatarError, secrets: Iterable[str]) -> LiveAvatarError:
    """The same error, should what it repeats be a secret."""
    for secret in filter(None, secrets):
        error.problem = error.problem.replace(secret, HIDDEN)
        error.args = tuple(str(arg).replace(secret, HIDDEN) for arg in error.args)
    return error


@functools.cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:
        return None


def _code(envelope: Any) -> int | None:
    code = envelope.get("code") if isinstance(envelope, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _message(answer: Any) -> str:
    """Where servers and proxies put their reason; "" when there is none."""
    if not isinstance(answer, dict):
        return ""
    data = answer.get("data")
    inner = data[0] if isinstance(data, list) and data else data
    nested = inner.get("message") if isinstance(inner, dict) else None
    told = (answer.get("message"), _detail(answer.get("detail")), answer.get("error"), nested)
    return next((_line(one) for one in told if isinstance(one, str) and one.strip()), "")


def _detail(detail: Any) -> str:
    """FastAPI's list of problems, the first as `body.mode: Field required`; never the input."""
    if isinstance(detail, str):
        return detail
    first = detail[0] if isinstance(detail, list) and detail else None
    if not isinstance(first, dict):
        return ""
    loc = first.get("loc")
    where = ".".join(map(str, loc)) if isinstance(loc, list) else ""
    return f"{where}: {first.get('msg')}" if where else str(first.get("msg") or "")


def _line(text: str) -> str:
    """A message as one line for any terminal, without its full stop."""
    return printable(" ".join(text.split())[:MESSAGE_CHARS].rstrip(" ."))


def printable(text: str) -> str:
    """A line without what would steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
