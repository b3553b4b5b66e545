"""The ledger: what is paid for and not known to be over, in a file that outlives every process.

Each line says that something is opened, or that it is over. Lines are appended under a lock and
are on the disk before anything is begun.
"""

import contextlib
import errno
import fcntl
import json
import os
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Protocol

# So long after its vendor must have ended it, nothing is asked about any more.
SLACK_S = 3600.0
# A file that is longer is written anew, with what is still open.
LONG_BYTES = 64 * 1024


# What users are told; how it looks inside is for the log alone.
NOT_KEPT = "the ledger cannot be kept"


class LedgerError(Exception):
    """The ledger cannot be read or written; says why."""


@dataclass(frozen=True)
class Paid:
    """Something that costs money until it is ended. Times are seconds since the epoch.

    Attributes:
        kind: which vendor's: "liveavatar" or "daily".
        id: how the vendor calls it.
        account: tells apart whose it is, without saying it.
        opened_at: when it was written down.
        ends_at: when its vendor ends it by itself.
    """

    kind: str
    id: str
    account: str
    opened_at: float
    ends_at: float

    def is_past(self, now: float) -> bool:
        """Whether it is over for long, whatever its vendor says."""
        return now > self.ends_at + SLACK_S


@dataclass(frozen=True)
class Entry:
    """What is open, and whether the process that opened it still lives."""

    paid: Paid
    held: bool


class Ledger(Protocol):
    """What is open, for several processes at once; every method raises LedgerError."""

    def hold(self) -> None:
        """Have the others know that this process lives."""
        ...

    def open(self, paid: Paid) -> None:
        """Write down what is about to be begun."""
        ...

    def over(self, paid: Paid) -> None:
        """Write down that something is over; as often as one likes."""
        ...

    def entries(self) -> list[Entry]:
        """What is open, oldest first."""
        ...

    def adopt(self, accounts: Collection[str]) -> list[Paid]:
        """What dead processes have left open of these accounts; it is this process's from now on.

        Of other accounts, what is over for long is forgotten.
        """
        ...

    def spend(self, day: date, dollars: float) -> float:
        """Add to what all processes have spent on a day; gives the sum."""
        ...

    def spent(self, day: date) -> float:
        """What all processes have spent on a day, in dollars."""
        ...

    def close(self) -> None:
        """Leave everything to the others, as if this process had ended."""
        ...


class FileLedger:
    """A ledger in a folder of this machine.

    The lock of a file of its own says that a process lives: the system lets go of it with the
    process, however that ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "open.jsonl"
        self._days = folder / "spent.json"
        self._owners = folder / "owners"
        self._owner = uuid.uuid4().hex
        self._life: BinaryIO | None = None

    def hold(self) -> None:
        """See `Ledger`."""
        with self._locked():
            self._hold()

    def open(self, paid: Paid) -> None:
        """See `Ledger`."""
        with self._locked():
            self._hold()
            self._append(_opened(paid, self._owner))

    def over(self, paid: Paid) -> None:
        """See `Ledger`."""
        with self._locked():
            self._append(_over(paid))

    def entries(self) -> list[Entry]:
        """See `Ledger`."""
        if not self._file.exists():
            return []
        with self._locked():
            return [Entry(paid, self._lives(owner)) for paid, owner in self._read()]

    def adopt(self, accounts: Collection[str]) -> list[Paid]:
        """See `Ledger`."""
        if not self._folder.exists():
            return []
        with self._locked():
            left = [paid for paid, owner in self._read() if not self._lives(owner)]
            for paid in left:
                if paid.account not in accounts and paid.is_past(time.time()):
                    self._append(_over(paid))
            adopted = [paid for paid in left if paid.account in accounts]
            for paid in adopted:
                self._hold()
                self._append(_opened(paid, self._owner))
            self._tidy()
            return adopted

    def spend(self, day: date, dollars: float) -> float:
        """See `Ledger`."""
        with self._locked():
            days = self._read_days()
            days[day.isoformat()] = days.get(day.isoformat(), 0.0) + dollars
            self._replace(self._days, json.dumps(days) + "\n")
            return days[day.isoformat()]

    def spent(self, day: date) -> float:
        """See `Ledger`."""
        if not self._days.exists():
            return 0.0
        with self._locked():
            return self._read_days().get(day.isoformat(), 0.0)

    def close(self) -> None:
        """See `Ledger`."""
        if self._life:
            self._life.close()
            self._life = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._owners.mkdir(parents=True, exist_ok=True)
            with (self._folder / "lock").open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise LedgerError(f"the ledger in {self._folder} cannot be kept ({why})") from error

    def _hold(self) -> None:
        """Lock a file of this process's own; what is written into it shows that the disk takes it.

        Raises:
            OSError: it does not.
        """
        if self._life:
            return
        life = (self._owners / self._owner).open("ab", buffering=0)
        try:
            fcntl.flock(life, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(life, f"{os.getpid()}\n".encode())
        except OSError:
            life.close()
            raise
        self._life = life

    def _lives(self, owner: str) -> bool:
        if owner == self._owner:
            return True
        try:
            with (self._owners / owner).open("rb") as life:
                fcntl.flock(life, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _append(self, line: dict[str, Any]) -> None:
        is_new = not self._file.exists()
        with self._file.open("a+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            whole = file.read(1) in (b"", b"\n")
            _write(file, (b"" if whole else b"\n") + json.dumps(line).encode() + b"\n")
        if is_new:
            _keep(self._folder)

    def _read(self) -> list[tuple[Paid, str]]:
        """What is open, and whose it is."""
        found: dict[tuple[str, str], tuple[Paid, str]] = {}
        lines = self._file.read_bytes().split(b"\n") if self._file.exists() else []
        for line in filter(None, map(_parsed, lines)):
            if opened := line.get("open"):
                paid = Paid(**opened)
                found[paid.kind, paid.id] = paid, line["owner"]
            else:
                found.pop(tuple(line["over"]), None)
        return list(found.values())

    def _tidy(self) -> None:
        """Forget dead processes, and what is long over when there is much of it."""
        for life in self._owners.iterdir():
            if not self._lives(life.name):
                life.unlink()
        if not self._file.exists() or self._file.stat().st_size < LONG_BYTES:
            return
        lines = [json.dumps(_opened(paid, owner)) + "\n" for paid, owner in self._read()]
        self._replace(self._file, "".join(lines))

    def _read_days(self) -> dict[str, float]:
        """What was spent, by day. Raises: ValueError: it cannot be understood."""
        if not self._days.exists():
            return {}
        try:
            days = json.loads(self._days.read_text())
            return {day: float(dollars) for day, dollars in days.items()}
        except (ValueError, AttributeError, TypeError):
            raise ValueError(f"{self._days.name} is not what was written") from None

    def _replace(self, file: Path, text: str) -> None:
        """Write a file anew, whole or not at all."""
        anew = file.with_suffix(".new")
        with anew.open("wb", buffering=0) as opened:
            _write(opened, text.encode())
        anew.replace(file)
        _keep(self._folder)


def _opened(paid: Paid, owner: str) -> dict[str, Any]:
    return {"open": asdict(paid), "owner": owner}


def _over(paid: Paid) -> dict[str, Any]:
    return {"over": [paid.kind, paid.id]}


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line; None if it is none, for its process died before it was whole and began nothing."""
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _write(file: BinaryIO, data: bytes) -> None:
    """Write data to the disk, whole or not at all.

    Raises:
        OSError: the disk does not take it.
    """
    end = file.seek(0, os.SEEK_END)
    try:
        if file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(end)
        raise


def _keep(folder: Path) -> None:
    """Have the disk keep the names in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
