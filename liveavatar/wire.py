"""LiveAvatar's messages: what REST and the LITE WebSocket carry (liveavatar-protocol: 1 to 3).

Requests are read tolerantly (unknown fields are ignored, both spellings of section 13 are
accepted); what is sent has the spelling most sources agree on.
"""

from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

from liveavatar.voicing import Voicing

OK = 1000
SAMPLE_RATE = 24_000
"""Hz of the audio in both directions: s16le mono."""
MAX_MESSAGE_BYTES = 1_000_000
"""The most one WebSocket message may hold (3.2)."""
AVATAR_IDENTITY = "heygen"
"""The avatar's identity in a hosted room (3.6)."""
SANDBOX_AVATARS = ("dd73ea75-1218-4ef3-92ce-606d5f7fbc0a", "65f9e3c9-d48b-4118-b73a-4ae2e3cbb8f0")
"""The avatars of one-minute sandbox sessions; the first, "Wayne", is the documented one (8)."""

T = TypeVar("T")


class Mode(StrEnum):
    """Who runs the conversation: LiveAvatar (FULL) or the client (LITE)."""

    FULL = "FULL"
    LITE = "LITE"


class Quality(StrEnum):
    """Height of the picture by its name; `size` is (width, height) in pixels."""

    very_high = "very_high"
    high = "high"
    medium = "medium"
    low = "low"

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return SIZES[self]


SIZES = {
    Quality.very_high: (1920, 1080),
    Quality.high: (1280, 720),
    Quality.medium: (854, 480),
    Quality.low: (640, 360),
}


class Encoding(StrEnum):
    """Codec of the video."""

    H264 = "H264"
    VP8 = "VP8"


class EndReason(StrEnum):
    """Why a session ended (2.6)."""

    UNKNOWN = "UNKNOWN"
    USER_DISCONNECTED = "USER_DISCONNECTED"
    SERVER_ERROR = "SERVER_ERROR"
    IDLE_TIMEOUT = "IDLE_TIMEOUT"
    NO_CREDITS = "NO_CREDITS"
    USER_CLOSED = "USER_CLOSED"
    AVATAR_DELETED = "AVATAR_DELETED"
    MAX_DURATION_REACHED = "MAX_DURATION_REACHED"
    ZOMBIE_SESSION_REAP = "ZOMBIE_SESSION_REAP"
    AGENT_HANG_UP = "AGENT_HANG_UP"
    DISPATCH_FAILED = "DISPATCH_FAILED"


class Message(BaseModel):
    """Anything on the wire."""

    model_config = ConfigDict(populate_by_name=True)


class Envelope(Message, Generic[T]):
    """Every REST answer; `data` is None in an error."""

    code: int = OK
    data: T | None = None
    message: str = "ok"


class VideoSettings(Message):
    """How the avatar's video is sent."""

    quality: Quality = Quality.high
    encoding: Encoding = Encoding.H264


class LiveKitConfig(Message):
    """A LiveKit room of the client's own; the token is the avatar's (7)."""

    livekit_url: str = Field(min_length=1, validation_alias=AliasChoices("livekit_url", "url"))
    livekit_client_token: str = Field(
        min_length=1, repr=False, validation_alias=AliasChoices("livekit_client_token", "token")
    )
    livekit_room: str | None = None


class AgoraConfig(Message):
    """An Agora channel of the client's own."""

    agora_app_id: str = Field(validation_alias=AliasChoices("agora_app_id", "app_id"))
    agora_token: str = Field(repr=False, validation_alias=AliasChoices("agora_token", "token"))
    agora_channel: str = Field(validation_alias=AliasChoices("agora_channel", "channel"))
    agora_uid: str | int = Field(validation_alias=AliasChoices("agora_uid", "uid"))


class Connector(Message):
    """A vendor's agent that runs a LITE session (2.3): its fields are kept as they came."""

    model_config = ConfigDict(extra="allow")

    secret_id: str


class ElevenLabsConfig(Connector):
    """An agent of ElevenLabs."""

    agent_id: str
    voice_id: str | None = None
    dynamic_variables: dict[str, str | int | float | bool] | None = None


class OpenAIConfig(Connector):
    """OpenAI's realtime model."""

    context_id: str | None = None
    temperature: float = Field(0.8, ge=0.6, le=1.2)


class GeminiConfig(Connector):
    """Gemini's live model."""

    context_id: str | None = None
    temperature: float = Field(0.8, ge=0, le=2)


class AvatarPersona(Message):
    """Voice, context and language of a FULL session; LITE ignores it."""

    voice_id: str | None = None
    context_id: str | None = None
    language: str = "en"
    voice_settings: Voicing | None = None
    stt_config: dict[str, Any] | None = None


class VoiceAgent(Message):
    """A stored agent, instead of a persona."""

    id: str
    language: str | None = None


class SessionRequest(Message):
    """What both modes ask for (2.1)."""

    avatar_id: UUID
    is_sandbox: bool = False
    video_settings: VideoSettings | None = None
    max_session_duration: int | None = Field(default=None, gt=0, description="seconds")
    avatar_persona: AvatarPersona | None = None
    video_quality: Quality | None = None
    video_encoding: Encoding | None = None

    @property
    def video(self) -> VideoSettings:
        """The video settings; nested ones win over those at the top level (13.14)."""
        quality, encoding = self.video_quality, self.video_encoding
        top = VideoSettings(quality=quality or Quality.high, encoding=encoding or Encoding.H264)
        return self.video_settings or top


