"""Personas: what a file may say, and what is said about a wrong one."""

import pytest

from pipelines.errors import BadSetting
from pipelines.parts import values
from pipelines.persona import PACKAGED, load_persona

NAMES = sorted(path.stem for path in PACKAGED.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_packaged_persona_is_whole(name):
    persona = load_persona(name).filled({})
    assert persona.name.lower() == name
    assert persona.name in persona.greeting
    assert all((persona.prompt, persona.still_there, persona.goodbye, persona.language))
    assert set(persona.voice) <= set(values("tts"))
    assert set(persona.avatar) <= set(values("avatar"))


def test_a_persona_is_a_file_of_the_users(tmp_path):
    file = tmp_path / "ada.yaml"
    file.write_text(
        "name: Ada\ngreeting: Hello ${guest}, I am ${name}. That is $$5.\nlanguage: de\n"
    )
    persona = load_persona(str(file)).filled({"guest": "Grace"})
    assert persona.greeting == "Hello Grace, I am Ada. That is $5."
    assert persona.language == "de"
    assert persona.goodbye


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("name: [Ada", "not valid YAML at line", id="broken"),
        pytest.param("just a sentence", "describes no persona", id="no mapping"),
        pytest.param("nmae: Ada", "unknown key 'nmae'", id="typo"),
        pytest.param("name: 5", "'name' that is not text", id="number"),
        pytest.param("voice: joe", "wrong 'voice'", id="voice without part"),
        pytest.param("greeting: Hi ${guest}", "give --var guest=", id="variable without value"),
        pytest.param("greeting: It costs $ 5", r"write \$\$", id="lone dollar"),
    ],
)
def test_a_persona_that_cannot_be_used_is_named_with_the_fix(text, said, tmp_path):
    file = tmp_path / "persona.yaml"
    file.write_text(text)
    with pytest.raises(BadSetting, match=said) as error:
        load_persona(str(file)).filled({})
    assert "AVATAR_PERSONA" in str(error.value)


def test_a_missing_persona_is_named_with_the_packaged_ones():
    with pytest.raises(BadSetting, match="No such file") as error:
        load_persona("nobody.yaml")
    assert ", ".join(NAMES) in str(error.value)


def test_a_persona_that_is_not_text_is_said(tmp_path):
    file = tmp_path / "persona.yaml"
    file.write_bytes(b"name: \xff\xfe")
    with pytest.raises(BadSetting, match="UTF-8"):
        load_persona(str(file))
