"""Where records outlive the process: an SQLite file, or nowhere."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from sandbox.errors import SandboxError


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
    """One table in a file."""

    def __init__(self, path: Path) -> None:
        """Raises: SandboxError when the file cannot be used."""
        try:
            self._file = sqlite3.connect(path, isolation_level=None)
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS document"
                " (number INTEGER PRIMARY KEY, kind TEXT, id TEXT, json TEXT, UNIQUE (kind, id))"
            )
        except sqlite3.Error as error:
            raise SandboxError(
                f"--state {path} cannot be used ({error})",
                "name a file of this sandbox, or a new one",
            ) from error

    def load(self, kind: str) -> list[str]:
        """Every document of a kind, oldest first."""
        query = "SELECT json FROM document WHERE kind = ? ORDER BY number"
        with closing(self._file.execute(query, (kind,))) as rows:
            return [document for (document,) in rows]

    def save(self, kind: str, id_: str, document: str) -> None:
        """Write a document, in place of the one with this id."""
        self._file.execute(
            "INSERT INTO document (kind, id, json) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json",
            (kind, id_, document),
        )

    def remove(self, kind: str, id_: str) -> None:
        """Forget a document."""
        self._file.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, id_))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
