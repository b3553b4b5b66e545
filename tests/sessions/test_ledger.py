"""The ledger: what is open outlives its process, and is ended by another one."""

import json
import random
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import psycopg
import pytest

from sessions.ledger import LONG_BYTES, SLACK_S, FileLedger, LedgerError, Paid
from sessions.postgres import PostgresLedger
from tests.postgres import postgres
from tests.sessions.opening import open_ledger

OURS = "ours"
TABLES = "avatar_ledger, avatar_missed, avatar_spent"
# Opens and ends for ever, and says so: "+" once something is written down, "-" before its end is.
RESTLESS = """
import itertools, sys, time
from tests.sessions.opening import open_ledger
from sessions.ledger import Paid
ledger, name = open_ledger(sys.argv[1]), sys.argv[2]
for number in itertools.count():
    paid = Paid("liveavatar", f"{name}-{number}", "ours", time.time(), time.time() + 60)
    ledger.open(paid)
    print(f"+ {paid.id}\\n", end="", flush=True)
    if number % 3:
        print(f"- {paid.id}\\n", end="", flush=True)
        ledger.over(paid)
"""
# Spends a cent again and again, and says so: "+" before, "=" after.
SPENDING = """
import sys
from datetime import date
from tests.sessions.opening import open_ledger
ledger = open_ledger(sys.argv[1])
while True:
    print("+", flush=True)
    ledger.spend(date(2026, 11, 26), 0.01)
    print("=", flush=True)
"""
ROOT = Path(__file__).parents[2]
TODAY, TOMORROW = date(2026, 11, 26), date(2026, 11, 27)


def paid(id="one", account=OURS, lasts_s=60.0):
    now = time.time()
    return Paid("liveavatar", id, account, now, now + lasts_s)


def ids(entries):
    return [entry.paid.id for entry in entries]


@pytest.fixture(scope="module")
def database():
    with postgres() as address:
        yield address


@pytest.fixture(params=["file", "postgresql"])
def where(request, tmp_path):
    """The address of an empty ledger, of either kind."""
    if request.param == "file":
        yield str(tmp_path / "ledger")
        return
    address = request.getfixturevalue("database")
    yield address
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {TABLES}")


@pytest.fixture
def ledger(where):
    opened = open_ledger(where)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path):
    """Where a ledger of files may be."""
    return tmp_path / "ledger"


@pytest.fixture
def filed(folder):
    """A ledger of files."""
    opened = FileLedger(folder)
    yield opened
    opened.close()


def all_missed(ledger):
    """Wait until it is known of everything open that its process is dead: a server sees it late."""
    end_s = time.monotonic() + 20
    while any(entry.held for entry in ledger.entries()):
        assert time.monotonic() < end_s, "somebody still lives"
        time.sleep(0.01)


def test_what_is_opened_is_in_it_until_it_is_over(ledger, where):
    one, two = paid("one"), paid("two")
    ledger.open(one)
    ledger.open(two)
    other = open_ledger(where)
    assert [(entry.paid, entry.held) for entry in other.entries()] == [(one, True), (two, True)]
    other.over(one)
    other.over(one)
    assert ids(ledger.entries()) == ["two"]
    other.close()


def test_what_a_living_process_has_open_is_left_alone(ledger, where):
    ledger.open(paid())
    other = open_ledger(where)
    assert other.adopt([OURS]) == []
    other.close()
    assert ledger.adopt([OURS]) == []


def test_what_a_dead_process_has_left_is_taken_over_by_one_other(where):
    dead, first, second = open_ledger(where), open_ledger(where), open_ledger(where)
    dead.open(left := paid())
    dead.close()
    all_missed(first)
    assert first.adopt([OURS]) == [left]
    assert second.adopt([OURS]) == [] and second.entries()[0].held
    first.close()
    all_missed(second)
    assert second.adopt([OURS]) == [left]
    second.close()


def test_what_belongs_to_another_account_stays_until_it_is_over_for_long(ledger, where):
    dead = open_ledger(where)
    dead.open(paid("running", "theirs"))
    dead.open(paid("past", "theirs", lasts_s=-SLACK_S - 1))
    dead.close()
    all_missed(ledger)
    assert ledger.adopt([OURS]) == []
    assert ids(ledger.entries()) == ["running"]


def test_a_line_that_is_torn_anywhere_hides_no_other(folder):
    ledger = FileLedger(folder)
    ledger.open(paid("one"))
    file = folder / "open.jsonl"
    whole = file.read_bytes()
    ledger.open(paid("two"))
    torn = file.read_bytes()[len(whole) :]
    for length in range(len(torn) - 1):
        file.write_bytes(whole + torn[:length])
        assert ids(ledger.entries()) == ["one"]
        ledger.open(paid("three"))
        assert ids(ledger.entries()) == ["one", "three"]
    ledger.close()


