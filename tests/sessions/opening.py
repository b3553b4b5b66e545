"""Opens a ledger by its address, for tests and the processes that they start."""

from pathlib import Path

from sessions.ledger import FileLedger, Ledger
from sessions.postgres import PostgresLedger


def open_ledger(where: str) -> Ledger:
    """The ledger in a folder or a database, where nobody who is missed is waited for."""
    if where.startswith("postgresql:"):
        return PostgresLedger(where, missed_s=0)
    return FileLedger(Path(where))
