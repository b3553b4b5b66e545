"""The doctor: finds what would spoil a conversation, with a fix a line."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bots.doctor import Finding, examine, examine_part
from pipelines.parts import PARTS, load, part
from pipelines.settings import load_settings
from tests.bots.test_cli import avatar
from tests.standins.cartesia import Cartesia
from tests.standins.daily import Daily
from tests.standins.deepgram import Deepgram
from tests.standins.gemini import Gemini
from tests.standins.liveavatar import LiveAvatar
from tests.standins.ollama import Ollama

VENDORS = {
    "STT=deepgram": (Deepgram, "deepgram", "deepgram_api_key"),
    "LLM=gemini": (Gemini, "google", "google_api_key"),
    "TTS=cartesia": (Cartesia, "cartesia", "cartesia_api_key"),
    "AVATAR=heygen": (LiveAvatar, "liveavatar", "liveavatar_api_key"),
    "TRANSPORT=heygen": (LiveAvatar, "liveavatar", "liveavatar_api_key"),
    "TRANSPORT=full": (LiveAvatar, "liveavatar", "liveavatar_api_key"),
    "TRANSPORT=daily": (Daily, "daily", "daily_api_key"),
}

pytestmark = pytest.mark.patient


async def diagnosis(choice, key, **more):
    """What the doctor says of one part whose vendor is a stand-in."""
    vendor, name, field = VENDORS[choice]
    async with vendor() as server:
        url = server.api_url if vendor is Daily else server.url
        keys = {field: key or server.key, f"{name}_base_url": url}
        settings = load_settings(avatar_port=0, **keys, **more)
        findings = {finding.what: finding for finding in await examine(settings, {})}
    return findings[choice]


def test_the_key_of_every_part_is_checked():
    for row in (row for row in PARTS if row.needs):
        assert hasattr(load(row), "check"), f"{row.choice} needs an `async def check()`"
        checked = row.choice in VENDORS or row.choice == "TRANSPORT=livekit"
        assert checked, f"test a refused key of {row.choice} here"


async def test_a_key_that_nothing_checks_is_not_said_to_be_good(monkeypatch):
    unchecked = replace(part("avatar", "none"), needs=("deepgram_api_key",))
    settings = load_settings(deepgram_api_key="fake-deepgram-key")
    async with aiohttp.ClientSession() as http:
        assert await examine_part(unchecked, settings, http) == Finding(
            "AVATAR=none", "unchecked", "its key is set, and was not checked"
        )


async def test_a_livekit_key_that_is_refused_is_bad(livekit):
    keys = {"livekit_api_key": livekit.key, "livekit_api_secret": "x" * 32}
    settings = load_settings(livekit_url=livekit.url, **keys)
    async with aiohttp.ClientSession() as http:
        finding = await examine_part(part("transport", "livekit"), settings, http)
    assert (finding.state, finding.fix) == ("bad", "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET")


@pytest.mark.parametrize("choice", VENDORS)
async def test_a_key_that_is_accepted_is_ok(choice):
    finding = await diagnosis(choice, key=None)
    assert (finding.state, finding.detail) == ("ok", "key accepted")


@pytest.mark.parametrize("choice", VENDORS)
async def test_a_key_that_is_refused_is_bad_and_named(choice):
    finding = await diagnosis(choice, key="fake-wrong-key")
    assert finding.state == "bad"
    assert VENDORS[choice][2].upper() in f"{finding.detail} {finding.fix}"


@pytest.mark.parametrize("choice", ["TRANSPORT=full", "AVATAR=heygen"])
async def test_a_failure_of_liveavatars_own_is_not_blamed_on_the_key(choice):
    async with LiveAvatar() as server:
        server.fail("/v1/sessions", 503, "Overloaded", lasts=True)
        keys = {"liveavatar_api_key": server.key, "liveavatar_base_url": server.url}
        async with aiohttp.ClientSession() as http:
            kind, value = choice.lower().split("=")
            finding = await examine_part(part(kind, value), load_settings(**keys), http)
    assert (finding.state, finding.fix) == ("bad", "try again later")
    assert "failure of its own: Overloaded (503)" in finding.detail


async def test_a_vendor_that_cannot_be_reached_is_bad():
    settings = load_settings(
        avatar_port=0, deepgram_api_key="fake", deepgram_base_url="http://127.0.0.1:9"
    )
    findings = {finding.what: finding for finding in await examine(settings, {})}
    assert findings["STT=deepgram"].state == "bad"
    assert "cannot be reached" in findings["STT=deepgram"].detail


async def test_without_keys_local_parts_load_and_cloud_parts_are_off():
    findings = {f.what: f for f in await examine(load_settings(avatar_port=0), {})}
    for row in PARTS:
        unused = row.needs or row.choice == "LLM=ollama"  # which does not answer here
        expected = "off" if unused else "ok"
        assert findings[row.choice].state == expected, findings[row.choice]


async def found_of_ollama(server, **settings):
    """What the doctor says of it."""
    settings = load_settings(llm="ollama", ollama_base_url=server.url, **settings)
    async with aiohttp.ClientSession() as http:
        return await examine_part(part("llm", "ollama"), settings, http)


async def test_a_running_ollama_is_asked_a_word_by_the_model_that_can_talk():
    models = ("nomic-embed-text:latest", "llama3.2:latest")
    async with Ollama(models=models, replies=["Yes"]) as server:
        found = await found_of_ollama(server)
        server.assert_all_used()
    assert found == Finding("LLM=ollama", "ok", "llama3.2:latest answers")


@pytest.mark.parametrize("model", ["nomic-embed-text:latest", "gone"])
async def test_a_model_that_cannot_talk_is_bad_although_its_endpoint_answers(model):
    async with Ollama(models=("nomic-embed-text:latest",)) as server:
        found = await found_of_ollama(server, ollama_model=model)
    assert (found.state, found.fix) == ("bad", "set OLLAMA_MODEL to a model that can talk")
    assert f"{model} does not answer: " in found.detail and found.detail.endswith(
        "does not support chat" if "embed" in model else "try pulling it first"
    )


@pytest.mark.parametrize(("listed", "state"), [("", "bad"), ("guest", "ok")])
async def test_a_variable_that_nobody_may_fill_is_bad(listed, state, tmp_path):
    (tmp_path / "ada.yaml").write_text("name: Ada\ngreeting: Hello ${guest}\n")
    settings = load_settings(
        avatar_persona=str(tmp_path / "ada.yaml"), avatar_port=0, avatar_visitor_variables=listed
    )
    found = {finding.what: finding for finding in await examine(settings, {})}
    assert found["persona"].state == state


async def test_everything_that_is_wrong_is_found_at_once(tmp_path):
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as busy:
        settings = load_settings(
            stt="deepgram",
            avatar_host="127.0.0.1",
            avatar_port=busy.getsockname()[1],
            avatar_persona="nobody.yaml",
            avatar_transcripts=str(tmp_path / "file" / "folder"),
            puppet_pack="nobody",
        )
        findings = await examine(settings, {})
    bad = {finding.what for finding in findings if finding.state == "bad"}
    assert {"line-up", "port", "persona", "transcripts", "STT=deepgram", "AVATAR=puppet"} <= bad
    assert all(finding.fix for finding in findings if finding.state == "bad")


async def test_a_folder_that_cannot_be_written_is_bad_only_where_it_was_set(monkeypatch):
    monkeypatch.chdir("/proc")
    findings = {f.what: f for f in await examine(load_settings(avatar_port=0), {})}
    assert findings["transcripts"].state == "ok"
    assert "no transcripts are kept" in findings["transcripts"].detail
    asked = load_settings(avatar_port=0, avatar_transcripts="/proc/x")
    findings = {f.what: f for f in await examine(asked, {})}
    assert findings["transcripts"].state == "bad" and findings["transcripts"].fix


async def test_a_port_is_tried_on_an_ipv6_address_too():
    settings = load_settings(avatar_host="::1", avatar_port=0)
    findings = {f.what: f for f in await examine(settings, {})}
    assert findings["port"].state == "ok"


def test_the_command_prints_a_fix_a_line_and_ends_with_2_when_something_is_bad():
    code, out, err = avatar("doctor", "--port", "0", "--stt", "deepgram")
    assert code == 2
    assert "✗ STT=deepgram" in out and "set DEEPGRAM_API_KEY" in out
    assert err == ""


def test_the_command_prints_json_and_ends_with_0_when_all_is_well():
    code, out, _ = avatar("doctor", "--port", "0", "--json")
    findings = json.loads(out)
    assert code == 0
    assert {finding["state"] for finding in findings} == {"ok", "off"}


async def test_liveavatar_without_a_key_is_the_sandbox_where_rooms_can_be_had():
    settings = load_settings(avatar_port=0, avatar="heygen", livekit_url="ws://rooms.invalid")
    findings = {f.what: f for f in await examine(settings, {})}
    assert findings["AVATAR=heygen"].detail == "no key: the sandbox on this machine is used"
    assert findings["line-up"].state == "ok"


async def test_liveavatar_without_a_key_and_without_rooms_is_bad(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    findings = {f.what: f for f in await examine(load_settings(avatar="heygen"), {})}
    assert findings["AVATAR=heygen"].state == "bad"
    assert "scripts/livekit-server" in findings["AVATAR=heygen"].fix


@pytest.fixture
def misspelt_key():
    """A .env with one."""
    Path(".env").write_text("DEEPGRAM_APIKEY=fake-deepgram-key\n")


async def test_a_misspelt_key_is_bad_and_the_right_name_is_given(misspelt_key):
    findings = [f for f in await examine(load_settings(avatar_port=0), {}) if f.what == "settings"]
    assert findings == [
        Finding(
            "settings", "bad", "DEEPGRAM_APIKEY in .env is no setting", "write DEEPGRAM_API_KEY"
        )
    ]


async def test_what_the_start_would_refuse_is_bad_here():
    findings = {f.what: f for f in await examine(load_settings(avatar_language="de"), {})}
    for choice, setting in {
        "STT=moonshine": "set STT=whisper, and WHISPER_MODEL to a multilingual model",
        "TTS=hibari": "set TTS=cartesia, or TTS=piper with a PIPER_VOICE of that language",
        "LLM=guide": "set LLM=ollama, or GOOGLE_API_KEY",
    }.items():
        assert findings[choice].state == "bad"
        assert "AVATAR_LANGUAGE=de" in findings[choice].detail
        assert setting in findings[choice].fix


async def test_a_part_that_is_not_in_use_may_not_know_the_language():
    async with Deepgram() as ears:
        settings = load_settings(
            avatar_language="de", deepgram_api_key=ears.key, deepgram_base_url=ears.url
        )
        findings = {f.what: f for f in await examine(settings, {})}
    assert findings["STT=moonshine"].state == "off"
