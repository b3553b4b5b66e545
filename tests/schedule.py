"""In which order tests run: files side by side first, then what runs in real time, one by one."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

REALTIME = "realtime"


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
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what runs in real time at the end, as one group for the scheduler."""
    items.sort(key=_is_realtime)
    for item in filter(_is_realtime, items):
        item.add_marker(pytest.mark.xdist_group(REALTIME))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name a test in the report as it is named on the command line: without its group."""
    if hasattr(report, "node"):
        report.nodeid = report.nodeid.removesuffix(f"@{REALTIME}")


def _is_realtime(item: pytest.Item) -> bool:
    return item.get_closest_marker(REALTIME) is not None
