"""Answers of LiveAvatar as its documents and other clients have them, not as the sandbox does.

Each is one success: what it is read as, its data, and some of what must be understood.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from liveavatar import records
from liveavatar.records import Page
from liveavatar.wire import TokenData

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DATES = {"created_at": "2026-05-01T12:00:00Z", "updated_at": "2026-05-01T12:00:00+00:00"}
ID = "5b9dba8a-aa31-11f0-a6ee-066a7fa2e369"
Sample = tuple[Any, Any, dict[str, Any]]

SAMPLES: dict[str, Sample] = {
    "2.4 token": (
        TokenData,
        {"session_id": ID, "session_token": "eyJhbGciOi.e30.x", "expires_in": 60},
        {"session_id": ID, "session_token": "eyJhbGciOi.e30.x"},
    ),
    "2.5 start of FULL, nullable fields null": (
        records.Started,
        {
            "session_id": ID,
            "livekit_url": "wss://a.livekit.cloud",
            "livekit_client_token": "eyJ.a.b",
            "livekit_agent_token": None,
            "max_session_duration": None,
            "ws_url": None,
        },
        {"livekit_url": "wss://a.livekit.cloud", "max_session_duration": None, "ws_url": None},
    ),
    "2.5 start": (
        records.Started,
        {
            "session_id": ID,
            "livekit_url": "wss://a",
            "livekit_client_token": "jwt",
            "livekit_agent_token": "jwt",
            "max_session_duration": 600,
            "ws_url": "wss://b",
        },
        {"max_session_duration": 600, "ws_url": "wss://b"},
    ),
    "2.7 sessions that run": (
        Page[records.SessionEntry],
        {
            "count": 41,
            "next": "https://api.liveavatar.com/v1/sessions?type=active&page=2",
            "previous": None,
            "results": [
                {"id": ID, **DATES, "duration": 12, "source": "DEMO", "mode": "FULL"}
                | {"is_sandbox": True, "credits_consumed": 0.5}
            ],
        },
        {"count": 41, "previous": None},
    ),
    "2.7 a session that is over": (
        records.SessionEntry,
        {"id": ID, **DATES, "duration": 60, "source": "EMBED", "mode": "LITE", "is_sandbox": False}
        | {"credits_consumed": 1, "end_at": "2026-05-01T12:00:00Z", "end_reason": "NO_CREDITS"},
        {"end_at": NOON, "end_reason": "NO_CREDITS", "duration": 60, "source": "EMBED"},
    ),
    "2.7 transcript": (
        records.Transcript,
        {
            "session_active": True,
            "next_timestamp": 1777636812,
            "transcript_data": [
                {"role": "avatar", "transcript": "Hello Ann."}
                | {"absolute_timestamp": 1777636800, "relative_timestamp": 2}
            ],
        },
        {"session_active": True, "next_timestamp": 1777636812},
    ),
    "2.7 transcript before anything was said": (
        records.Transcript,
        {"session_active": False, "transcript_data": []},
        {"next_timestamp": None, "transcript_data": [], "is_over": True},
    ),
    "2.7 transcript that does not say whether the session goes on": (
        records.Transcript,
        {"session_active": None, "transcript_data": []},
        {"session_active": None, "is_over": False},
    ),
    "5 context": (
        records.Context,
        {"id": ID, **DATES, "name": "Guide", "prompt": "p ${name}", "opening_text": "Hello"}
        | {"links": [{"url": "https://a", "faq": "why?", "id": "l"}]}
        | {"required_dynamic_variables": ["name"]},
        {"name": "Guide", "opening_text": "Hello", "created_at": NOON}
        | {"required_dynamic_variables": ["name"]},
    ),
    "5 context without an opening (13.18)": (
        records.Context,
        {"id": ID, **DATES, "name": "Guide", "prompt": "p", "opening_text": None, "links": None},
        {"opening_text": "", "links": [], "required_dynamic_variables": []},
    ),
    "5 voice": (
        records.Voice,
        {"id": ID, "name": "Ann", "language": "en", "gender": "female", **DATES, "tags": ["warm"]},
        {"description": None, "tags": ["warm"], "updated_at": NOON},
    ),
    "5 preview of a voice": (
        records.Preview,
        {"audio_base64": "UklGRg=="},
        {"audio_base64": b"RIFF"},
    ),
    "5 third-party voice": (records.Made, {"voice_id": ID}, {"id": ID}),
    "5 avatar of an image": (
        records.Avatar,
        {"id": ID, "space_id": None, "type": "IMAGE", "status": "DEPLOYING", "name": "Ann"}
        | {"preview_url": None, "is_expired": False, "default_voice": None, "is_1080p": False}
        | {**DATES, "error_message": None},
        {"default_voice": None, "status": "DEPLOYING", "type": "IMAGE"},
    ),
    "5 secrets, a bare array": (
        Page[records.Secret],
        [{"id": ID, "secret_name": "mine", "secret_type": "CARTESIA_API_KEY"}],
        {"count": 1, "next": None},
    ),
    "5 secret made, by the name of the documentation (13.13)": (
        records.Made,
        {"secret_id": ID, "secret_name": "mine"},
        {"id": ID},
    ),
    "5 secret made, by the name of the specification (13.13)": (
        records.Made,
        {"id": ID, "secret_name": "mine"},
        {"id": ID},
    ),
    "5 LLM configuration": (
        records.LLM,
        {"id": ID, "display_name": "G", "model_name": "gpt", "secret_id": "s", **DATES}
        | {"base_url": "https://api.openai.com"},
        {"display_name": "G", "model_name": "gpt", "base_url": "https://api.openai.com"},
    ),
    "5 LLM configuration as the skills have it (13.6)": (
        records.LLM,
        {"id": ID, "model": "gpt", "secret_id": "s"},
        {"model_name": "gpt", "display_name": ""},
    ),
    "5 embed": (
        records.Embed,
        {"embed_id": ID, "url": f"https://embed.liveavatar.com/v1/{ID}", "orientation": "vertical"},
        {"script": None, "orientation": "vertical"},
    ),
    "5 credits, text": (
        records.Credits,
        {"credits_left": "149.75"},
        {"credits_left": Decimal("149.75")},
    ),
    "5 languages, a bare array": (
        Page[records.Language],
        [{"language": "English", "code": "en"}],
        {"count": 1},
    ),
    "5 memory": (
        records.Memory,
        {"id": ID, "memory_type": "session", "session_id": "s"},
        {"id": ID, "session_id": "s"},
    ),
}
