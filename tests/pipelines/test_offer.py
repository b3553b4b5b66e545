"""Who can be chosen: only personas that have a voice."""

import pytest

from bots.doctor import examine
from bots.parts import run as show_parts
from pipelines.errors import Incompatible
from pipelines.offer import offered_personas, persona_asked, unvoiced
from pipelines.parts import choose
from pipelines.persona import PACKAGED, load_persona
from pipelines.settings import load_settings

WHY = "Mira has no voice with TTS=piper: use TTS=cartesia, or TTS=hibari, or set PIPER_VOICE."


def offer(**flags):
    settings = load_settings(llm="guide", **flags)
    return settings, choose(settings)


def test_every_packaged_persona_has_a_voice_by_default():
    settings, lineup = offer()
    assert list(offered_personas(settings, lineup)) == ["mira", "theo"]
    assert unvoiced(settings, lineup) == {}


@pytest.mark.parametrize("name", [file.stem for file in PACKAGED.glob("*.yaml")])
def test_face_and_voice_of_a_persona_agree(name):
    persona = load_persona(name)
    assert persona.avatar["puppet"] == name
    assert persona.voice_with("hibari") == {"mira": "heart", "theo": "low"}[name]


def test_a_persona_without_a_voice_is_not_offered_and_it_is_said_what_would_bring_one():
    settings, lineup = offer(tts="piper")
    assert list(offered_personas(settings, lineup)) == ["theo"]
    assert persona_asked(settings, lineup).name == "Theo"
    assert {name: str(why) for name, why in unvoiced(settings, lineup).items()} == {"mira": WHY}


def test_a_voice_that_is_set_is_everybodys():
    settings, lineup = offer(tts="piper", piper_voice="en_US-amy-medium")
    assert list(offered_personas(settings, lineup)) == ["mira", "theo"]


def test_a_persona_that_is_set_and_has_no_voice_is_refused_with_the_fix():
    settings, lineup = offer(tts="piper", avatar_persona="mira")
    with pytest.raises(Incompatible, match=WHY):
        persona_asked(settings, lineup)


def test_the_table_of_parts_says_it(capsys):
    assert show_parts(["--tts", "piper", "--llm", "guide"]) == 0
    assert WHY in capsys.readouterr().out


async def test_the_doctor_says_it():
    settings = load_settings(avatar_port=0, llm="guide", tts="piper")
    (finding,) = [each for each in await examine(settings, {}) if each.what == "voice"]
    assert (finding.state, f"{finding.detail}: {finding.fix}.") == ("off", WHY)
    settings = load_settings(avatar_port=0, llm="guide", tts="piper", avatar_persona="mira")
    (finding,) = [each for each in await examine(settings, {}) if each.what == "voice"]
    assert finding.state == "bad"
