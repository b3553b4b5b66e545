"""The table of faults: whole, and written down in docs/faults.md."""

from tests.faults import FAULTS, table
from tests.faults.page import FILE, written


def test_every_fault_of_a_vendor_has_a_cell():
    cells = table()
    for vendor in {cell.vendor for cell in cells}:
        faults = [cell.fault for cell in cells if cell.vendor == vendor]
        assert sorted(faults) == sorted(FAULTS), vendor


def test_the_page_is_written_from_the_table():
    assert FILE.read_text() == written(), "run `uv run --group dev python -m tests.faults`"
