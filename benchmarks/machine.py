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


def busy_s() -> float:
    """CPU seconds the whole machine has spent on anything but idling."""
    ticks = [int(word) for word in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS


def ours_s() -> float:
    """CPU seconds of this process and everything it started, the ended ones too."""
    fields = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            fields[int(folder.name)] = _fields(int(folder.name))
        except OSError:
            continue
    family, found = set(), {os.getpid()}
    while found:
        family |= found
        found = {pid for pid, numbers in fields.items() if numbers[1] in family} - family
    return sum(sum(fields[pid][11:15]) for pid in family) / TICKS


class OtherLoad:
    """What processes that are not ours use, from when it is made, in per cent of one core."""

    def __init__(self) -> None:
        self._start = (time.monotonic(), busy_s(), ours_s())

    @property
    def pct(self) -> float:
        """Their CPU time so far."""
        start_s, busy, ours = self._start
        others_s = (busy_s() - busy) - (ours_s() - ours)
        return max(0.0, 100 * others_s / (time.monotonic() - start_s))


def wait_until_quiet(patience_s: float) -> None:
    """Wait until the load of the last minute is below 0.7, but not longer than `patience_s`."""
    end_s = time.monotonic() + patience_s
    while os.getloadavg()[0] >= QUIET_LOAD and time.monotonic() < end_s:
        time.sleep(2)
