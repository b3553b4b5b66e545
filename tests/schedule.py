"""In which order tests run: files side by side first, then what runs in real time, one by one."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

REALTIME = "realtime"
# Where conversations are held, which take long and wait more than they compute; the longest first.
CONVERSATIONS = ("talk", "evals", "browser")


class InTurn(LoadGroupScheduling):
    """Files go to whichever worker is free; the last one left runs what is marked as real time."""

    def _split_scope(self, nodeid: str) -> str:
        group = super()._split_scope(nodeid)
        return REALTIME if group == REALTIME else nodeid.partition("::")[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        if next(iter(self.workqueue)) != REALTIME or self.nodes == [node]:
            super()._assign_work_unit(node)
        elif any(other is not node and not other.shutting_down for other in self.nodes):
            node.shutdown()

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
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what runs in real time at the end, as one group for the scheduler."""
    places = _places(dict.fromkeys(item.path for item in items))
    items.sort(key=lambda item: (_is_realtime(item), places[item.path]))
    for item in filter(_is_realtime, items):
        item.add_marker(pytest.mark.xdist_group(REALTIME))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name a test in the report as it is named on the command line: without its group."""
    if hasattr(report, "node"):
        report.nodeid = report.nodeid.removesuffix(f"@{REALTIME}")


def _is_realtime(item: pytest.Item) -> bool:
    return item.get_closest_marker(REALTIME) is not None


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
