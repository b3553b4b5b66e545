"""STUN and TURN servers, as they are written."""

import pytest

from pipelines.errors import BadSetting
from pipelines.ice import ice_servers
from pipelines.settings import load_settings

STUN = "stun:stun.example:3478"
TURN = '{"urls": "turn:turn.example", "username": "ann", "credential": "fake-credential"}'
BOTH = [
    {"urls": STUN},
    {"urls": "turn:turn.example", "username": "ann", "credential": "fake-credential"},
]


@pytest.mark.parametrize(
    ("written", "servers"),
    [
        pytest.param("", [], id="none"),
        pytest.param([], [], id="no words"),
        pytest.param(STUN, BOTH[:1], id="address"),
        pytest.param(f"{STUN}, {STUN}", [*BOTH[:1], *BOTH[:1]], id="addresses"),
        pytest.param(TURN, BOTH[1:], id="object"),
        pytest.param([STUN, TURN], BOTH, id="words"),
        pytest.param(f'["{STUN}", {TURN}]', BOTH, id="array"),
    ],
)
def test_servers_are_written_in_many_ways(written, servers):
    assert ice_servers(written) == servers


@pytest.mark.parametrize("written", ["{", "[5]", '{"url": "x"}', '[{"urls": ""}]', ["{nothing"]])
def test_what_is_no_server_is_refused_with_the_form(written):
    with pytest.raises(ValueError, match="write each as stun"):
        ice_servers(written)


@pytest.mark.parametrize("name", ["AVATAR_ICE_SERVERS", "PIPECAT_ICE_SERVERS"])
def test_they_come_from_the_environment_or_from_words(name, monkeypatch):
    monkeypatch.setenv(name, f'["{STUN}", {TURN}]')
    assert load_settings().ice_servers == BOTH
    assert load_settings(avatar_ice_servers=[STUN]).ice_servers == BOTH[:1]


def test_the_credential_of_one_that_cannot_be_read_is_not_repeated(monkeypatch):
    monkeypatch.setenv("AVATAR_ICE_SERVERS", TURN[:-1])
    with pytest.raises(BadSetting, match="AVATAR_ICE_SERVERS cannot be used") as error:
        load_settings()
    assert "fake-credential" not in str(error.value)
