"""Request bodies of everything but sessions (liveavatar-protocol: section 5), both spellings."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
)

URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _address(text: str) -> str:
    """Raises: ValidationError for what nothing can be asked at; "" is the vendor's usual one."""
    if text:
        URL.validate_python(text)
    return text


Address = Annotated[str, AfterValidator(_address)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Body(BaseModel):
    """A request body; unknown fields are ignored."""

    model_config = ConfigDict(populate_by_name=True)


class Link(Body):
    """A page a context may draw on."""

    url: str
    faq: str | None = None
    id: str | None = None


class NewContext(Body):
    """A context to create; `opening_text` may be missing (13.18)."""

    name: Name
    prompt: str
    opening_text: str | None = None
    links: list[Link] = Field(default_factory=list)


class ContextChange(Body):
    """Fields of a context to change."""

    name: Name | None = None
    prompt: str | None = None
    opening_text: str | None = None
    links: list[Link] | None = None


class VoiceChange(Body):
    """A voice's new name."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ThirdPartyVoice(Body):
    """A voice of a provider; its id goes by two names (13.11)."""

    provider_voice_id: str = Field(
        min_length=1, validation_alias=AliasChoices("provider_voice_id", "voice_id")
    )
    secret_id: str
    name: Name | None = None


class AvatarChange(Body):
    """Fields of an avatar to change."""

    name: Name | None = None
    default_voice_id: str | None = None


class NewSecret(Body):
    """A secret to keep; its value is never given back."""

    secret_name: Name
    secret_value: str = Field(min_length=1, repr=False)
    secret_type: Literal[
        "OPENAI_API_KEY",
        "ELEVENLABS_API_KEY",
        "GEMINI_API_KEY",
        "LLM_API_KEY",
        "CARTESIA_API_KEY",
    ]


class NewLLM(Body):
    """An LLM configuration to create (13.6)."""

    model_name: Name = Field(validation_alias=AliasChoices("model_name", "model"))
    secret_id: str
    display_name: str | None = None
    base_url: Address | None = None


class LLMChange(Body):
    """Fields of an LLM configuration to change."""

    model_name: Name | None = Field(None, validation_alias=AliasChoices("model_name", "model"))
    secret_id: str | None = None
    display_name: str | None = None
    base_url: Address | None = None


class NewEmbed(Body):
    """A page with an avatar."""

    avatar_id: UUID
    context_id: str | None = None
    voice_id: str | None = None
    voice_agent_id: str | None = None
    type: Literal["DEFAULT", "WIDGET"] = "DEFAULT"
    max_session_duration: int | None = Field(None, gt=0)
    default_language: str = Field("en", max_length=5)
    is_sandbox: bool = False
    orientation: Literal["horizontal", "vertical"] = "horizontal"


class NewMemory(Body):
    """What a session is to be remembered by."""

    memory_type: Literal["session"]
    session_id: str


class Feedback(Body):
    """Feedback of an agent."""

    feedback_data: dict[str, str]
