"""Packets as others send them: commands are read by the server's end, events by the client's."""

import json
from typing import Any

import pytest

from liveavatar.channel import decode
from liveavatar.orders import Order, read_order, response
from liveavatar.wire import COMMAND
from tests.liveavatar.vectors import vectors

pytestmark = pytest.mark.patient


@pytest.mark.parametrize("vector", vectors("commands"))
def test_every_command_is_read(vector: dict[str, Any]) -> None:
    assert read_order(json.dumps(vector["packet"]).encode()) == Order(*vector["read"])


@pytest.mark.parametrize("vector", vectors("events"))
def test_every_event_is_understood(vector: dict[str, Any]) -> None:
    read = decode(json.dumps(vector["packet"]).encode())
    assert type(read).__name__ == vector["is"]
    assert {name: getattr(read, name) for name in vector["has"]} == vector["has"]


@pytest.mark.parametrize("vector", vectors("socket"))
def test_every_command_of_the_websocket_is_understood(vector: dict[str, Any]) -> None:
    read = COMMAND.validate_json(json.dumps(vector["packet"]))
    assert type(read).__name__ == vector["is"]


@pytest.mark.parametrize("vector", vectors("events"))
def test_what_the_server_writes_has_the_fields_of_the_documents(vector: dict[str, Any]) -> None:
    documented = {"event_id": "e", "session_id": "s", "source_event_id": None, **vector["packet"]}
    envelope = ("event_type", "event_id", "session_id", "source_event_id")
    fields = {name: field for name, field in documented.items() if name not in envelope}
    written = response(*(documented[name] for name in envelope), **fields)
    assert written.items() >= documented.items()