# How many variables a session is given, and how long their names are (2.2).
MOST_VARIABLES, LONGEST_NAME = 50, 64
VariableName = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
VariableValue = Annotated[str, StringConstraints(max_length=1000)]


class FullRequest(SessionRequest):
    """A session whose conversation LiveAvatar runs (2.2)."""

    mode: Literal["FULL"]
    voice_agent: VoiceAgent | None = None
    interactivity_type: Literal["CONVERSATIONAL", "PUSH_TO_TALK"] = "CONVERSATIONAL"
    llm_configuration_id: str | None = None
    dynamic_variables: dict[VariableName, VariableValue] = Field(
        default_factory=dict, max_length=MOST_VARIABLES
    )
    memory: dict[str, str | None] | None = None

    @model_validator(mode="after")
    def _one_speaker(self) -> "FullRequest":
        if self.avatar_persona and self.voice_agent:
            raise ValueError("avatar_persona and voice_agent exclude each other")
        return self


class LiteRequest(SessionRequest):
    """A session whose conversation the client runs (2.3); CUSTOM is its old name."""

    mode: Literal["LITE", "CUSTOM"]
    livekit_config: LiveKitConfig | None = None
    agora_config: AgoraConfig | None = None
    elevenlabs_agent_config: ElevenLabsConfig | None = None
    openai_realtime_config: OpenAIConfig | None = None
    gemini_realtime_config: GeminiConfig | None = None

    @model_validator(mode="after")
    def _one_block(self) -> "LiteRequest":
        blocks = [self.livekit_config, self.agora_config, *self._connectors().values()]
        if sum(block is not None for block in blocks) > 1:
            raise ValueError("at most one *_config can be given")
        return self

    def _connectors(self) -> dict[str, ElevenLabsConfig | OpenAIConfig | GeminiConfig | None]:
        return {
            "ELEVENLABS_AGENT": self.elevenlabs_agent_config,
            "OPENAI_REALTIME": self.openai_realtime_config,
            "GEMINI_REALTIME": self.gemini_realtime_config,
        }

    @property
    def connector(self) -> str | None:
        """Whose agent runs the session, None in plain LITE."""
        return next((name for name, config in self._connectors().items() if config), None)

    @property
    def connector_config(self) -> ElevenLabsConfig | OpenAIConfig | GeminiConfig | None:
        """What that agent is, None in plain LITE."""
        return next((config for config in self._connectors().values() if config), None)


TokenRequest = Annotated[FullRequest | LiteRequest, Field(discriminator="mode")]


class TokenData(Message):
    """Answer to a token request (2.4)."""

    session_id: str
    session_token: str = Field(repr=False)


class StartData(Message):
    """Answer to a start request (2.5); without `ws_url` in FULL and with a connector."""

    session_id: str
    livekit_url: str
    livekit_client_token: str = Field(repr=False)
    livekit_agent_token: str = Field(repr=False)
    max_session_duration: int = Field(description="seconds")
    ws_url: str | None = Field(None, repr=False)


class SessionNamed(Message):
    """The body of keep-alive, and the least of stop."""

    session_id: str | None = None


class StopRequest(SessionNamed):
    """The body of stop (2.6); without any body the reason is USER_CLOSED."""

    reason: EndReason = EndReason.UNKNOWN


class Command(Message):
    """A client's message over the WebSocket (3.1)."""

    event_id: str | None = None


class Speak(Command):
    """Speech to append: base64 of s16le mono 24 kHz."""

    type: Literal["agent.speak"]
    audio: str


class SpeakEnd(Command):
    """The utterance is complete; may bring the last of its audio."""

    type: Literal["agent.speak_end"]
    audio: str | None = None


class Interrupt(Command):
    """Drop what is buffered and go idle."""

    type: Literal["agent.interrupt"]


class Listen(Command):
    """Take or leave the listening pose."""

    type: Literal["agent.start_listening", "agent.stop_listening"]


class KeepAlive(Command):
    """The session is still wanted."""

    type: Literal["session.keep_alive"]


class Start(Command):
    """Undocumented; sent by some clients and to be ignored."""

    type: Literal["start"]


AnyCommand = Speak | SpeakEnd | Interrupt | Listen | KeepAlive | Start
COMMAND: TypeAdapter[AnyCommand] = TypeAdapter(Annotated[AnyCommand, Field(discriminator="type")])

AgentState = Literal["idle", "listening", "talking"]
SessionState = Literal["connected", "closing", "disconnected"]


class Task(Message):
    """An utterance, as the server counts them."""

    id: str


class Problem(Message):
    """What an `error` or `warning` is about."""

    type: Literal["invalid_request_error", "server_error", "video_starvation"]
    message: str
    event_id: str | None = None


class Event(Message):
    """A server's message over the WebSocket (3.3); fields that are None are not sent.

    `event_id` is the event's own, but for `agent.speak_*`, which carry that of the first speak
    of their utterance when it has one. `source_event_id` is the client's.
    """

    type: str
    event_id: str
    source_event_id: str | None = None
    task: Task | None = None
    state: SessionState | None = None
    previous_state: AgentState | None = None
    new_state: AgentState | None = None
    error: Problem | None = None
    warning: Problem | None = None

    def sent(self) -> dict[str, Any]:
        """The JSON object: `source_event_id` is always there, null when the client sent none."""
        return {"source_event_id": None, **self.model_dump(exclude_none=True)}
