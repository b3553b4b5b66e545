"""How many cores this process may use."""

import os
from collections.abc import Iterator
from pathlib import Path

OWN = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")


def cores(own: Path = OWN, groups: Path = GROUPS) -> float:
    """The cores that this process may use: those it may run on, or less where its time is limited.

    A container's limit (`docker run --cpus 1.5`, a `cpu` limit of Kubernetes') is one of time.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return min([float(count), *quotas(own, groups)])


def quotas(own: Path = OWN, groups: Path = GROUPS) -> Iterator[float]:
    """The limits on time, in cores, of each Linux control group that this process is in.

    See https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files, and for the first
    version https://docs.kernel.org/scheduler/sched-bwc.html#management.
    """
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            base, names = groups, ["cpu.max"]
        elif "cpu" in controllers.split(","):
            base, names = groups / controllers, ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        group = base / path.strip("/")
        for folder in (group, *group.parents):
            words = " ".join(_text(folder / name) for name in names).split()
            match [int(word) for word in words if word.isdecimal()]:
                case [quota, period] if period:
                    yield quota / period
            if folder == base:
                break


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
