"""STUN and TURN servers, as they are written and as WebRTC takes them."""

import json
from collections.abc import Sequence
from typing import Any

KEYS = {"urls", "username", "credential"}
FORM = (
    'write each as stun:name or turn:name:port, or as {"urls": "turn:…", "username": "…",'
    ' "credential": "…"}'
)


def ice_servers(written: str | Sequence[str]) -> list[dict[str, Any]]:
    """The servers as dictionaries of `urls` and, where needed, `username` and `credential`.

    Args:
        written: words, each an address or a JSON object; or one text with addresses between
            commas, a JSON object or a JSON array of both.

    Raises:
        ValueError: they are written otherwise; says how to.
    """
    entries = _entries(written.strip()) if isinstance(written, str) else list(written)
    return [_server(entry) for entry in entries if entry != ""]


def _entries(text: str) -> list[Any]:
    if text.startswith("["):
        return list(_parsed(text))
    return [text] if text.startswith("{") else [word.strip() for word in text.split(",")]


def _server(entry: Any) -> dict[str, Any]:
    if isinstance(entry, str) and not entry.strip().startswith("{"):
        return {"urls": entry.strip()}
    server = _parsed(entry) if isinstance(entry, str) else entry
    if not isinstance(server, dict) or not server.get("urls") or set(server) - KEYS:
        raise ValueError(FORM)
    return {key: value for key, value in server.items() if value is not None}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise ValueError(FORM) from None
