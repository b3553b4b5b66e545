"""In which order tests run: files side by side first, then what runs in real time, one by one.

Beside that runs what is patient, with the time that is left over.
"""

import contextlib
import functools
import os
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

PATIENT, REALTIME = "patient", "realtime"
MARKS = (PATIENT, REALTIME)
# Each run draws one of a test's variants, which cost much and go nearly the same way, or a share of
# a file's tests, as one of two with `drawn(2)`.
DRAWN = "drawn"
# Where one file holds so many conversations at once that there is no room for another such file.
FAULTS = "tests/faults/"
# Where conversations are held, which take long and wait more than they compute; the longest first.
CONVERSATIONS = ("talk", "evals", "browser")


class InTurn(LoadGroupScheduling):
    """Files go to whichever worker is free; the last two left run what is marked, a kind each."""

    def _split_scope(self, nodeid: str) -> str:
        group, file = super()._split_scope(nodeid), nodeid.partition("::")[0]
        if group in MARKS:
            return group
        return FAULTS if file.startswith(FAULTS) else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        work = self.assigned_work
        others = [other for other in self.nodes if other is not node]
        if next(iter(self.workqueue)) != REALTIME or not any(map(self._is_working, others)):
            super()._assign_work_unit(node)
        elif any(not other.shutting_down and PATIENT not in work[other] for other in others):
            node.shutdown()

    def _is_working(self, node: WorkerController) -> bool:
        """Whether it still has to do anything but what is patient."""
        work = self.assigned_work[node]
        rest = {scope: unit for scope, unit in work.items() if scope != PATIENT}
        return PATIENT not in work or self._pending_of(rest) > 0

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        """Note it; another worker may have waited for it."""
        super().mark_test_complete(node, item_index, duration)
        for other in self.nodes:
            self._reschedule(other)

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a worker; the one that is left may now be alone."""
        crashed = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InTurn:
    """Side by side is only what does not mind."""
    return InTurn(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, since some always wait."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Draw variants, and put what is marked at the end, as a group for the scheduler each."""
    chosen = config.getoption("keyword") or config.getoption("lf", default=False)
    if not (chosen or config.getoption("--all-variants", default=False)):
        _draw(config, items)
    places = _places(dict.fromkeys(item.path for item in items))
    order = ("", *MARKS)

    def place(item: pytest.Item) -> tuple[int, float, bool]:
        mark, (where, is_other) = _mark(item), places[item.path]
        # Some conversations still wait for their users, so what holds none is timed first, and the
        # longest ones are held last.
        if mark == REALTIME:
            return order.index(mark), -_kind(item.path) - where, is_other
        return order.index(mark), where, is_other

    items.sort(key=place)
    for item in items:
        if mark := _mark(item):
            item.add_marker(pytest.mark.xdist_group(mark))


def _draw(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave one variant of each test that is marked for it, and of each file that is marked with a
    number its share; every worker leaves the same.
    """
    found: dict[str, list[pytest.Item]] = {}
    shares: dict[str, int] = {}
    for item in items:
        if marker := item.get_closest_marker(DRAWN):
            name = item.nodeid.partition("::" if marker.args else "[")[0]
            found.setdefault(name, []).append(item)
            shares[name] = marker.args[0] if marker.args else 0
    chance = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(random.random()))
    kept: set[pytest.Item] = set()
    for name, group in found.items():
        kept.update(chance.sample(group, -(-len(group) // shares[name]) if shares[name] else 1))
    left_out = {item for group in found.values() for item in group} - kept
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let everything else go before what is patient, where something runs beside it."""
    if _mark(item) == PATIENT and "PYTEST_XDIST_WORKER" in os.environ:
        _let_others_go_first()


@functools.cache
def _let_others_go_first() -> None:
    """Take only time that nobody else wants, from now on, in a session of its own.

    Linux shares time among sessions first (man 7 sched, autogroups).
    """
    if not hasattr(os, "SCHED_IDLE"):
        os.nice(19)
        return
    with contextlib.suppress(OSError):
        os.setsid()
        Path("/proc/self/autogroup").write_text("19")
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name a test in the report as it is named on the command line: without its group."""
    if hasattr(report, "node"):
        for mark in MARKS:
            report.nodeid = report.nodeid.removesuffix(f"@{mark}")


def _mark(item: pytest.Item) -> str:
    """Which one it has, or none; what is both has to be on time."""
    return next((mark for mark in reversed(MARKS) if item.get_closest_marker(mark)), "")


def _places(files: Iterable[Path]) -> dict[Path, tuple[float, bool]]:
    """Where files come, so that those of conversations and all others do so in turns."""
    kinds: dict[bool, list[Path]] = {False: [], True: []}
    for path in sorted(files, key=_kind):
        kinds[_kind(path) == len(CONVERSATIONS)].append(path)
    return {
        path: (number / len(paths), is_other)
        for is_other, paths in kinds.items()
        for number, path in enumerate(paths)
    }


def _kind(path: Path) -> int:
    """The number of the folder of conversations that a file is in, or a higher one."""
    found = [number for number, name in enumerate(CONVERSATIONS) if path.parent.name == name]
    return found[0] if found else len(CONVERSATIONS)
