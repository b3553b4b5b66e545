"""The ledger in PostgreSQL, for processes on several machines.

A lock that a connection holds says that its process lives: the server lets go of it with the
connection. Connections break without their process having died, so who is missed has a while to
come back.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar

import psycopg
from psycopg.rows import tuple_row

from sessions.ledger import SLACK_S, Entry, LedgerError, Paid

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]
# So long after its lock was first found free, a process is taken for dead.
MISSED_S = 15.0
CONNECT_S = 5
# A server whose machine is gone is missed as fast, though it does not say so.
ALIVE_S, UNHEARD_MS = 5, 10_000
WAIT_MS = 5000
# Held by who makes the tables, or takes over what others have left.
TURN = 0x61766174_6172
TABLES = """
CREATE TABLE IF NOT EXISTS avatar_ledger (
    kind text, id text, account text, opened_at float8, ends_at float8, owner int8,
    PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS avatar_missed (owner int8 PRIMARY KEY, since timestamptz);
CREATE TABLE IF NOT EXISTS avatar_spent (day date PRIMARY KEY, dollars float8);
"""
PAID = "kind, id, account, opened_at, ends_at"
LIVES = """EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::int8 = owner >> 32 AND objid::int8 = owner & 4294967295)"""


class PostgresLedger:
    """A ledger in the database of an address, as libpq takes it."""

    def __init__(self, address: str, missed_s: float = MISSED_S) -> None:
        self._address = address
        self._missed_s = missed_s
        self._owner = secrets.randbits(62)
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def hold(self) -> None:
        """See `Ledger`."""
        self._do(lambda _: None)

    def open(self, paid: Paid) -> None:
        """See `Ledger`."""
        values = (paid.kind, paid.id, paid.account, paid.opened_at, paid.ends_at, self._owner)
        said = f"""INSERT INTO avatar_ledger ({PAID}, owner) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner"""
        self._do(lambda connection: connection.execute(said, values))

    def over(self, paid: Paid) -> None:
        """See `Ledger`."""
        said = "DELETE FROM avatar_ledger WHERE kind = %s AND id = %s"
        self._do(lambda connection: connection.execute(said, (paid.kind, paid.id)))

    def entries(self) -> list[Entry]:
        """See `Ledger`."""
        said = f"SELECT {PAID}, {LIVES} FROM avatar_ledger ORDER BY opened_at"
        rows = self._do(lambda connection: connection.execute(said).fetchall())
        return [Entry(Paid(*row[:5]), row[5]) for row in rows]

    def adopt(self, accounts: Collection[str]) -> list[Paid]:
        """See `Ledger`."""
        return self._do(lambda connection: self._adopt(connection, list(accounts)))

    def _adopt(self, connection: Connection, accounts: list[str]) -> list[Paid]:
        say = connection.execute
        with connection.transaction():
            say("SELECT pg_advisory_xact_lock(%s)", (TURN,))
            say(f"DELETE FROM avatar_missed WHERE {LIVES}")
            say(
                f"""INSERT INTO avatar_missed SELECT DISTINCT owner, now() FROM avatar_ledger
                WHERE NOT {LIVES} ON CONFLICT DO NOTHING"""
            )
            dead = """owner IN (SELECT owner FROM avatar_missed
                WHERE since <= now() - make_interval(secs => %s))"""
            past = f"DELETE FROM avatar_ledger WHERE {dead} AND account <> ALL(%s) AND ends_at < %s"
            say(past, (self._missed_s, accounts, time.time() - SLACK_S))
            adopts = f"""UPDATE avatar_ledger SET owner = %s WHERE {dead} AND account = ANY(%s)
                RETURNING {PAID}"""
            left = say(adopts, (self._owner, self._missed_s, accounts)).fetchall()
            say("DELETE FROM avatar_missed WHERE owner NOT IN (SELECT owner FROM avatar_ledger)")
        return [Paid(*row) for row in left]

    def spend(self, day: date, dollars: float) -> float:
        """See `Ledger`. It is added twice if the connection breaks before the answer."""
        said = """INSERT INTO avatar_spent VALUES (%s, %s)
            ON CONFLICT (day) DO UPDATE SET dollars = avatar_spent.dollars + excluded.dollars
            RETURNING dollars"""
        rows = self._do(lambda connection: connection.execute(said, (day, dollars)).fetchall())
        return rows[0][0]

    def spent(self, day: date) -> float:
        """See `Ledger`."""
        said = "SELECT dollars FROM avatar_spent WHERE day = %s"
        rows = self._do(lambda connection: connection.execute(said, (day,)).fetchall())
        return rows[0][0] if rows else 0.0

    def close(self) -> None:
        """See `Ledger`."""
        with self._turn:
            self._hang_up()

    def _do(self, work: Callable[[Connection], T]) -> T:
        """Do something at the server, again if the connection had broken meanwhile."""
        with self._turn, _telling():
            if self._connection:
                try:
                    return work(self._connection)
                except psycopg.OperationalError:
                    self._hang_up()
            return work(self._connected())

    def _connected(self) -> Connection:
        self._connection = connection = psycopg.connect(
            self._address,
            autocommit=True,
            connect_timeout=CONNECT_S,
            tcp_user_timeout=UNHEARD_MS,
            keepalives_idle=ALIVE_S,
            keepalives_interval=ALIVE_S,
            keepalives_count=1,
            row_factory=tuple_row,
        )
        settings = {"synchronous_commit": "on", "statement_timeout": f"{WAIT_MS}"}
        # The server notices within half a minute that a machine is gone.
        alive = {"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5"}
        try:
            for name, value in {**settings, **alive, "tcp_keepalives_count": "3"}.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (TURN,))
                connection.execute(TABLES)
            # Shared with this process's connection before, which the server may not have missed.
            connection.execute("SELECT pg_advisory_lock_shared(%s)", (self._owner,))
        except psycopg.Error:
            self._hang_up()
            raise
        return connection

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with contextlib.suppress(psycopg.Error):
                connection.close()


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise LedgerError(f"the ledger in PostgreSQL cannot be kept ({why})") from error
