"""CPU time, memory, threads and sockets of processes, read from Linux's /proc."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
QUIET_LOAD = 0.7


@dataclass(frozen=True)
class Reading:
    """What a process has used so far, and holds now."""

    at_s: float
    cpu_s: float
    rss_mb: float
    peak_rss_mb: float
    threads: int
    files: int
    sockets: int

    def cpu_pct(self, earlier: Self) -> float:
        """CPU time since an earlier reading, in per cent of one core."""
        return 100 * (self.cpu_s - earlier.cpu_s) / (self.at_s - earlier.at_s)


def read(pid: int) -> Reading:
    """A process as it is now; megabytes are of 2^20 bytes.

    Raises:
        OSError: there is no such process.
    """
    folder = PROC / str(pid)
    lines = (folder / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    files = [os.readlink(file) for file in (folder / "fd").iterdir() if file.is_symlink()]
    return Reading(
        time.monotonic(),
        sum(_fields(pid)[11:13]) / TICKS,
        int(status["VmRSS"].split()[0]) / 1024,
        int(status["VmHWM"].split()[0]) / 1024,
        int(status["Threads"]),
        len(files),
        sum(file.startswith("socket:") for file in files),
    )


def _fields(pid: int) -> list[int]:
    """The numbers of /proc/PID/stat after the state: parent first; CPU ticks are 11 to 14."""
    text = (PROC / str(pid) / "stat").read_text()
    return [0, *map(int, text.rsplit(")", 1)[1].split()[1:])]


def pss_mb(pid: int) -> float:
    """What a process and all that it started hold in memory; what others hold too, in part."""
    return sum(_pss_mb(each) for each in family(pid))


def _pss_mb(pid: int) -> float:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def busy_s() -> tuple[float, float]:
    """CPU seconds of all processes, and those that the machine's host gave to others."""
    words = (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, words)
    return (user + nice + system + irq + softirq) / TICKS, stolen / TICKS


def ours_s() -> float:
    """CPU seconds of this process and everything it started, the ended ones too."""
    return sum(sum(numbers[11:15]) for numbers in family(os.getpid()).values()) / TICKS


def family(pid: int) -> dict[int, list[int]]:
    """A process and everything it started that still runs, with their `_fields()`."""
    fields = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            fields[int(folder.name)] = _fields(int(folder.name))
        except OSError:
            continue
    known, found = set(), {pid}
    while found:
        known |= found
        found = {each for each, numbers in fields.items() if numbers[1] in known} - known
    return {each: fields[each] for each in known}


class OtherLoad:
    """What was taken from us since this was made, in per cent of one core."""

    def __init__(self) -> None:
        self._start = (time.monotonic(), *busy_s(), ours_s())

    @property
    def pct(self) -> tuple[float, float]:
        """What processes that are not ours used, and what the machine's host gave to others."""
        at_s, busy, stolen, ours = self._start
        now_s, now_busy, now_stolen, now_ours = (time.monotonic(), *busy_s(), ours_s())
        others_s = max(0.0, (now_busy - busy) - (now_ours - ours))
        return 100 * others_s / (now_s - at_s), 100 * (now_stolen - stolen) / (now_s - at_s)


def wait_until_quiet(patience_s: float) -> None:
    """Wait until the load of the last minute is below 0.7, but not longer than `patience_s`."""
    end_s = time.monotonic() + patience_s
    while os.getloadavg()[0] >= QUIET_LOAD and time.monotonic() < end_s:
        time.sleep(2)
