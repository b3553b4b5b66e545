"""Everything that can be set: flags > environment > .env > defaults.

Nothing else reads the environment. Settings are loaded once and passed on as an argument.
"""

import json
import os
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .errors import BadSetting
from .ice import ice_servers

Size = Annotated[tuple[int, int], NoDecode]
ENV_FILE = ".env"
NO_KEY = SecretStr("")
HOLDING_SECRETS = ("avatar_ice_servers",)
ORIGIN = re.compile(r"\*|https?://([\w.-]+|\[[0-9a-f:]+\])(:\d+)?")


class Settings(BaseSettings):
    """All settings, frozen. A field's name in capitals is its name in the environment."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    # The parts. "auto" is the cloud part when its key is set, else the local one.
    stt: str = Field("auto", description="speech to text: deepgram, moonshine, whisper")
    llm: str = Field("auto", description="language model: gemini, ollama, guide")
    tts: str = Field("auto", description="text to speech: cartesia, hibari, piper")
    avatar: str = Field("auto", description="face: heygen, puppet, none")
    transport: str = Field("auto", description="where to meet: webrtc, daily, livekit, heygen")

    # The conversation.
    avatar_persona: str = Field(
        "mira", description="persona: a YAML file, or mira or theo; unset, users choose"
    )
    avatar_visitor_variables: str = Field(
        "",
        description="variables of the persona that visitors may fill, as guest,topic; empty: none",
    )
    avatar_language: str = Field(
        "", description="language of the conversation, as en or de-DE; empty for the persona's"
    )
    avatar_transcripts: str = Field(
        "transcripts", description="folder for transcripts, or none to keep none"
    )
    avatar_patience: Literal["", "quick", "balanced", "patient"] = Field(
        "",
        description="how long a pause may be: quick, balanced or patient; empty for the persona's",
    )
    avatar_speculation: bool = Field(
        True, description="let the mind begin before the user has surely finished; costs calls"
    )
    avatar_idle_s: float = Field(
        30.0, gt=0, description="seconds of silence before the user is asked, once"
    )
    avatar_max_duration_s: float = Field(
        1800.0, gt=0, description="seconds after which a conversation is ended"
    )

    # The page and its server.
    avatar_host: str = Field("localhost", description="address the server listens on")
    avatar_port: int = Field(7860, ge=0, le=65535, description="port of the server, 0 for any")
    avatar_open: bool = Field(True, description="open the page in a browser")
    avatar_allowed_origins: str = Field(
        "",
        description="other pages that may use this server, as https://a.example,https://b.example",
    )
    avatar_ice_servers: str = Field(
        "",
        validation_alias=AliasChoices("AVATAR_ICE_SERVERS", "PIPECAT_ICE_SERVERS"),
        description="STUN and TURN servers for WebRTC, as stun:… or a JSON object",
    )
    avatar_esp32: bool = Field(
        False, description="answer WebRTC's offers as an ESP32 needs it; set an IP as address too"
    )
    avatar_ws_auth: Literal["none", "token"] = Field(
        "none",
        validation_alias=AliasChoices("AVATAR_WS_AUTH", "PIPECAT_WEBSOCKET_AUTH"),
        description="who may use /ws: none for all, token for who has one from /start",
    )
    avatar_runner_body: str = Field(
        "", description="YAML or JSON file that conversations over /ws take as the body of /start"
    )
    avatar_uploads_folder: str = Field(
        "",
        validation_alias=AliasChoices("AVATAR_UPLOADS_FOLDER", "PIPECAT_UPLOADS_FOLDER"),
        description="folder for files that users send, until their conversation ends; empty: none",
    )
    avatar_uploads_folder_max_files: int = Field(
        10, ge=0, description="files kept in that folder, 0 for any number"
    )
    avatar_downloads_folder: str = Field(
        "", description="folder whose files can be loaded from /files/; empty: none"
    )
    avatar_log_level: Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "ERROR", description="least serious log record that is shown"
    )

    # The picture.
    avatar_size: Size = Field(
        (1280, 720), description="size of the puppet's picture in pixels, as 1280x720"
    )
    puppet_pack: str = Field(
        "", description="face of the puppet: mira, theo or a pack's folder; unset, users choose"
    )
    puppet_seed: int = Field(0, description="seed of the puppet's small movements")

    # Deepgram.
    deepgram_api_key: SecretStr = NO_KEY
    deepgram_base_url: str = Field(
        "https://api.deepgram.com", description="root of Deepgram's service"
    )
    deepgram_model: str = Field(
        "", description="Deepgram's model; empty for Flux where it knows the language, else Nova"
    )

    # Whisper.
    whisper_model: str = Field(
        "", description="faster-whisper model: a folder or a name; empty for a packaged one"
    )

    # Gemini.
    google_api_key: SecretStr = NO_KEY
    google_base_url: str = Field(
        "https://generativelanguage.googleapis.com", description="root of Gemini's service"
    )
    google_model: str = Field("gemini-2.5-flash", description="Gemini's model")

    # Ollama, or any other endpoint that speaks OpenAI's protocol.
    ollama_base_url: str = Field(
        "http://localhost:11434/v1",
        description="OpenAI-compatible endpoint; its path is /v1 if none is given",
    )
    ollama_model: str = Field("", description="model; empty for the first that can talk")
    ollama_window: int = Field(
        4096, ge=1024, description="tokens that the model reads and writes at most"
    )
    ollama_api_key: SecretStr = NO_KEY

    # Cartesia.
    cartesia_api_key: SecretStr = NO_KEY
    cartesia_base_url: str = Field(
        "https://api.cartesia.ai", description="root of Cartesia's service"
    )
    cartesia_model: str = Field("sonic-3", description="Cartesia's model")
    cartesia_voice_id: str = Field("", description="Cartesia's voice; empty for the persona's")

    # Hibari.
    hibari_voice: str = Field(
        "", description="heart, a woman's, or low, a man's; empty for the persona's"
    )

    # Piper.
    piper_voice: str = Field(
        "", description="Piper voice: an .onnx file or a name; empty for the packaged voice"
    )

    # HeyGen LiveAvatar.
    liveavatar_api_key: SecretStr = Field(
        NO_KEY,
        validation_alias=AliasChoices("LIVEAVATAR_API_KEY", "HEYGEN_LIVE_AVATAR_API_KEY"),
    )
    liveavatar_base_url: str = Field(
        "https://api.liveavatar.com", description="root of LiveAvatar's service, without /v1"
    )
    liveavatar_avatar_id: str = Field(
        "", description="LiveAvatar's avatar; empty for the persona's"
    )
    liveavatar_sandbox: bool = Field(
        False, description="one-minute sessions that cost no credits, with the sandbox avatar"
    )
    liveavatar_quality: Literal["low", "medium", "high", "very_high"] = Field(
        "high", description="360p, 480p, 720p or 1080p"
    )
    liveavatar_codec: Literal["H264", "VP8"] = Field("H264", description="codec of the video")
    liveavatar_max_duration_s: int | None = Field(
        None, gt=0, description="seconds after which LiveAvatar ends a session"
    )

    # Daily.
    daily_api_key: SecretStr = NO_KEY
    daily_base_url: str = Field(
        "https://api.daily.co/v1",
        validation_alias=AliasChoices("DAILY_BASE_URL", "DAILY_API_URL"),
        description="root of Daily's service, with its /v1",
    )
    daily_room_url: str = Field("", description="a room to use; empty to create one each time")

    # A LiveKit server of one's own.
    livekit_url: str = Field("", description="address of the server, as wss://…")
    livekit_api_key: SecretStr = NO_KEY
    livekit_api_secret: SecretStr = NO_KEY
    livekit_token: SecretStr = NO_KEY
    livekit_room_name: str = Field("", description="a room to use; empty for one each time")

    @model_validator(mode="before")
    @classmethod
    def _size_from_text(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("avatar_size"), str):
            width, _, height = values["avatar_size"].partition("x")
            values["avatar_size"] = (width, height)
        return values

    @model_validator(mode="after")
    def _even_size(self) -> Self:
        if any(side < 128 or side > 4096 or side % 2 for side in self.avatar_size):
            raise ValueError("avatar_size: sides are even and from 128 to 4096 pixels")
        return self

    @field_validator("avatar_allowed_origins")
    @classmethod
    def _listed_origins(cls, listed: str) -> str:
        for origin in _split_list(listed):
            if not ORIGIN.fullmatch(origin):
                raise ValueError("write each as https://name or http://name:port, without a path")
        return listed

    @field_validator("avatar_ice_servers", mode="before")
    @classmethod
    def _listed_servers(cls, listed: Any) -> Any:
        if isinstance(listed, list | tuple):
            return json.dumps(ice_servers(listed))
        return listed

    @field_validator("avatar_ice_servers")
    @classmethod
    def _readable_servers(cls, listed: str) -> str:
        ice_servers(listed)
        return listed

    @field_validator("ollama_base_url")
    @classmethod
    def _with_path(cls, url: str) -> str:
        whole = url if "://" in url else f"http://{url}"
        return whole if urlsplit(whole).path.strip("/") else f"{whole.rstrip('/')}/v1"

    @property
    def ice_servers(self) -> list[dict[str, Any]]:
        """STUN and TURN servers: `urls` and, where needed, `username` and `credential`."""
        return ice_servers(self.avatar_ice_servers)

    @property
    def allowed_origins(self) -> list[str]:
        """The origins of other pages that may use this server, in small letters; or "*"."""
        return _split_list(self.avatar_allowed_origins)

    @property
    def visitor_variables(self) -> list[str]:
        """The persona's variables that visitors may fill."""
        return [name.strip() for name in self.avatar_visitor_variables.split(",") if name.strip()]

    def is_set(self, field: str) -> bool:
        """Whether a setting has a value that is not empty."""
        value = getattr(self, field)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)

    def secrets(self) -> list[str]:
        """Every key that is set: what must never be shown."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [v.get_secret_value() for v in values if isinstance(v, SecretStr) and v]


def _split_list(listed: str) -> list[str]:
    return [part.strip().lower() for part in listed.split(",") if part.strip()]


def names_in_file() -> list[str]:
    """The names in .env, known or not, in capitals."""
    return [name.upper() for name in dotenv_values(ENV_FILE, interpolate=False)]


def names_in_environment() -> list[str]:
    """The names in the environment, in capitals."""
    return [name.upper() for name in os.environ]


def known_names() -> list[str]:
    """Every name that sets something, in the order of the settings."""
    return [name for field in Settings.model_fields for name in environment_names(field)]


def environment_names(field: str) -> list[str]:
    """The names a field has in the environment, the preferred one first."""
    alias = Settings.model_fields[field].validation_alias
    return [str(a) for a in alias.choices] if isinstance(alias, AliasChoices) else [field.upper()]


def flag_name(field: str) -> str:
    """The command line flag of a field: `avatar_port` is `--port`, `tts` is `--tts`."""
    return "--" + field.removeprefix("avatar_").replace("_", "-")


def load_settings(**flags: Any) -> Settings:
    """Load the settings: flags (None is unset) > environment > .env > defaults.

    Raises:
        BadSetting: a value cannot be used.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise _as_sentence(error) from None
    except UnicodeDecodeError:
        raise BadSetting(".env", "is not text in UTF-8", "save it as UTF-8") from None


def _as_sentence(error: ValidationError) -> BadSetting:
    """The first problem of a validation, naming the setting as the user wrote it."""
    problem = error.errors()[0]
    where = str(problem["loc"][0]) if problem["loc"] else "avatar_size"
    known = {n: f for f in Settings.model_fields for n in (f, *environment_names(f))}
    field = known.get(where, where)
    given = problem["input"] if problem["loc"] else "this size"
    name = environment_names(field)[0] if field in Settings.model_fields else where.upper()
    shown = f"={given}" if _may_be_shown(field) else ""
    return BadSetting(
        f"{name}{shown}", "cannot be used", problem["msg"].removeprefix("Value error, ")
    )


def _may_be_shown(field: str) -> bool:
    """Whether a value can be repeated; a TURN server is written with its credential."""
    return field not in HOLDING_SECRETS and Settings.model_fields[field].annotation is not SecretStr
