"""What LiveAvatar knows: the shapes of its answers (liveavatar-protocol: 2.5, 2.7 and 5).

They are read tolerantly. A field that is null counts as missing, one that no source is sure of has
a default, and fields nobody knows are left out, so that a new one breaks nothing.
"""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AliasChoices,
    Base64Bytes,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from liveavatar.wire import Message


class Record(Message):
    """Something of the account's."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: field for name, field in value.items() if field is not None}
        return value

    @property
    def key(self) -> str:
        """What tells it apart from others in a list."""
        return str(getattr(self, "id", "")) or self.model_dump_json()


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> datetime | None:
    """No list is lost for a time that is written in another way."""
    with suppress(ValidationError, OverflowError):
        return read(value)
    return None


R = TypeVar("R", bound=Record)
Time = Annotated[datetime | None, WrapValidator(_or_none)]


class Page(Record, Generic[R]):
    """One page of a longer list; a bare array is a page without others."""

    results: list[R]
    count: int = 0
    next: str | None = None
    previous: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_array(cls, value: Any) -> Any:
        return {"results": value, "count": len(value)} if isinstance(value, list) else value


class Dated(Record):
    """What has an id, and times."""

    id: str
    created_at: Time = None
    updated_at: Time = None


class Named(Record):
    """Another thing, by id and name."""

    id: str
    name: str = ""


class Avatar(Dated):
    """A face. `type` is IMAGE or VIDEO, `status` ACTIVE, INIT, DEPLOYING or FAILED."""

    name: str
    type: str = ""
    status: str = ""
    space_id: str | None = None
    preview_url: str | None = None
    is_expired: bool = False
    is_1080p: bool = False
    default_voice: Named | None = None
    """None of an avatar made of an image."""
    error_message: str | None = None


class Voice(Dated):
    """A voice; `language` is its code."""

    name: str
    description: str | None = None
    language: str = ""
    gender: str | None = None
    tags: list[str] = Field(default_factory=list)


class Preview(Record):
    """What a voice sounds like: an audio file."""

    audio_base64: Base64Bytes


class Link(Record):
    """A page that a context may draw on."""

    url: str
    faq: str | None = None
    id: str | None = None


class ContextEntry(Dated):
    """A context in a list."""

    name: str


class Context(ContextEntry):
    """What an avatar knows in FULL: `${name}` in its texts is a dynamic variable."""

    prompt: str = ""
    opening_text: str = ""
    links: list[Link] = Field(default_factory=list)
    required_dynamic_variables: list[str] = Field(default_factory=list)


class Secret(Dated):
    """A key of another vendor's, whose value is never given back."""

    id: str = Field(validation_alias=AliasChoices("id", "secret_id"))
    secret_name: str
    secret_type: str = ""


class LLM(Dated):
    """A language model of one's own; `base_url` is missing in lists."""

    model_name: str = Field(validation_alias=AliasChoices("model_name", "model"))
    display_name: str = ""
    secret_id: str | None = None
    base_url: str | None = None


class Memory(Dated):
    """What is remembered of a session, for `memory` of a token request (2.2)."""

    id: str = Field(validation_alias=AliasChoices("id", "session_memory_id", "memory_id"))
    memory_type: str = "session"
    session_id: str | None = None


class Made(Record):
    """The id of what was created, by whichever name (13.13)."""

    id: str = Field(
        validation_alias=AliasChoices(
            *("id", "secret_id", "voice_id", "context_id", "llm_configuration_id"),
            *("session_memory_id", "memory_id"),
        )
    )


class Embed(Record):
    """A page with an avatar, and the HTML that shows it."""

    embed_id: str
    url: str
    script: str | None = None
    orientation: str = ""


class Credits(Record):
    """What is left of the account; the wire has it as text."""

    credits_left: Decimal


class Language(Record):
    """A language and its code."""

    language: str
    code: str


class SessionEntry(Dated):
    """A session, with its end if it has come. `duration` is in seconds."""

    duration: int = 0
    source: str = ""
    mode: str = ""
    is_sandbox: bool = False
    credits_consumed: float = 0.0
    end_at: Time = None
    end_reason: str | None = None


class Line(Record):
    """What somebody said; `role` is user or avatar. Times are as LiveAvatar counts them."""

    role: str
    transcript: str
    absolute_timestamp: int = 0
    relative_timestamp: int = 0


class Transcript(Record):
    """What was said. What comes later is asked for with `next_timestamp` as the start.

    `session_active` is None where LiveAvatar does not say it.
    """

    session_active: bool | None = None
    next_timestamp: int | None = None
    transcript_data: list[Line] = Field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether LiveAvatar says that the session is over."""
        return self.session_active is False


class Started(Record):
    """A session that runs (2.5); its room is joined by url and client token.

    Without `ws_url` in FULL and with a connector. `max_session_duration` is in seconds.
    """

    session_id: str
    livekit_url: str
    livekit_client_token: str = Field(repr=False)
    livekit_agent_token: str | None = Field(None, repr=False)
    max_session_duration: int | None = None
    ws_url: str | None = Field(None, repr=False)
