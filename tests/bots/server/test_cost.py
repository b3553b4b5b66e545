"""How many conversations a machine carries: what is measured, and what is kept of it."""

import json

import pytest
from loguru import logger

from bots.server.cost import (
    BASE,
    FULL,
    SHARES,
    Cost,
    Work,
    carried,
    keep,
    kept,
    measured,
    processor,
    room,
    told,
    works,
)
from bots.server.models import warm_up
from pipelines.cache import cache_folder
from pipelines.parts import PARTS, choose, load
from pipelines.settings import load_settings

LOCAL = {"stt": "moonshine", "llm": "guide", "tts": "hibari", "avatar": "puppet"}
SMALL = {**LOCAL, "transport": "webrtc", "avatar_size": "640x360"}
COST = Cost(0.5, "2026-11-26")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A cache folder of one's own, which does not exist yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder() / "conversations.json"


class Machine:
    """Work that takes time of a clock of its own."""

    def __init__(self):
        self.spent_s = 0.0

    def work(self, share, takes_s, lasts_s):
        def run():
            self.spent_s += takes_s
            return lasts_s

        return Work(share, run)


def test_each_work_counts_by_how_much_of_a_conversation_it_goes_on():
    machine = Machine()
    works = [machine.work(0.5, takes_s=0.6, lasts_s=3.0), machine.work(1.0, 0.2, lasts_s=1.0)]
    assert measured(iter(works), lambda: machine.spent_s) == pytest.approx(BASE + 0.1 + 0.2)


def test_what_runs_elsewhere_costs_nothing_but_the_base():
    cloud = {"stt": "deepgram", "llm": "gemini", "tts": "cartesia", "avatar": "none"}
    keys = {f"{name}_api_key": "fake-key" for name in ("deepgram", "google", "cartesia")}
    settings = load_settings(transport="webrtc", **cloud, **keys)
    assert list(works(settings, choose(settings))) == []
    assert measured(iter([])) == BASE


@pytest.mark.parametrize(
    ("cores", "each", "most"),
    [(2, FULL, 2), (2, FULL + 0.01, 1), (8, FULL / 2, 16), (1, 3.0, 1)],
)
def test_as_many_are_held_as_the_cores_carry_and_one_in_any_case(cores, each, most):
    assert carried(Cost(each, "2026-11-26"), cores).most == most


def test_it_is_said_how_many_and_why():
    assert str(carried(Cost(0.62, "2026-11-26"), 2)) == (
        "2 conversations at a time: one takes 0.62 of 2 cores, a quarter of which is kept"
        " free, measured 2026-11-26; AVATAR_MAX_CONVERSATIONS changes it"
    )


def test_a_number_that_is_set_is_not_measured(cache):
    settings = load_settings(avatar_max_conversations=7, **SMALL)
    assert str(room(settings, choose(settings))) == (
        "7 conversations at a time: AVATAR_MAX_CONVERSATIONS says so"
    )
    assert not cache.exists()


def test_a_conversation_is_measured_once_and_another_one_for_itself(cache):
    settings = load_settings(**SMALL)
    lineup = choose(settings)
    warm_up(settings, lineup, lambda *_: None)
    rehearsed: list[object] = []
    room(settings, lineup, lambda: rehearsed.append(told(settings, lineup)))
    assert rehearsed == [None], "its models have worked before they are measured"
    ((key, cost),) = json.loads(cache.read_text()).items()
    assert cost["cores"] > BASE
    cache.write_text(json.dumps({key: {"cores": 0.5, "measured": "2001-01-01"}}))
    assert "one takes 0.50" in str(room(settings, lineup, pytest.fail))
    for other in ({"avatar_size": "320x180"}, {"avatar": "none"}):
        others = load_settings(**SMALL | other)
        assert told(others, choose(others)) is None


@pytest.mark.parametrize(
    "written",
    [b"", b"{", b"\xff", b"[]", b'{"key": 1}', b'{"key": {"cores": 0.0, "measured": "today"}}'],
)
def test_what_is_kept_and_makes_no_sense_is_measured_and_written_again(tmp_path, written):
    file = tmp_path / "conversations.json"
    file.write_bytes(written)
    assert kept(file, "key") is None
    keep(file, "key", COST)
    assert kept(file, "key") == COST
    assert kept(file, "another") is None


def test_what_was_kept_of_others_stays(tmp_path):
    file = tmp_path / "conversations.json"
    keep(file, "another", COST)
    keep(file, "key", Cost(0.7, "2026-11-27"))
    assert kept(file, "another") == COST
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_where_nothing_can_be_kept_the_log_says_so(tmp_path):
    (tmp_path / "folder").write_text("is none")
    logged: list[str] = []
    sink = logger.add(logged.append, format="{message}")
    try:
        keep(tmp_path / "folder" / "conversations.json", "key", COST)
    finally:
        logger.remove(sink)
    assert "What a conversation costs cannot be kept" in "".join(logged)


def test_whatever_hears_speaks_or_is_drawn_here_can_be_measured():
    here = [row for row in PARTS if row.local and row.kind in SHARES and row.value != "none"]
    assert [row.choice for row in here if not hasattr(load(row), "exercise")] == []


def test_the_processor_is_told_by_its_model(tmp_path):
    about = tmp_path / "cpuinfo"
    about.write_text("processor\t: 0\nmodel name\t: Quick 3000\nmodel name\t: Quick 3000\n")
    assert processor(about) == "Quick 3000"
    assert processor(tmp_path / "nothing")
