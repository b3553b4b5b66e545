"""What is said at start of how the server can be reached."""

import pytest

from bots.reach import advice, in_container
from pipelines.settings import load_settings
from web.port import own_url

TURN = {"urls": "turn:turn.example", "username": "ann", "credential": "fake-credential"}


def said(host: str, *, container: bool = False, **settings: object) -> str:
    """All that is said of a server on this host."""
    loaded = load_settings(avatar_host=host, llm="guide", **settings)
    return " ".join(advice(loaded, 7860, container=container))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:7860"),
        ("::", "http://localhost:7860"),
        ("localhost", "http://localhost:7860"),
        ("192.168.0.7", "http://192.168.0.7:7860"),
        ("fd00::7", "http://[fd00::7]:7860"),
    ],
)
def test_the_page_is_announced_where_this_machine_can_open_it(host, url):
    assert own_url(host, 7860) == url


def test_on_this_machine_alone_there_is_nothing_to_say():
    assert said("localhost") == said("127.0.0.1") == ""


def test_others_are_told_where_and_that_there_is_no_microphone():
    assert "http://192.168.0.7:7860, where browsers give no microphone" in said("192.168.0.7")
    assert "http://0.0.0.0" not in said("0.0.0.0")


def test_who_has_no_turn_server_is_told_what_for():
    assert "--ice-servers" in said("0.0.0.0")
    assert "--ice-servers" in said("0.0.0.0", avatar_ice_servers=["stun:stun.example"])
    assert "--ice-servers" not in said("0.0.0.0", avatar_ice_servers=[TURN])
    assert "UDP" not in said("0.0.0.0", transport="daily", daily_api_key="fake-key")


def test_a_container_that_only_listens_to_itself_is_told_so():
    assert "start with --host 0.0.0.0" in said("localhost", container=True)


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_container_is_known_by_its_mark(tmp_path, mark):
    assert not in_container(tmp_path)
    (tmp_path / mark).parent.mkdir(exist_ok=True)
    (tmp_path / mark).touch()
    assert in_container(tmp_path)
