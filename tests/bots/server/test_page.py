"""What the page is told, and how far it may go."""

import json
import shutil

import pytest
from pydantic import SecretStr

from bots.server.page import describe, headers, viewer_headers
from pipelines.parts import choose
from pipelines.settings import Settings, load_settings
from puppet.pack import PACKS

LOCAL = {"llm": "guide"}


def told(**flags):
    """What the page is told with these settings."""
    settings = load_settings(**{**LOCAL, **flags})
    return describe(settings, choose(settings))


def test_both_personas_and_their_faces_can_be_chosen():
    lineup = told()
    assert lineup["persona"] == {"id": "mira", "name": "Mira"}
    assert lineup["personas"] == [
        {"id": "mira", "name": "Mira", "language": "en", "face": "mira"},
        {"id": "theo", "name": "Theo", "language": "en", "face": "theo"},
    ]
    assert lineup["faces"] == [
        {"id": "mira", "name": "Mira", "picture": "/api/faces/mira"},
        {"id": "theo", "name": "Theo", "picture": "/api/faces/theo"},
    ]
    assert lineup["poster"] == "/api/faces/mira"
    assert lineup["size"] == (1280, 720)
    assert lineup["limits"] == {"max_duration_s": 1800.0, "idle_s": 30.0}
    assert [part["kind"] for part in lineup["parts"]] == [
        "stt",
        "llm",
        "tts",
        "avatar",
        "transport",
    ]


def test_the_language_that_is_set_is_everybodys():
    assert {each["language"] for each in told(avatar_language="de-DE")["personas"]} == {"de-DE"}


def test_a_persona_of_ones_own_brings_its_own_face(tmp_path):
    pack = shutil.copytree(PACKS / "mira", tmp_path / "pack")
    meta = json.loads((pack / "meta.json").read_text())
    (pack / "meta.json").write_text(json.dumps({**meta, "name": "ada", "title": "Ada"}))
    mine = tmp_path / "my ada.yaml"
    mine.write_text(f"name: Ada\navatar: {{puppet: {pack}}}\n")
    lineup = told(avatar_persona=str(mine))
    assert lineup["personas"] == [
        {"id": "my-ada", "name": "Ada", "language": "en", "face": "ada"},
    ]
    assert [face["id"] for face in lineup["faces"]] == ["mira", "theo", "ada"]
    assert lineup["poster"] == "/api/faces/ada"
    assert str(tmp_path) not in json.dumps(lineup)


def test_a_face_that_is_set_is_everybodys():
    lineup = told(puppet_pack="mira")
    assert [face["id"] for face in lineup["faces"]] == ["mira"]
    assert {persona["face"] for persona in lineup["personas"]} == {"mira"}


def test_without_a_face_there_is_nothing_to_choose():
    lineup = told(avatar="none")
    assert (lineup["faces"], lineup["poster"]) == ([], None)
    assert {persona["face"] for persona in lineup["personas"]} == {None}


def test_the_room_may_close_before_we_do():
    room = {"transport": "heygen", "liveavatar_api_key": SecretStr("fake-key")}
    assert told(**room)["limits"]["max_duration_s"] == 1800
    assert told(**room, liveavatar_max_duration_s=300)["limits"]["max_duration_s"] == 300
    assert told(**room, liveavatar_sandbox=True)["limits"]["max_duration_s"] == 60
    face = {"avatar": "heygen", "liveavatar_api_key": SecretStr("fake-key")}
    assert told(**face, liveavatar_sandbox=True)["limits"]["max_duration_s"] == 1800


@pytest.mark.parametrize(
    ("folder", "where"),
    [
        ("transcripts", "transcripts/ on this server's machine"),
        ("/srv/customers/talks", "talks/ on this server's machine"),
        ("~/talks", "talks/ on this server's machine"),
        (".", "a folder on this server's machine"),
        ("..", "a folder on this server's machine"),
        ("none", ""),
    ],
)
def test_the_user_is_told_what_is_kept_without_a_path(folder, where):
    kept = told(avatar_transcripts=folder)["kept"]
    assert kept == {"transcripts": folder != "none", "where": where, "vendors": []}


def test_the_user_is_told_who_else_hears_them():
    keys = ("deepgram_api_key", "google_api_key", "cartesia_api_key", "liveavatar_api_key")
    flags = {key: SecretStr(f"fake-{key}") for key in keys}
    lineup = told(**flags, llm="auto", transport="heygen")
    assert lineup["kept"]["vendors"] == [
        "Deepgram",
        "Google Gemini",
        "Cartesia",
        "HeyGen LiveAvatar",
    ]


def test_a_mind_on_another_machine_is_named_and_one_on_this_is_not():
    def asked(url: str) -> list[str]:
        settings = load_settings(llm="ollama", ollama_base_url=url, ollama_model="any")
        return describe(settings, choose(settings))["kept"]["vendors"]

    assert asked("https://user:fake-password@minds.example/v1") == ["minds.example"]
    assert asked("http://localhost:11434/v1") == []


def test_no_secret_is_told(monkeypatch):
    secrets = [n for n, f in Settings.model_fields.items() if f.annotation is SecretStr]
    flags = {name: SecretStr(f"fake-{name}") for name in secrets}
    lineup = json.dumps(told(**flags, llm="auto", livekit_url="wss://rooms.example"))
    assert not [name for name in secrets if f"fake-{name}" in lineup]


def policy(**flags):
    return headers(load_settings(**flags))["Content-Security-Policy"]


def test_the_page_goes_no_further_than_where_users_are_met():
    livekit = {
        "livekit_url": "wss://rooms.example",
        "livekit_api_key": SecretStr("fake-key"),
        "livekit_api_secret": SecretStr("fake-secret"),
    }
    assert "connect-src 'self';" in policy()
    assert "connect-src 'self' ws: wss:" in policy(**livekit)
    assert "connect-src 'self';" in policy(**livekit, transport="webrtc")
    assert "daily" not in policy()
    assert "frame-src https://*.daily.co" in policy(daily_api_key=SecretStr("fake-key"))


def test_listed_pages_may_show_the_page_in_a_frame():
    flags = {"avatar_allowed_origins": "https://a.example"}
    assert policy(**flags).endswith("frame-ancestors 'self' https://a.example")
    viewer = viewer_headers(load_settings(**flags))["Content-Security-Policy"]
    assert "ws: wss:" in viewer and viewer.endswith("https://a.example")
