"""What a FULL session says over its room's data channel (liveavatar-protocol: 4 and 6).

Plain functions from values to packets and back; the room belongs to somebody else. Packets are
reliable and of UTF-8 JSON: commands have the topic `CONTROL`, events the topic `RESPONSE`.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from liveavatar.wire import EndReason, Message

CONTROL, RESPONSE = "agent-control", "agent-response"
# What LiveKit takes in a reliable packet.
MAX_PACKET_BYTES = 15_000
Speaker = Literal["user", "avatar"]


def _name(value: Any) -> str | None:
    """An id or a reason; no event is lost for one that is no text."""
    return value if isinstance(value, str) else None


Id = Annotated[str | None, BeforeValidator(_name)]


class Packet(Message):
    """What has a type. Text may stand in `payload`, where some sources have it."""

    event_id: Id = None
    session_id: Id = None
    source_event_id: Id = None

    @model_validator(mode="before")
    @classmethod
    def _with_payload(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        payload = value.get("payload")
        layers = (payload, value) if isinstance(payload, dict) else (value,)
        return {n: field for layer in layers for n, field in layer.items() if field is not None}


class Act(Packet):
    """A command of no words: silence the avatar, have it listen, or press and let go of talk."""

    event_type: Literal[
        "avatar.interrupt",
        "avatar.start_listening",
        "avatar.stop_listening",
        "user.start_push_to_talk",
        "user.stop_push_to_talk",
    ]


class Tell(Packet):
    """Words for the avatar: to be said as they are, or answered."""

    event_type: Literal["avatar.speak_text", "avatar.speak_response"]
    text: str


class AgentCommand(Packet):
    """What ElevenLabs' agent is told (6): `data` is as its own protocol has it."""

    event_type: Literal["elevenlabs_agent_command"] = "elevenlabs_agent_command"
    elevenlabs_event_type: Literal[
        "user_message", "contextual_update", "user_activity", "client_tool_result"
    ]
    data: dict[str, Any] = Field(default_factory=dict)


class Speech(Packet):
    """Somebody begins or ends to speak."""

    event_type: Literal[
        "user.speak_started",
        "user.speak_ended",
        "avatar.speak_started",
        "avatar.speak_ended",
    ]

    @property
    def who(self) -> Speaker:
        """Who speaks."""
        return _speaker(self.event_type)

    @property
    def begins(self) -> bool:
        """Whether they begin."""
        return self.event_type.endswith("started")


class Words(Packet):
    """What somebody has said, or what is known of it so far."""

    event_type: Literal[
        "user.transcription",
        "user.transcription.chunk",
        "avatar.transcription",
        "avatar.transcription.chunk",
    ]
    text: str

    @property
    def who(self) -> Speaker:
        """Who says it."""
        return _speaker(self.event_type)

    @property
    def is_final(self) -> bool:
        """Whether it is all of it."""
        return not self.event_type.endswith("chunk")


class Talk(Packet):
    """What became of pressing, or letting go of, the button to talk (4.3)."""

    event_type: Literal[
        "user.push_to_talk_started",
        "user.push_to_talk_start_failed",
        "user.push_to_talk_stopped",
        "user.push_to_talk_stop_failed",
    ]

    @property
    def presses(self) -> bool:
        """Whether it is about pressing."""
        return "push_to_talk_start" in self.event_type

    @property
    def succeeds(self) -> bool:
        """Whether it was done."""
        return not self.event_type.endswith("failed")


class Stopped(Packet):
    """The session is over; `reason` is an `EndReason`, or one that is newer (13.21)."""

    event_type: Literal["session.stopped"]
    reason: Annotated[EndReason | str, BeforeValidator(lambda value: _name(value) or "UNKNOWN")] = (
        Field(
            EndReason.UNKNOWN,
            union_mode="left_to_right",
            validation_alias=AliasChoices("stop_reason", "end_reason", "reason"),
        )
    )


class AgentEvent(Packet):
    """What ElevenLabs' agent says (6)."""

    event_type: Literal["elevenlabs_agent_event"]
    elevenlabs_event_type: str
    data: dict[str, Any] = Field(default_factory=dict)


class Other(Packet):
    """An event that is new, or not as it was; `fields` are all that it has."""

    event_type: str
    fields: dict[str, Any] = Field(default_factory=dict)


Command = Act | Tell | AgentCommand
COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="event_type")])
Known = Speech | Words | Talk | Stopped | AgentEvent
Event = Known | Other
EVENTS: TypeAdapter[Known] = TypeAdapter(Annotated[Known, Field(discriminator="event_type")])
DOTTED = {
    name.replace(".", "_"): name
    for kind in (Speech, Words, Talk, Stopped, AgentEvent)
    for name in get_args(kind.model_fields["event_type"].annotation)
}


def encode(command: Command) -> bytes:
    """A command as a packet of the topic `CONTROL`, with the text at the top (13.20).

    Raises:
        ValueError: it is too long for one.
    """
    bare = not isinstance(command, AgentCommand)
    packet = command.model_dump_json(exclude_none=bare).encode()
    if len(packet) > MAX_PACKET_BYTES:
        raise ValueError(
            f"{len(packet)} bytes do not fit into a packet of {MAX_PACKET_BYTES}: say it in parts"
        )
    return packet


def decode(packet: bytes) -> Event | None:
    """A packet of the topic `RESPONSE`; None if it is no event.

    Names are read with dots and with underscores (13.22).
    """
    return event_of(_object(packet))


def command_of(told: Any) -> Command | None:
    """A command, as its sender knows it; None if it is none."""
    try:
        return COMMANDS.validate_python(told)
    except ValidationError:
        return None


def event_of(told: Any) -> Event | None:
    """An event that somebody else has read; None if it is none."""
    name = told.get("event_type") if isinstance(told, dict) else None
    if not isinstance(name, str):
        return None
    try:
        return EVENTS.validate_python({**told, "event_type": DOTTED.get(_flat(name), name)})
    except ValidationError:
        return Other(**{**told, "event_type": name, "fields": told})


def _object(packet: bytes) -> Any:
    """What a packet holds, None when that is not known."""
    try:
        return from_json(packet)
    except ValueError:
        return None


def _flat(name: str) -> str:
    return name.replace(".", "_")


def _speaker(name: str) -> Speaker:
    return "user" if name.startswith("user") else "avatar"
