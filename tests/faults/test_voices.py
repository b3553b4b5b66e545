"""Every fault of voices: a cell each, in conversations that go on all at once."""

import pytest

from tests.faults import Cell
from tests.faults.asking import Outcome, check, outcomes
from tests.faults.speech import reachable

__all__ = ["outcomes"]


@pytest.mark.parametrize("cell", reachable("Cartesia", "local voice"), ids=str)
def test_the_user_hears_and_sees(cell: Cell, outcomes: dict[str, Outcome | BaseException]) -> None:  # noqa: F811
    check(cell, outcomes[str(cell)])
