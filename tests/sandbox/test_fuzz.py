"""Every REST route, fuzzed from the server's own OpenAPI: no crash, no answer off the schema."""

import asyncio
import os
import threading
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

if not find_spec("schemathesis"):
    HOW = "The fuzzer is not installed: run `uv sync --group fuzz`."
    pytest.fail(HOW) if os.environ.get("CI") else pytest.skip(HOW, allow_module_level=True)

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sandbox import Address, sandbox

EXAMPLES = 3
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
def api(fuzzed: Address) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{fuzzed.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_no_request_breaks_the_server_or_its_schema(
    case: schemathesis.Case, fuzzed: Address
) -> None:
    case.call_and_validate(headers={"X-API-KEY": fuzzed.key}, checks=CHECKS)
