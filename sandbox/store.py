"""Where records outlive the process: an SQLite file, or nowhere."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from sandbox.errors import SandboxError

# Sessions wait while a file is waited for that somebody else writes.
BUSY_S = 0.1
log = logging.getLogger(__name__)


class Store(Protocol):
    """Documents of JSON by kind and id."""

    def load(self, kind: str) -> list[str]:
        """Every document of a kind, oldest first."""
        ...

    def save(self, kind: str, id_: str, document: str) -> None:
        """Write a document, in place of the one with this id."""
        ...

    def remove(self, kind: str, id_: str) -> None:
        """Forget a document."""
        ...

    def close(self) -> None:
        """Close whatever is open."""
        ...


class Nowhere:
    """Keeps nothing: records live in memory alone."""

    def load(self, kind: str) -> list[str]:
        """Nothing."""
        return []

    def save(self, kind: str, id_: str, document: str) -> None:
        """Do nothing."""

    def remove(self, kind: str, id_: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class SQLite:
    """One table in a file.

    While it cannot be written (a full disk, somebody else's lock), sessions go on, and what
    happens is written as soon as it can be.
    """

    def __init__(self, path: Path) -> None:
        """Raises: SandboxError when the file cannot be used."""
        self._path = path
        # What is still to be written, oldest first; None for what is to be removed.
        self._late: dict[tuple[str, str], str | None] = {}
        try:
            self._file = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS document"
                " (number INTEGER PRIMARY KEY, kind TEXT, id TEXT, json TEXT, UNIQUE (kind, id))"
            )
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> SandboxError:
        problem = f"--state {self._path} cannot be used ({error})"
        return SandboxError(problem, "name a file of this sandbox, or a new one")

    def load(self, kind: str) -> list[str]:
        """Every document of a kind, oldest first. Raises: SandboxError."""
        query = "SELECT json FROM document WHERE kind = ? ORDER BY number"
        try:
            with closing(self._file.execute(query, (kind,))) as rows:
                return [document for (document,) in rows]
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def save(self, kind: str, id_: str, document: str) -> None:
        """Write a document, in place of the one with this id."""
        self._change(kind, id_, document)

    def remove(self, kind: str, id_: str) -> None:
        """Forget a document."""
        self._change(kind, id_, None)

    def close(self) -> None:
        """Close the file."""
        try:
            self._write()
        except sqlite3.Error as error:
            log.error(f"--state {self._path} lacks what happened last ({error}).")
        self._file.close()

    def _change(self, kind: str, id_: str, document: str | None) -> None:
        is_new = not self._late
        self._late[kind, id_] = document
        try:
            self._write()
        except sqlite3.Error as error:
            if is_new:
                log.error(
                    f"--state {self._path} cannot be written now ({error}): sessions go on, and"
                    " what happens is written later."
                )

    def _write(self) -> None:
        """Write what is to be written. Raises: sqlite3.Error."""
        while self._late:
            (kind, id_), document = next(iter(self._late.items()))
            if document is None:
                self._file.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, id_))
            else:
                self._file.execute(
                    "INSERT INTO document (kind, id, json) VALUES (?, ?, ?)"
                    " ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json",
                    (kind, id_, document),
                )
            del self._late[kind, id_]
