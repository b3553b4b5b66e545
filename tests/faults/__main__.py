"""Writes docs/faults.md from the table of faults."""

from tests.faults.page import FILE, written

if __name__ == "__main__":
    FILE.write_text(written())
