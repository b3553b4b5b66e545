"""What a test needs beyond Python packages, and may not find on a developer's machine."""

import os
from typing import NoReturn

import pytest


def missing(how: str) -> NoReturn:
    """Skip with a sentence that says how to get it; where `CI` is set it is a failure."""
    if os.environ.get("CI"):
        pytest.fail(how)
    pytest.skip(how)
