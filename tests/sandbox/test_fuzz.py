"""Every REST route, fuzzed from the server's own OpenAPI: no crash, no answer off the schema.

Each run asks something else. A run that failed says its seed: `--fuzz-seed` asks the same again.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fuzz import seed, tried  # skips all of this where there is no fuzzer

__all__ = ["seed"]

import schemathesis
from hypothesis import Phase
from hypothesis import strategies as st
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
from tests.sandbox.caller import WAYNE

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
def api(fuzzed: Address, seed: int) -> BaseSchema:
    url = f"{fuzzed.url}/openapi.json"
    api = schemathesis.openapi.from_url(url, config=SchemathesisConfig(seed=seed))
    api.config.phases.update(phases=["examples", "coverage"])
    return api


def made(fuzzed: Address) -> dict[str, str]:
    """Something of each kind that a path or a body may name: its id, by the name there."""
    with httpx.Client(base_url=fuzzed.url, headers={"X-API-KEY": fuzzed.key}) as client:

        def post(path: str, key: str = "id", /, **body: Any) -> str:
            return client.post(path, json=body).json()["data"][key]

        named = {"secret_name": "s", "secret_value": "v"}
        secret = post("/v1/secrets", **named, secret_type="ELEVENLABS_API_KEY")
        session = post("/v1/sessions/token", "session_id", mode="FULL", avatar_id=WAYNE)
        context = post("/v1/contexts", name=f"c {session}", prompt="Be ${mood}.")
        voice = post("/v1/voices/third_party", "voice_id", voice_id="v", secret_id=secret)
        llm = post("/v1/llm-configurations", model="m", secret_id=secret)
        memory = post("/v1/memory", memory_type="session", session_id=session)
        return {
            "avatar_id": WAYNE,
            "context_id": context,
            "secret_id": secret,
            "session_id": session,
            "prev_session_id": session,
            "voice_id": voice,
            "default_voice_id": voice,
            "llm_id": llm,
            "llm_configuration_id": llm,
            "memory_id": memory,
            "session_memory_id": memory,
            "embed_id": post("/v2/embeddings", "embed_id", avatar_id=WAYNE),
        }


def about(value: Any, known: dict[str, str]) -> Any:
    """The same, with the ids of what there is."""
    if not isinstance(value, dict):
        return value
    return {name: known.get(name) or about(inner, known) for name, inner in value.items()}


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
def test_no_value_at_the_edge_of_the_schema_breaks_it_or_the_server(
    case: schemathesis.Case, fuzzed: Address
) -> None:
    case.call_and_validate(headers={"X-API-KEY": fuzzed.key}, checks=CHECKS)


def test_no_request_by_chance_breaks_the_server_or_its_schema(
    api: BaseSchema, fuzzed: Address, seed: int, pytestconfig: pytest.Config
) -> None:
    routes = [each.ok() for each in api.get_all_operations() if isinstance(each, Ok)]
    end_s = time.monotonic() + pytestconfig.option.fuzz_s
    for turn in itertools.count():
        known = made(fuzzed)
        for route in routes:
            ask(route, fuzzed.key, known, f"{seed} {turn} {route.label}")
        if time.monotonic() > end_s:
            print(f"{turn + 1} rounds of {len(routes)} routes")
            return


def ask(route: APIOperation, key: str, known: dict[str, str], seed: str) -> None:
    """Ask a route what the seed decides, half of the time about something that there is."""

    def asked(case: schemathesis.Case, is_known: bool) -> None:
        if is_known:
            case.path_parameters = about(case.path_parameters, known)
            case.body = about(case.body, known)
        case.call_and_validate(headers={"X-API-KEY": key}, checks=CHECKS)

    bounds = {"phases": [Phase.generate, Phase.shrink]}
    tried(seed, asked, EXAMPLES, bounds, case=route.as_strategy(), is_known=st.booleans())
