"""Which faults a run brings about: of each vendor's a third, another one each time."""

import os
import random

import pytest

from tests.faults import Cell

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(random.random())
SHARE = 3


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this run does not bring about; every worker leaves out the same."""
    if config.getoption("--all-faults"):
        return
    of_vendor: dict[str, list[pytest.Item]] = {}
    for item in items:
        cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")  # type: ignore[attr-defined]
        if isinstance(cell, Cell):
            of_vendor.setdefault(cell.vendor, []).append(item)
    chance = random.Random(RUN)
    left_out = {
        id(item)
        for found in of_vendor.values()
        for item in chance.sample(found, len(found) - -(-len(found) // SHARE))
    }
    config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
    items[:] = [item for item in items if id(item) not in left_out]
