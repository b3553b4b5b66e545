"""What is tried by chance: each run tries something else, and `--fuzz-seed` the same again."""

import json
import os
import random
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

if not (find_spec("schemathesis") and find_spec("hypothesis")):
    HOW = "The fuzzer is not installed: run `uv sync --group fuzz`."
    pytest.fail(HOW) if os.environ.get("CI") else pytest.skip(HOW, allow_module_level=True)

import hypothesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CHECKS = [HealthCheck.too_slow, HealthCheck.filter_too_much]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
BYTES = st.binary() | st.builds(lambda value: json.dumps(value).encode(), JSON)


@pytest.fixture(scope="module")
def seed(pytestconfig: pytest.Config) -> int:
    """What decides about everything that is tried."""
    chosen = pytestconfig.option.fuzz_seed
    found = random.getrandbits(32) if chosen is None else chosen
    print(f"to try the same again: --fuzz-seed={found}")
    return found


def tried(
    seed: int | str,
    check: Callable[..., None],
    examples: int = 200,
    bounds: Any = None,
    **strategies: Any,
) -> None:
    """Check what the seed decides; `bounds` are further settings of Hypothesis."""
    bound = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=CHECKS,
        **(bounds or {}),
    )
    hypothesis.seed(seed)(bound(given(**strategies)(check)))()


def drawn(seed: int, count: int, strategy: Any) -> list[Any]:
    """So many values of a strategy, in the order of the seed."""
    found: list[Any] = []

    def keep(value: Any) -> None:
        found.append(value)

    tried(seed, keep, count, value=strategy)
    return found
