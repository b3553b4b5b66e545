"""The data channel of FULL: every command and event, in each spelling that a source has."""

import json
from typing import Any

import pytest

from liveavatar.channel import (
    MAX_PACKET_BYTES,
    Act,
    AgentCommand,
    AgentEvent,
    Command,
    Other,
    Speech,
    Stopped,
    Talk,
    Tell,
    Words,
    decode,
    encode,
)
from liveavatar.orders import BadOrder, Order, read_order
from liveavatar.wire import EndReason

pytestmark = pytest.mark.patient

ENVELOPE = {"event_id": "e", "session_id": "s", "source_event_id": None}


def event(event_type: str, **fields: Any) -> Any:
    """What an event is read as."""
    return decode(json.dumps({**ENVELOPE, "event_type": event_type, **fields}).encode())


@pytest.mark.parametrize("who", ["user", "avatar"])
@pytest.mark.parametrize("begins", [True, False])
def test_who_begins_and_ends_to_speak(who: str, begins: bool) -> None:
    read = event(f"{who}.speak_{'started' if begins else 'ended'}")
    assert isinstance(read, Speech)
    assert (read.who, read.begins, read.event_id, read.session_id) == (who, begins, "e", "s")


@pytest.mark.parametrize("who", ["user", "avatar"])
@pytest.mark.parametrize(
    ("name", "is_final"),
    [
        ("transcription", True),
        ("transcription.chunk", False),
        ("transcription_chunk", False),
    ],
)
@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Hello"},
        {"payload": {"text": "Hello"}},
        {"text": None, "payload": {"text": "Hello"}},
    ],
)
def test_what_was_said(who: str, name: str, is_final: bool, fields: dict[str, Any]) -> None:
    read = event(f"{who}.{name}", **fields)
    assert isinstance(read, Words)
    assert (read.who, read.text, read.is_final) == (who, "Hello", is_final)


@pytest.mark.parametrize(
    ("name", "presses", "succeeds"),
    [
        ("started", True, True),
        ("start_failed", True, False),
        ("stopped", False, True),
        ("stop_failed", False, False),
    ],
)
def test_what_became_of_the_button(name: str, presses: bool, succeeds: bool) -> None:
    read = event(f"user.push_to_talk_{name}")
    assert isinstance(read, Talk)
    assert (read.presses, read.succeeds) == (presses, succeeds)


@pytest.mark.parametrize("name", ["session.stopped", "session_stopped"])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"end_reason": "IDLE_TIMEOUT"}, EndReason.IDLE_TIMEOUT),
        ({"stop_reason": "AGENT_HANG_UP", "end_reason": None}, EndReason.AGENT_HANG_UP),
        ({"stop_reason": None, "end_reason": "NO_CREDITS"}, EndReason.NO_CREDITS),
        ({"stop_reason": "A_NEW_ONE"}, "A_NEW_ONE"),
        ({"stop_reason": 7}, EndReason.UNKNOWN),
        ({}, EndReason.UNKNOWN),
    ],
)
def test_an_end_is_understood_whatever_its_reason(
    name: str, fields: dict[str, Any], reason: str
) -> None:
    read = event(name, **fields)
    assert isinstance(read, Stopped) and read.reason == reason


def test_what_elevenlabs_agent_says() -> None:
    read = event("elevenlabs_agent_event", elevenlabs_event_type="agent_response", data={"a": 1})
    assert isinstance(read, AgentEvent)
    assert (read.elevenlabs_event_type, read.data) == ("agent_response", {"a": 1})


@pytest.mark.parametrize(
    "told",
    [
        {"event_type": "session.state_updated", "state": "x"},
        {"event_type": "user.transcription", "text": {"not": "text"}},
        {"event_type": "avatar.smiled"},
    ],
)
def test_what_is_new_is_handed_on_as_it_is(told: dict[str, Any]) -> None:
    read = decode(json.dumps(told | {"event_id": 3}).encode())
    assert isinstance(read, Other)
    assert (read.event_type, read.fields) == (told["event_type"], told | {"event_id": 3})


@pytest.mark.parametrize(
    "packet", [b"", b"\xff", b"{", b"[]", b"{}", b'{"event_type": 1}', b"[" * 100_000]
)
def test_what_is_no_event_is_none(packet: bytes) -> None:
    assert decode(packet) is None
    with pytest.raises(BadOrder):
        read_order(packet)


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        (Act(event_type="avatar.interrupt"), {"event_type": "avatar.interrupt"}),
        (
            Act(event_type="user.start_push_to_talk", event_id="e"),
            {"event_type": "user.start_push_to_talk", "event_id": "e"},
        ),
        (
            Tell(event_type="avatar.speak_response", text="Why?"),
            {"event_type": "avatar.speak_response", "text": "Why?"},
        ),
        (
            AgentCommand(elevenlabs_event_type="user_message", data={"text": "x"}, session_id="s"),
            {
                **{"event_type": "elevenlabs_agent_command", "event_id": None, "session_id": "s"},
                **{"source_event_id": None, "elevenlabs_event_type": "user_message"},
                "data": {"text": "x"},
            },
        ),
    ],
)
def test_commands_are_sent_as_the_sdk_does_and_read_again(
    command: Command, sent: dict[str, Any]
) -> None:
    assert json.loads(encode(command)) == sent
    text = command.text if isinstance(command, Tell) else ""
    told = isinstance(command, AgentCommand)
    vendors = (command.elevenlabs_event_type, command.data) if told else ("", {})
    read = Order(command.event_type, command.event_id, text, *vendors)
    assert read_order(encode(command)) == read


@pytest.mark.parametrize("wrong", [{"elevenlabs_event_type": 7}, {"data": "text"}])
def test_what_a_vendors_agent_is_told_is_checked(wrong: dict[str, Any]) -> None:
    packet = {"event_type": "elevenlabs_agent_command", **wrong}
    with pytest.raises(BadOrder):
        read_order(json.dumps(packet).encode())


def test_a_command_is_read_in_the_older_form_too() -> None:
    packet = b'{"event_type": "avatar.speak_text", "payload": {"text": "Hello"}}'
    assert read_order(packet) == Order("avatar.speak_text", text="Hello")


def test_what_fits_into_no_packet_is_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match=f"packet of {MAX_PACKET_BYTES}: say it in parts"):
        encode(Tell(event_type="avatar.speak_text", text="ü" * MAX_PACKET_BYTES))


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a": ', "}")])
def test_a_command_that_is_nested_deeper_than_anything_means_is_none(
    opens: str, closes: str
) -> None:
    def command(depth: int) -> bytes:
        nested = f"{opens * depth}1{closes * depth}"
        return f'{{"event_type": "e", "data": {{"a": {nested}}}}}'.encode()

    assert read_order(command(20)).data
    for depth in (70, 900, 7000):
        with pytest.raises(BadOrder):
            read_order(command(depth))
