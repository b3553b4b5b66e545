"""The first minutes of a newcomer: `python -m benchmarks.fresh`.

Clones this repository's last commit, and runs `uv run avatar` there with an empty uv cache and an
empty home folder, as after `git clone`; Python is the machine's. Measures how long it takes until
the server answers and until a visitor hears the first word, how much the network brought (what the
machine's interfaces received meanwhile, whoever asked for it), and which packages are the heaviest:
the wheel as uv.lock or uv names its size, and the files it installed. Megabytes are of 10^6 bytes.
The second start is what the newcomer has from then on.
"""

import argparse
import asyncio
import re
import signal
import ssl
import sys
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.onlooker import Onlooker
from benchmarks.report import Report, options_parser
from tests.talk.app import READY, environment

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ("uv", "run", "avatar", "--no-open", "--port", "0", "--host", "127.0.0.1")
LIMIT_S = 900.0
MEGA = 1e6
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
DOWNLOADING = re.compile(r"Downloading (\S+) \(([\d.]+)(\wiB)\)")
HEAVIEST = 10


@dataclass(frozen=True)
class Package:
    """An installed package."""

    name: str
    installed_mb: float
    wheel_mb: float | None
    """None if neither uv.lock nor uv says."""


def fresh_environment(home: Path) -> dict[str, str]:
    """The environment of somebody who has never run anything of this."""
    kept = {k: v for k, v in environment().items() if k in ("PATH", "LANG", "TMPDIR")}
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    certificates = ssl.get_default_verify_paths().cafile
    return kept | {
        **({"SSL_CERT_FILE": certificates} if certificates else {}),
        "HOME": str(home),
        "UV_CACHE_DIR": str(home / "uv-cache"),
        "UV_PYTHON": str(base),
        "UV_PYTHON_DOWNLOADS": "never",
    }


@asynccontextmanager
async def uv_run_avatar(clone: Path, env: dict[str, str], log: Path) -> AsyncIterator[str]:
    """Run the command until the server answers; gives its address."""
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, cwd=clone, env=env, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(LIMIT_S):
            while not (found := READY.search(_text(log))):
                assert process.returncode is None, _text(log)
                await asyncio.sleep(0.1)
        yield found[1]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await process.wait()


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


async def start(clone: Path, env: dict[str, str], log: Path) -> tuple[float, float]:
    """Seconds from the command to the server's address, and to the first word heard."""
    begin_s = time.monotonic()
    async with uv_run_avatar(clone, env, log) as url:
        ready_s = time.monotonic() - begin_s
        async with Onlooker(url) as visitor:
            await visitor.until(lambda: visitor.last_loud_s, "the first word", 60)
            return ready_s, visitor.last_loud_s - begin_s


def received_mb() -> float:
    """Megabytes that all network interfaces but loopback have received."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    counts = (line.split(":", 1) for line in lines)
    return sum(int(c.split()[0]) for name, c in counts if name.strip() != "lo") / MEGA


def size_mb(folder: Path) -> float:
    """The size of a folder's files."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if not p.is_dir()) / MEGA


def packages(clone: Path, log: str) -> list[Package]:
    """What was installed, the heaviest first."""
    wheels = _wheels_of_lock(clone)
    named = {name: float(n) * UNITS[unit] / MEGA for name, n, unit in DOWNLOADING.findall(log)}
    found = []
    for record in (clone / ".venv").glob("lib/python*/site-packages/*.dist-info/RECORD"):
        name = record.parent.name.split("-")[0].replace("_", "-").lower()
        found.append(Package(name, _installed_mb(record), _wheel_mb(name, wheels, named)))
    return sorted(found, key=lambda package: package.installed_mb, reverse=True)


def _wheels_of_lock(clone: Path) -> dict[str, dict[str, float]]:
    """Megabytes of each package's wheels by file name, as far as the lock has them."""
    lock = tomllib.loads((clone / "uv.lock").read_text())
    return {
        package["name"]: {
            wheel["url"].rsplit("/", 1)[1]: wheel["size"] / MEGA
            for wheel in package.get("wheels", ())
            if "size" in wheel
        }
        for package in lock["package"]
    }


def _wheel_mb(
    name: str, wheels: dict[str, dict[str, float]], named: dict[str, float]
) -> float | None:
    """The size uv named; it names none for small wheels, which are pure and have one file."""
    if name in named:
        return named[name]
    sizes = wheels.get(name, {})
    pure = [size for file, size in sizes.items() if file.endswith("-any.whl")]
    return pure[0] if pure else None


def _installed_mb(record: Path) -> float:
    """The size of the files a RECORD lists, byte code that came later left out."""
    site = record.parent.parent
    files = [site / line.rsplit(",", 2)[0].strip('"') for line in record.read_text().splitlines()]
    return sum(file.lstat().st_size for file in files if file.is_file()) / MEGA


async def run(*command: str | Path) -> None:
    """Run a command that must succeed."""
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Clone, start, measure."""
    clone, home, log = folder / "clone", folder / "home", folder / "log"
    home.mkdir()
    await run("git", "clone", "--quiet", "--no-hardlinks", ROOT, clone)
    env = fresh_environment(home)
    report = Report("The first start of a newcomer", options)
    clone_mb, before_mb = size_mb(clone), received_mb()
    first_ready_s, first_word_s = await start(clone, env, log)
    downloaded_mb = received_mb() - before_mb
    uv_said = _text(log)
    found = packages(clone, uv_said)
    again_ready_s, again_word_s = await start(clone, env, folder / "second")
    report.add("clone", "MB", [clone_mb])
    report.add("downloaded", "MB", [downloaded_mb])
    report.add("packages", "", [len(found)])
    report.add("their files", "MB", [sum(package.installed_mb for package in found)])
    report.add("home folder afterwards, uv's cache included", "MB", [size_mb(home)])
    report.add("first start: ready", "s", [first_ready_s])
    report.add("first start: first word heard", "s", [first_word_s])
    report.add("second start: ready", "s", [again_ready_s])
    report.add("second start: first word heard", "s", [again_word_s])
    for package in found[:HEAVIEST]:
        report.add(f"{package.name}: installed", "MB", [package.installed_mb])
        report.add(f"{package.name}: wheel", "MB", [package.wheel_mb] if package.wheel_mb else [])
    report.details["packages"] = [vars(package) for package in found]
    report.details["uv"] = uv_said.splitlines()
    report.finish()


def main() -> None:
    """Measure and print."""
    options = options_parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(options, Path(folder)))


if __name__ == "__main__":
    main()
