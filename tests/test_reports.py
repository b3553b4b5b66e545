"""docs/reports.md: what others reported, and the test that keeps it from happening here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAD = ["reported as", "symptom", "seen here before", "what happens now", "test"]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/reports.md").read_text().splitlines()
    if line.startswith("| ")
]
REPORTS = [row for row in ROWS if row != HEAD]


def exists(test: str) -> bool:
    """Whether there is such a test, in Python or for Node."""
    file, _, name = test.partition("::")
    text = (ROOT / file).read_text() if (ROOT / file).is_file() else ""
    return bool(re.search(rf"^(?:async )?def {re.escape(name)}\(", text, re.M)) or (
        file.endswith(".test.js") and f'test("{name}"' in text
    )


def test_there_are_reports():
    assert len(REPORTS) > 10


@pytest.mark.parametrize("row", REPORTS, ids=lambda row: row[0])
def test_every_report_names_tests_that_exist(row: list[str]):
    assert len(row) == len(HEAD) and all(row), f"fill in {', '.join(HEAD)}"
    tests = re.findall(r"`([^`]+::[^`]+)`", row[-1])
    assert tests, "name a test, as `tests/test_reports.py::test_there_are_reports`"
    assert not [test for test in tests if not exists(test)]
