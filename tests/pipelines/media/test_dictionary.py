"""The file of words that Hibari's reader asks: it reads as the package's own, and is made anew."""

import asyncio
import sys

import pytest
from hibari.g2p import G2P

from guide.knowledge import KNOWLEDGE, load_knowledge
from pipelines.media.dictionary import Reader, reader

ODD = [
    "I read what you've read, and she used to live in St. Mary's; the live show is at 8:30.",
    "Zyxomma and Grzegorz paid $12.50 for 1,204 to-dos in the USA by 3rd May 1999.",
    "NASA's E-mail: «no@where.org» — it's 21°C, isn't it? ÜBER naïve café!",
    "",
    "...",
]
TEXTS = [topic.answers[0].text for topic in load_knowledge(KNOWLEDGE).values()] + ODD
pytestmark = pytest.mark.patient


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "avatar"


def test_it_reads_as_the_package_does(cache):
    own, theirs = reader(), G2P()
    assert isinstance(own, Reader)
    for text in TEXTS:
        assert own(text) == theirs(text), text


def test_a_file_that_is_broken_is_made_anew(cache):
    reader()
    (file,) = cache.iterdir()
    for broken in (b"", file.read_bytes()[:100_000], b"no database"):
        file.write_bytes(broken)
        assert isinstance(reader(), Reader)
        assert reader()("Hello there.") == "həlˈO ðˈɛɹ."
    assert list(cache.iterdir()) == [file], "nothing else is left"


async def test_processes_that_start_at_once_have_one_file(cache):
    code = "from pipelines.media.dictionary import *; assert isinstance(reader(), Reader)"
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", code) for _ in range(3)]
    assert [await process.wait() for process in started] == [0, 0, 0]
    assert len(list(cache.iterdir())) == 1


def test_without_a_cache_the_packages_own_is_loaded(tmp_path, monkeypatch):
    (no_folder := tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_folder))
    assert reader()("Hello there.") == "həlˈO ðˈɛɹ."
