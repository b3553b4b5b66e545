"""What other clients and documents send, as JSON of their own: `vectors.json`, by kind."""

import json
from pathlib import Path
from typing import Any

import pytest

ALL: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("vectors.json").read_text()
)


def vectors(kind: str) -> list[Any]:
    """The vectors of a kind, named by the section and by who has them so."""
    return [pytest.param(each, id=each["source"]) for each in ALL[kind]]


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A vector with the ids of what was made for it in place of `{context}` and the like."""
    text = json.dumps(value)
    for name, id_ in ids.items():
        text = text.replace(f"{{{name}}}", id_)
    return json.loads(text)
