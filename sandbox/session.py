"""One session: what was asked for, when things happened, and what was said on the wire."""

from collections import deque
from typing import Any, Literal

from pydantic import BaseModel, Field, PrivateAttr

from liveavatar.wire import EndReason, FullRequest, LiteRequest, Mode, TokenRequest

LOG_ENTRIES = 5000
# Two minutes of s16le mono 24 kHz.
VOICE_BYTES = 120 * 2 * 24_000
# Variables of this name are for nobody but the tools of a vendor's agent.
SECRET, HIDDEN = "secret__", "[hidden]"
UNLOGGED = ("livekit_client_token", "agora_token", "token", "session_token", "ws_url")


class Session(BaseModel):
    """A session from its token on. Times are in seconds since the epoch."""

    id: str
    request: TokenRequest
    created_at: float
    max_duration_s: int
    socket_secret: str = Field(repr=False)
    embed_id: str | None = None
    """The embed whose page asked for it."""
    started_at: float | None = None
    ended_at: float | None = None
    end_reason: EndReason | None = None
    heard_at: float = 0.0
    socket_lost_at: float | None = None
    minutes: int = 0
    credits_consumed: int = 0
    transcript: list[dict[str, Any]] = Field(default_factory=list)
    _log: deque[dict[str, Any]] = PrivateAttr(default_factory=lambda: deque(maxlen=LOG_ENTRIES))
    _voice: bytearray = PrivateAttr(default_factory=bytearray)

    @property
    def mode(self) -> Mode:
        """FULL or LITE; CUSTOM is LITE."""
        return Mode.FULL if isinstance(self.request, FullRequest) else Mode.LITE

    @property
    def phase(self) -> Literal["token", "active", "historic"]:
        """Where in its life the session is."""
        if self.ended_at is not None:
            return "historic"
        return "token" if self.started_at is None else "active"

    @property
    def has_socket(self) -> bool:
        """Whether the session is driven over a WebSocket: plain LITE only."""
        return isinstance(self.request, LiteRequest) and not self.request.connector

    @property
    def credits_a_minute(self) -> int:
        """What a minute costs (2.8)."""
        if self.request.is_sandbox:
            return 0
        return 2 if self.mode is Mode.FULL else 1

    @property
    def voice(self) -> bytes:
        """The last two minutes of speech received: s16le mono 24 kHz."""
        return bytes(self._voice)

    def hear(self, pcm: bytes) -> None:
        """Keep speech for the control plane: s16le mono 24 kHz."""
        self._voice += pcm
        del self._voice[:-VOICE_BYTES]

    @property
    def log(self) -> list[dict[str, Any]]:
        """What came in and went out, oldest first; audio is its number of bytes."""
        return list(self._log)

    def note(self, at: float, way: str, message: dict[str, Any]) -> None:
        """Keep a message for the control plane, without its secrets and its audio."""
        self._log.append({"at": at, "way": way, "message": shown(message)})

    def forget_record(self) -> None:
        """Let go of what came in and went out, and of the speech."""
        self._log.clear()
        self._voice.clear()


def shown(value: Any) -> Any:
    """What may be seen of a message or a request: no token, no audio, no secret variable."""
    if isinstance(value, list):
        return [shown(each) for each in value]
    if not isinstance(value, dict):
        return value
    rest = {
        name: HIDDEN if str(name).startswith(SECRET) else shown(inner)
        for name, inner in value.items()
        if name not in UNLOGGED and name != "audio"
    }
    if isinstance(audio := value.get("audio"), str):
        rest["audio_base64_chars"] = len(audio)
    return rest
