"""Everything that can be set: flags > environment > .env > defaults.

Nothing else reads the environment. Settings are loaded once and passed on as an argument.
"""

import json
import os
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
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
from .lists import (
    check_home,
    check_networks,
    check_origins,
    credentials,
    endpoint,
    split_list,
)

Endpoint = Annotated[str, AfterValidator(endpoint)]
Home = Annotated[str, AfterValidator(check_home)]
Networks = Annotated[str, AfterValidator(check_networks)]
Origins = Annotated[str, AfterValidator(check_origins)]
Size = Annotated[tuple[int, int], NoDecode]
# In US dollars, as the vendors ask for small amounts at the time of writing.
Price = Annotated[float, Field(ge=0)]
ENV_FILE = ".env"
NO_KEY = SecretStr("")
SHORTEST_TOKEN = 16  # characters
HOLDING_SECRETS = ("avatar_ice_servers", "avatar_ledger", "avatar_public_url")


class Settings(BaseSettings):
    """All settings, frozen. A field's name in capitals is its name in the environment."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    # The parts. "auto" is the cloud part when its key is set, else the local one. Of the first
    # three several may be listed, as gemini,ollama,guide: the next goes on when one fails.
    stt: str = Field("auto", description="speech to text, in order: deepgram, moonshine, whisper")
    llm: str = Field("auto", description="language model, in order: gemini, ollama, guide")
    tts: str = Field("auto", description="text to speech, in order: cartesia, hibari, piper")
    avatar: str = Field("auto", description="face: heygen, puppet, none")
    transport: str = Field("auto", description="meeting: webrtc, daily, livekit, heygen, full")

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
    avatar_ledger: str = Field(
        "ledger", description="ledger of what is paid for and open: a folder, or postgresql://…"
    )
    avatar_spend_limit_per_conversation: float | None = Field(
        None, gt=0, description="dollars after which a conversation is ended; empty: none"
    )
    avatar_spend_limit_per_day: float | None = Field(
        None, gt=0, description="dollars a day (UTC), after which all are ended; empty: none"
    )
    avatar_patience: Literal["", "quick", "balanced", "patient"] = Field(
        "",
        description="how long a pause may be: quick, balanced or patient; empty for the persona's",
    )
    avatar_speculation: bool = Field(
        True, description="let the mind begin before the user has surely finished; costs calls"
    )
    avatar_thinking_s: float = Field(
        8.0, gt=0, description="seconds until a mind without a word is given up for the next"
    )
    avatar_idle_s: float = Field(
        30.0, gt=0, description="seconds of silence before the user is asked, once"
    )
    avatar_max_duration_s: float = Field(
        1800.0, gt=0, description="seconds after which a conversation is ended"
    )
    avatar_return_s: float = Field(
        60.0, ge=0, description="seconds for which who drops can come back, 0 for none"
    )

    # The page and its server.
    avatar_host: str = Field("localhost", description="address the server listens on")
    avatar_port: int = Field(7860, ge=0, le=65535, description="port of the server, 0 for any")
    avatar_open: bool = Field(True, description="open the page in a browser")
    avatar_allowed_origins: Origins = Field(
        "",
        description="other pages that may use this server, as https://a.example,https://b.example",
    )
    avatar_access_token: SecretStr = NO_KEY
    avatar_public_url: Home = Field(
        "", description="where others find this server, as https://name or https://name/folder"
    )
    avatar_lend_mind: bool = Field(
        False, description="lend the mind to others: answer OpenAI's protocol at /v1"
    )
    avatar_mind_token: SecretStr = NO_KEY
    avatar_trusted_proxies: Networks = Field(
        "",
        description="proxies whose word for a client's address is taken, as 127.0.0.1,10.0.0.0/8",
    )
    avatar_max_conversations: int = Field(
        0, ge=0, description="conversations at a time, 0 for what the machine was measured to carry"
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
        description="who may use /ws where there is no access token: none for all, token for who "
        "has one from /start",
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
    avatar_prewarm: bool = Field(
        False, description="begin a paid face before its user is there: faster, and costs more"
    )
    avatar_fallback: Literal["puppet", "portrait", "none"] = Field(
        "puppet", description="what is seen while the face is gone: puppet, portrait or none"
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
    deepgram_dollars_per_minute: Price = Field(0.0077, description="price of a minute of sound")

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
    google_dollars_per_million_in: Price = Field(0.3, description="price of a million tokens read")
    google_dollars_per_million_out: Price = Field(2.5, description="… written, thoughts included")

    # Ollama, or any other endpoint that speaks OpenAI's protocol.
    ollama_base_url: Endpoint = Field(
        "http://localhost:11434/v1",
        description="OpenAI-compatible endpoint; its path is /v1 if none is given",
    )
    ollama_model: str = Field("", description="model; empty for the first that can talk")
    ollama_window: int = Field(
        4096, ge=1024, description="tokens that the model reads and writes at most"
    )
    ollama_api_key: SecretStr = NO_KEY
    ollama_dollars_per_million_in: Price = Field(0.0, description="price of a million tokens read")
    ollama_dollars_per_million_out: Price = Field(0.0, description="… written, thoughts included")

    # Cartesia.
    cartesia_api_key: SecretStr = NO_KEY
    cartesia_base_url: str = Field(
        "https://api.cartesia.ai", description="root of Cartesia's service"
    )
    cartesia_model: str = Field("sonic-3", description="Cartesia's model")
    cartesia_voice_id: str = Field("", description="Cartesia's voice; empty for the persona's")
    cartesia_dollars_per_million: Price = Field(50.0, description="price of a million characters")

    # Hibari.
    hibari_voice: str = Field("", description="heart (woman's) or low (man's); else the persona's")

    # Piper.
    piper_voice: str = Field("", description="an .onnx file or a name; else the packaged voice")

    # HeyGen LiveAvatar.
    liveavatar_api_key: SecretStr = Field(
        NO_KEY,
        validation_alias=AliasChoices("LIVEAVATAR_API_KEY", "HEYGEN_LIVE_AVATAR_API_KEY"),
    )
    liveavatar_base_url: str = Field(
        "https://api.liveavatar.com", description="root of LiveAvatar's service, without /v1"
    )
    liveavatar_avatar_id: str = Field("", description="avatar to show; empty for the persona's")
    liveavatar_sandbox: bool = Field(
        False, description="one-minute sessions that cost no credits, with the sandbox avatar"
    )
    liveavatar_quality: Literal["low", "medium", "high", "very_high"] = Field(
        "high", description="360p, 480p, 720p or 1080p"
    )
    liveavatar_codec: Literal["H264", "VP8"] = Field("H264", description="codec of the video")
    liveavatar_room: Literal["auto", "direct", "relay"] = Field(
        "auto", description="how it comes into a LiveKit room: direct or relay; auto decides"
    )
    liveavatar_max_duration_s: int | None = Field(
        None, gt=0, description="seconds after which LiveAvatar ends a session"
    )
    liveavatar_voice_id: str = Field("", description="voice in FULL; empty for the persona's")
    liveavatar_context_id: str = Field("", description="context in FULL; empty for the persona's")
    liveavatar_llm_id: str = Field("", description="LLM configuration in FULL; empty for none")
    liveavatar_roll_over: bool = Field(True, description="begin the next before one ends")
    liveavatar_dollars_per_minute: Price = Field(0.1, description="price of a minute of a session")
    elevenlabs_api_key: SecretStr = NO_KEY
    elevenlabs_base_url: str = Field("https://api.elevenlabs.io", description="root of ElevenLabs")

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

    # Traces, by OpenTelemetry's own variables.
    otel_exporter_otlp_endpoint: str = Field(
        "", description="collector that traces are sent to, as http://host:4318; empty: none"
    )
    otel_exporter_otlp_traces_endpoint: str = Field(
        "", description="the same for traces alone, with its path, as http://host:4318/v1/traces"
    )
    otel_exporter_otlp_traces_headers: SecretStr = Field(
        NO_KEY,
        validation_alias=AliasChoices(
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"
        ),
    )
    otel_service_name: str = Field("avatar", description="what this service is called in traces")

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

    @field_validator("avatar_access_token", "avatar_mind_token")
    @classmethod
    def _long_enough(cls, token: SecretStr) -> SecretStr:
        if 0 < len(token.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"it takes {SHORTEST_TOKEN} characters: try `openssl rand -hex 24`")
        return token

    @field_validator("avatar_ice_servers", mode="before")
    @classmethod
    def _readable_servers(cls, listed: Any) -> Any:
        servers = ice_servers(listed)
        return json.dumps(servers) if isinstance(listed, list | tuple) else listed

    @property
    def ice_servers(self) -> list[dict[str, Any]]:
        """STUN and TURN servers: `urls` and, where needed, `username` and `credential`."""
        return ice_servers(self.avatar_ice_servers)

    @property
    def allowed_origins(self) -> list[str]:
        """The origins of other pages that may use this server, in small letters; or "*"."""
        return split_list(self.avatar_allowed_origins)

    @property
    def visitor_variables(self) -> list[str]:
        """The persona's variables that visitors may fill."""
        return [name.strip() for name in self.avatar_visitor_variables.split(",") if name.strip()]

    def is_set(self, field: str) -> bool:
        """Whether a setting has a value that is not empty."""
        value = getattr(self, field)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)

    def secrets(self) -> list[str]:
        """Every key and password that is set: what must never be shown."""
        values = [getattr(self, name) for name in type(self).model_fields]
        keys = [v.get_secret_value() for v in values if isinstance(v, SecretStr) and v]
        passwords = [urlsplit(v).password for v in values if isinstance(v, str) and "@" in v]
        passwords += [server.get("credential") for server in self.ice_servers]
        passwords += credentials(self.otel_exporter_otlp_traces_headers.get_secret_value())
        return keys + [str(each) for each in passwords if each]


def names_in_file() -> list[str]:
    """The names in .env, known or not, in capitals."""
    return [name.upper() for name in dotenv_values(ENV_FILE, interpolate=False)]


def names_in_environment() -> list[str]:
    """The names in the environment, in capitals."""
    return [name.upper() for name in os.environ]


def calculate_in_one_thread() -> None:
    """Have OpenBLAS use no threads unless told to: each waits busily for 25 ms after its use."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def environment_names(field: str) -> list[str]:
    """The names a field has in the environment, the preferred one first."""
    alias = Settings.model_fields[field].validation_alias
    return [str(a) for a in alias.choices] if isinstance(alias, AliasChoices) else [field.upper()]


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
