"""Every REST route, fuzzed from the server's own OpenAPI: no crash, no answer off the schema.

Each run asks something else. A run that failed says its seed: `--fuzz-seed` asks the same again.
"""

import asyncio
import itertools
import os
import random
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

if not find_spec("schemathesis"):
    HOW = "The fuzzer is not installed: run `uv sync --group fuzz`."
    pytest.fail(HOW) if os.environ.get("CI") else pytest.skip(HOW, allow_module_level=True)

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sandbox import Address, sandbox

pytestmark = pytest.mark.patient

EXAMPLES = 3  # a route in each round
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class _Served:
    """A sandbox in a thread of its own, for a test that is not asynchronous."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.address: Address | None = None

    def __enter__(self) -> Address:
        self._thread.start()
        assert self._ready.wait(30) and self.address
        return self.address

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        async with sandbox(None) as self.address:
            self._ready.set()
            await self._stop.wait()


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Address]:
    with _Served() as address:
        yield address


@pytest.fixture(scope="module")
def seed(pytestconfig: pytest.Config) -> int:
    """What decides about everything that is asked."""
    given = pytestconfig.option.fuzz_seed
    return random.getrandbits(32) if given is None else given


@pytest.fixture(scope="module")
def api(fuzzed: Address, seed: int) -> BaseSchema:
    url = f"{fuzzed.url}/openapi.json"
    api = schemathesis.openapi.from_url(url, config=SchemathesisConfig(seed=seed))
    api.config.phases.update(phases=["examples", "coverage"])
    return api


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
def test_no_value_at_the_edge_of_the_schema_breaks_it_or_the_server(
    case: schemathesis.Case, fuzzed: Address
) -> None:
    case.call_and_validate(headers={"X-API-KEY": fuzzed.key}, checks=CHECKS)


def test_no_request_by_chance_breaks_the_server_or_its_schema(
    api: BaseSchema, fuzzed: Address, seed: int, pytestconfig: pytest.Config
) -> None:
    print(f"to ask the same again: --fuzz-seed={seed}")
    routes = [each.ok() for each in api.get_all_operations() if isinstance(each, Ok)]
    end_s = time.monotonic() + pytestconfig.option.fuzz_s
    for turn in itertools.count():
        for route in routes:
            ask(route, fuzzed.key, f"{seed} {turn} {route.label}")
        if time.monotonic() > end_s:
            print(f"{turn + 1} rounds of {len(routes)} routes")
            return


def ask(route: APIOperation, key: str, seed: str) -> None:
    """Ask a route what the seed decides."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate, Phase.shrink],
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=route.as_strategy())
    def asked(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"X-API-KEY": key}, checks=CHECKS)

    asked()