def test_it_does_not_grow_for_ever(filed, folder):
    filed.open(kept := paid("kept"))
    line = json.dumps({"over": ["liveavatar", "x" * 60]}) + "\n"
    with (folder / "open.jsonl").open("a") as file:
        file.write(line * (LONG_BYTES // len(line) + 1))
    filed.adopt([OURS])
    assert (folder / "open.jsonl").stat().st_size < 1000
    assert [entry.paid for entry in filed.entries()] == [kept] and filed.entries()[0].held


def test_a_full_disk_is_a_sentence_and_leaves_the_ledger_as_it_was(filed, folder):
    filed.open(paid("one"))
    file = folder / "open.jsonl"
    file.rename(folder / "kept")
    file.symlink_to("/dev/full")
    with pytest.raises(LedgerError, match="No space left on device"):
        filed.open(paid("two"))
    file.unlink()
    (folder / "kept").rename(file)
    assert ids(filed.entries()) == ["one"]


def test_a_folder_that_cannot_be_written_is_a_sentence():
    with pytest.raises(LedgerError, match="/proc/x cannot be kept"):
        FileLedger(Path("/proc/x")).hold()


def test_an_empty_ledger_is_read_without_being_made(folder):
    assert FileLedger(folder).entries() == [] == FileLedger(folder).adopt([OURS])
    assert FileLedger(folder).spent(TODAY) == 0
    assert not folder.exists()


def test_what_is_spent_on_a_day_is_the_sum_of_all_processes(ledger, where):
    assert ledger.spent(TODAY) == 0
    other = open_ledger(where)
    assert ledger.spend(TODAY, 0.25) == 0.25
    assert other.spend(TODAY, 0.5) == 0.75
    assert other.spend(TOMORROW, 2) == 2
    assert (ledger.spent(TODAY), ledger.spent(TOMORROW)) == (0.75, 2)
    other.close()


def test_two_processes_that_spend_at_a_time_and_are_killed_lose_nothing(where):
    words = [sys.executable, "-c", SPENDING, where]
    workers = [
        subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = ""
    for worker in workers:
        assert worker.stdout
        said += "".join(worker.stdout.readline() for _ in range(20))
        worker.send_signal(signal.SIGKILL)
        said += worker.stdout.read()
        worker.stdout.close()
        worker.wait(20)
    ledger = open_ledger(where)
    cents = round(ledger.spent(TODAY) * 100)
    assert said.count("=") <= cents <= said.count("+")
    ledger.close()


def test_days_that_cannot_be_read_are_a_sentence_and_stay_as_they_are(filed, folder):
    filed.spend(TODAY, 1)
    (folder / "spent.json").write_text("[]")
    for work in (filed.spent, lambda day: filed.spend(day, 1)):
        with pytest.raises(LedgerError, match="spent.json is not what was written"):
            work(TODAY)
    assert (folder / "spent.json").read_text() == "[]"


def killed(where, seed):
    """Two processes on one ledger, killed at random; what each began, and what it began to end."""
    chance = random.Random(seed)
    words = [sys.executable, "-c", RESTLESS, where]
    workers = [
        subprocess.Popen([*words, name], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in ("ann", "bob")
    ]
    said = []
    for worker in workers:
        assert worker.stdout
        said += [worker.stdout.readline() for _ in range(chance.randrange(1, 12))]
        worker.send_signal(signal.SIGKILL)
        said += worker.stdout.read().splitlines()
        worker.stdout.close()
        worker.wait(20)
    told = [line.split() for line in said]
    return {i for sign, i in told if sign == "+"}, {i for sign, i in told if sign == "-"}


@pytest.mark.parametrize("seed", range(2))
def test_two_processes_that_are_killed_at_random_leave_all_they_began(where, seed):
    began, ended = killed(where, seed)
    ledger = open_ledger(where)
    all_missed(ledger)
    adopted = {left.id for left in ledger.adopt([OURS])}
    assert began - ended <= adopted, "nothing that was begun is forgotten"
    # Of each process one may have been written down and not been begun.
    assert len(adopted - began) <= 2 and len(adopted & ended) <= 2
    for entry in ledger.entries():
        ledger.over(entry.paid)
    assert ledger.entries() == []
    ledger.close()


def cut(database):
    """Cut every other connection of a server."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"{others} AND backend_type = 'client backend'")


def test_a_process_whose_connection_breaks_has_a_while_to_come_back(database):
    living, other = PostgresLedger(database), PostgresLedger(database)
    living.open(paid("one"))
    cut(database)
    assert other.adopt([OURS]) == [], "it is missed, and waited for"
    living.open(paid("two"))
    hasty = PostgresLedger(database, missed_s=0)
    assert hasty.adopt([OURS]) == [], "it is back"
    assert ids(other.entries()) == ["one", "two"]
    for each in (living, other, hasty):
        each.close()


def test_a_database_that_cannot_be_reached_is_a_sentence_without_its_password(tmp_path):
    address = f"postgresql://avatar:secret@/postgres?host={tmp_path}"
    with pytest.raises(LedgerError, match="in PostgreSQL cannot be kept") as raised:
        PostgresLedger(address).open(paid())
    assert "secret" not in str(raised.value)
