"""Whatever a server or a room sends is understood or refused in a sentence, and nothing else."""

import contextlib
import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fuzz import BYTES, JSON, seed, tried  # skips all of this where there is no fuzzer

__all__ = ["seed"]

from hypothesis import strategies as st

from liveavatar import channel, orders
from liveavatar.answers import data_of
from liveavatar.errors import LiveAvatarError
from tests.liveavatar.samples import SAMPLES

pytestmark = pytest.mark.patient

STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503])
NAMES = [*channel.DOTTED.values(), *channel.DOTTED, "avatar.speak_text", "avatar.interrupt"]
COMMANDS = st.builds(channel.Act, event_type=st.just("avatar.interrupt")) | st.builds(
    channel.Tell,
    event_type=st.sampled_from(["avatar.speak_text", "avatar.speak_response"]),
    text=st.text(),
)


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

    def check(kind: Any, status: int, body: bytes) -> None:
        understood(kind, status, body)

    tried(seed, check, kind=kinds, status=STATUSES, body=BYTES)


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
    packets = BYTES | st.builds(lambda value: json.dumps(value).encode(), named)

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
