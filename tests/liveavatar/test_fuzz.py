"""Whatever a server or a room sends is understood or refused in a sentence, and nothing else.

Each run tries something else. A run that failed says its seed: `--fuzz-seed` tries the same again.
"""

import contextlib
import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from liveavatar import channel, orders
from liveavatar.answers import data_of
from liveavatar.errors import LiveAvatarError
from tests.liveavatar.samples import SAMPLES

if not find_spec("hypothesis"):
    HOW = "The fuzzer is not installed: run `uv sync --group fuzz`."
    pytest.fail(HOW) if os.environ.get("CI") else pytest.skip(HOW, allow_module_level=True)

import hypothesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.patient

EXAMPLES = 200
STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
NAMES = [*channel.DOTTED.values(), *channel.DOTTED, "avatar.speak_text", "avatar.interrupt"]
COMMANDS = st.builds(channel.Act, event_type=st.just("avatar.interrupt")) | st.builds(
    channel.Tell,
    event_type=st.sampled_from(["avatar.speak_text", "avatar.speak_response"]),
    text=st.text(),
)


@pytest.fixture(scope="module")
def seed(pytestconfig: pytest.Config) -> int:
    """What decides about everything that is tried."""
    chosen = pytestconfig.option.fuzz_seed
    found = random.getrandbits(32) if chosen is None else chosen
    print(f"to try the same again: --fuzz-seed={found}")
    return found


def tried(seed: int, check: Callable[..., None], **strategies: Any) -> None:
    """Check what the seed decides."""
    bound = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    hypothesis.seed(seed)(bound(given(**strategies)(check)))()


def understood(kind: Any, status: int, body: bytes) -> None:
    """An answer is what it must be, or an error in a sentence of bounded length."""
    try:
        read = data_of(kind, status, "Reason", body)
    except LiveAvatarError as error:
        assert error.status == status and 0 < len(str(error)) < 1000
        assert str(error).endswith(".") and str(error).isprintable()
    else:
        assert isinstance(read, kind) and 200 <= status < 300


def test_no_answer_by_chance_is_more_than_refused(seed: int) -> None:
    kinds = st.sampled_from([kind for kind, _, _ in SAMPLES.values()])
    bodies = st.binary() | st.builds(lambda value: json.dumps(value).encode(), JSON)

    def check(kind: Any, status: int, body: bytes) -> None:
        understood(kind, status, body)

    tried(seed, check, kind=kinds, status=STATUSES, body=bodies)


def test_no_answer_that_is_nearly_right_is_more_than_refused(seed: int) -> None:
    samples = st.sampled_from(list(SAMPLES.values()))

    def check(sample: Any, value: Any, where: random.Random) -> None:
        kind, data, _ = sample
        envelope = {"code": 1000, "data": copy.deepcopy(data), "message": "ok"}
        holder, key = where.choice(list(_places(envelope)))
        holder[key] = value
        understood(kind, 200, json.dumps(envelope).encode())

    tried(seed, check, sample=samples, value=JSON, where=st.randoms(use_true_random=False))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Everything that can be exchanged, as what holds it and where."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def test_no_packet_by_chance_ends_a_session(seed: int) -> None:
    typed = st.dictionaries(st.sampled_from([*channel.Other.model_fields, "text", "data"]), JSON)
    named = st.builds(
        lambda told, name: {**told, "event_type": name}, typed, st.sampled_from(NAMES)
    )
    packets = st.binary() | st.builds(lambda value: json.dumps(value).encode(), JSON | named)

    def check(packet: bytes) -> None:
        event = channel.decode(packet)
        assert event is None or isinstance(event, channel.Packet)
        with contextlib.suppress(orders.BadOrder):
            assert isinstance(orders.read_order(packet).event_type, str)

    tried(seed, check, packet=packets)


def test_every_command_comes_through_as_it_was(seed: int) -> None:
    def check(command: channel.Command) -> None:
        read = orders.read_order(channel.encode(command))
        text = command.text if isinstance(command, channel.Tell) else ""
        assert read == orders.Order(command.event_type, command.event_id, text)

    tried(seed, check, command=COMMANDS)
