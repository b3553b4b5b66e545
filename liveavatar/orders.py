"""The server's end of a FULL session's data channel: commands read, events written (4).

The client's end is `channel.py`.
"""

import json
from dataclasses import dataclass, field
from typing import Any

LONGEST_PACKET = 64_000
"""Bytes of a command: more than clients should send, so that none that arrives is refused."""
DEEPEST = 64
"""How far the values of a command may be nested."""


def agent_identity(session_id: str) -> str:
    """The identity of the participant that runs a session's conversation (3.6)."""
    return f"liveavatar-agent-{session_id}"


@dataclass(frozen=True)
class Order:
    """A command of a client; `text` is "" where it has none.

    `vendor_type` and `data` are what a vendor's agent is told (6).
    """

    event_type: str
    event_id: str | None = None
    text: str = ""
    vendor_type: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class BadOrder(ValueError):
    """A packet that is no command; the message says why."""


def read_order(packet: bytes) -> Order:
    """A command, with its text at the top level or in `payload` (13.20).

    Raises:
        BadOrder: it cannot be understood.
    """
    message = _object(packet)
    event_type, event_id = message.get("event_type"), message.get("event_id")
    if not isinstance(event_type, str):
        raise BadOrder("event_type: a text is required")
    payload = message.get("payload")
    nested = payload.get("text") if isinstance(payload, dict) else None
    text = nested if message.get("text") is None else message["text"]
    if text is not None and not isinstance(text, str):
        raise BadOrder("text: not a text")
    source = event_id if isinstance(event_id, str) else None
    return Order(event_type, source, text or "", *_vendor_part(message))


def _vendor_part(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What a vendor's agent is told: its own type, and the fields."""
    kind, data = message.get("elevenlabs_event_type"), message.get("data")
    if kind is not None and not isinstance(kind, str):
        raise BadOrder("elevenlabs_event_type: not a text")
    if data is not None and not isinstance(data, dict):
        raise BadOrder("data: not an object")
    return kind or "", data or {}


def _object(packet: bytes) -> dict[str, Any]:
    if len(packet) > LONGEST_PACKET:
        raise BadOrder(f"a packet may have {LONGEST_PACKET} bytes at most")
    try:
        message = json.loads(packet)
    except (ValueError, RecursionError):
        raise BadOrder("not JSON in UTF-8") from None
    if not isinstance(message, dict):
        raise BadOrder("not an object")
    if _is_deep(message):
        raise BadOrder(f"nested more than {DEEPEST} deep")
    return message


def _is_deep(message: dict[str, Any]) -> bool:
    level: list[Any] = [message]
    for _ in range(DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for values in inner for each in values if isinstance(each, dict | list)]
    return bool(level)


def response(
    event_type: str, event_id: str, session_id: str, source: str | None = None, **fields: Any
) -> dict[str, Any]:
    """An event; its text is at the top level, and mirrored in `payload`."""
    nested = {"payload": {"text": fields["text"]}} if "text" in fields else {}
    return {
        "event_id": event_id,
        "event_type": event_type,
        "session_id": session_id,
        "source_event_id": source,
        **fields,
        **nested,
    }
