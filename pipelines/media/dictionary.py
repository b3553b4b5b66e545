"""The words that a Hibari voice knows how to read, in a file that is asked, not loaded.

The package parses four dictionaries at each start, for which each process takes 0.4 s and 100 MB.
Put into one SQLite file they are read where they are needed, through the system's own cache.
"""

import contextlib
import functools
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from hibari.g2p import G2P, _load_json
from hibari.g2p.lexicon import Lexicon
from hibari.g2p.tagger import Tagger
from hibari.g2p.tokenize import Tokenizer
from loguru import logger

from pipelines.cache import cache_folder
from puppet.draft import drafted

GOLD, SILVER = "lexicon_us_gold.json.gz", "lexicon_us_silver.json.gz"
TAGGER, EXCEPTIONS = "tagger.json.gz", "tokenizer_exceptions.json"
# Answers of the file that are kept, of each dictionary: the words of some hundred sentences.
REMEMBERED = 8192


class Entries:
    """One dictionary of the file: what is asked of it as of the package's own `dict` or `set`."""

    def __init__(self, file: sqlite3.Connection, name: str) -> None:
        self._lock = threading.Lock()
        self._file, self._query = file, f'SELECT value FROM "{name}" WHERE key = ?'
        self._found = functools.lru_cache(REMEMBERED)(self._find)

    def get(self, key: str, default: Any = None) -> Any:
        """What stands there for it."""
        return default if (value := self._found(key)) is None else value

    def __contains__(self, key: str) -> bool:
        return self._found(key) is not None

    def _find(self, key: str) -> Any:
        with self._lock:
            row = self._file.execute(self._query, (key,)).fetchone()
        return row and json.loads(row[0])


class Reader(G2P):
    """The package's reader of American English, which asks the file."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self.lexicon = Lexicon(Entries(file, "gold"), Entries(file, "silver"))
        self.tokenizer = Tokenizer(_load_json(EXCEPTIONS))
        known = {name: Entries(file, name) for name in ("tagdict", "weights")}
        self.tagger = Tagger({**known, "tags": _one(file, "tags")})
        self.tagger.vocab = cast(set[str], Entries(file, "vocab"))  # it is only asked what is in it
        self._oov, self.unk, self.british = None, "", False


def reader() -> G2P:
    """A reader that asks the file, which is made if it is not there; else the package's own."""
    path = cache_folder() / f"hibari-{version('hibari-tts')}.sqlite"
    try:
        with contextlib.suppress(sqlite3.Error):
            return Reader(_open(path))
        _make(path)
        return Reader(_open(path))
    except (OSError, sqlite3.Error) as error:
        logger.debug(f"Hibari's dictionaries are loaded: {path} cannot be had: {error}")
        return G2P()


def _open(path: Path) -> sqlite3.Connection:
    """The file, to be read by any thread.

    Raises:
        sqlite3.Error: it is not there, or is no whole one.
    """
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False)


def _make(path: Path) -> None:
    """Write the file in one step, since other processes may open or make it at this moment."""
    with drafted(path) as draft, contextlib.closing(sqlite3.connect(draft)) as file, file:
        for name, entries in _dictionaries():
            file.execute(f'CREATE TABLE "{name}" (key TEXT PRIMARY KEY, value) WITHOUT ROWID')
            rows = ((key, json.dumps(value)) for key, value in entries.items())
            file.executemany(f'INSERT INTO "{name}" VALUES (?, ?)', rows)


def _dictionaries() -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "gold", _load_json(GOLD)
    yield "silver", _load_json(SILVER)
    tagger = _load_json(TAGGER)
    yield "tagdict", tagger["tagdict"]
    yield "weights", tagger["weights"]
    yield "vocab", dict.fromkeys(tagger["vocab"], 1)
    yield "tags", {"all": tagger["tags"]}


def _one(file: sqlite3.Connection, name: str) -> Any:
    """The only entry of a dictionary.

    Raises:
        sqlite3.Error: the file is no whole one.
    """
    if (value := Entries(file, name).get("all")) is None:
        raise sqlite3.DatabaseError(f"{name} is not in it")
    return value
