"""Names that look like settings and are none."""

from pathlib import Path

import pytest

from pipelines.spelling import misspelt

# Variables of Pipecat, of the vendors and of machines that may well stand beside ours.
FOREIGN = """
ANTHROPIC_API_KEY ASSEMBLYAI_API_KEY AWS_ACCESS_KEY_ID AWS_REGION AWS_SECRET_ACCESS_KEY
AZURE_SPEECH_API_KEY CARTESIA_VERSION DAILY_ROOM_TOKEN DAILY_SAMPLE_ROOM_URL DATABASE_URL DEBUG
ELEVENLABS_VOICE_ID FAL_API_KEY GEMINI_API_KEY GOOGLE_APPLICATION_CREDENTIALS
GOOGLE_CLOUD_PROJECT GOOGLE_GEMINI_BASE_URL GOOGLE_GENAI_API_KEY
GROQ_API_KEY HEYGEN_API_KEY HF_TOKEN HOST
LIVEKIT_AGENT_NAME LIVEKIT_ROOM_NAME LMNT_API_KEY LOG_LEVEL OLLAMA_HOST OLLAMA_KEEP_ALIVE
OLLAMA_MODELS OPENAI_API_KEY OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_EXPORTER_OTLP_TIMEOUT
OTEL_EXPORTER_OTLP_TRACES_PROTOCOL OTEL_RESOURCE_ATTRIBUTES PIPECAT_API_KEY PIPER_VOICE_ID PORT
SECRET_KEY SENTRY_DSN
TAVUS_API_KEY TTY XAI_API_KEY
""".split()
EXAMPLE = Path(__file__).parents[2] / ".env.example"


def named():
    """What is said of each misspelt name."""
    return {one.name: str(one) for one in misspelt()}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DEEPGRAM_APIKEY", "DEEPGRAM_API_KEY"),
        ("cartesia_key", "CARTESIA_API_KEY"),
        ("DAILY_KEY", "DAILY_API_KEY"),
        ("LIVEKIT_SECRET", "LIVEKIT_API_SECRET"),
        ("LIVE_AVATAR_API_KEY", "LIVEAVATAR_API_KEY"),
        ("HEYGEN_LIVEAVATAR_API_KEY", "HEYGEN_LIVE_AVATAR_API_KEY"),
        ("OLAMA_MODEL", "OLLAMA_MODEL"),
        ("TRANPORT", "TRANSPORT"),
        ("SST", "STT"),
        ("AVATAR_PROT", "AVATAR_PORT"),
    ],
)
def test_a_misspelt_name_in_the_file_is_told_with_the_right_one(name, meant):
    Path(".env").write_text(f"{name}=some-value\n")
    assert named()[name.upper()] == f"{name.upper()} in .env is no setting: write {meant}."


def test_a_name_that_begins_like_ours_is_told_wherever_it_stands(monkeypatch):
    Path(".env").write_text("PUPPET_WINGS=2\n")
    monkeypatch.setenv("AVATAR_FAVOURITE_COLOUR", "red")
    monkeypatch.setenv("DEEPGRAM_APIKEY", "may be somebody else's")
    where = {"PUPPET_WINGS": ".env", "AVATAR_FAVOURITE_COLOUR": "the environment"}
    fix = "is no setting: look for its name in .env.example."
    assert named() == {name: f"{name} in {place} {fix}" for name, place in where.items()}


def test_other_peoples_names_are_left_alone():
    Path(".env").write_text("".join(f"{name}=x\n" for name in FOREIGN))
    assert named() == {}


def test_what_is_a_setting_is_not_told_in_small_letters_either():
    Path(".env").write_text(EXAMPLE.read_text() + "stt=whisper\nHEYGEN_LIVE_AVATAR_API_KEY=\n")
    assert named() == {}
