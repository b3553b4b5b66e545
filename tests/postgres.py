"""A PostgreSQL server of a test run's own, from Debian's package."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.needs import missing

HOW = "The ledger in a database is tested with PostgreSQL: `apt-get install postgresql`."
LIMIT_S = 30


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a new server's database, until the block ends; it is reached by its socket."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        missing(HOW)
    user = "postgres" if os.geteuid() == 0 else None  # which root may not be
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    initdb = [programs[-1] / "initdb", "-D", data, "-A", "trust", "-U", "avatar", "--no-sync"]
    subprocess.run(initdb, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    serve = [programs[-1] / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(serve, user=user, cwd=folder, stderr=log)
    try:
        _wait(folder, server)
        yield f"postgresql://avatar@/postgres?host={quote(str(folder), safe='')}"
    finally:
        server.terminate()
        server.wait(LIMIT_S)
        shutil.rmtree(folder)


def _wait(folder: Path, server: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + LIMIT_S
    while "ready to accept connections" not in (folder / "log").read_text():
        assert server.poll() is None and time.monotonic() < end_s, (folder / "log").read_text()
        time.sleep(0.02)
