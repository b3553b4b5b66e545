"""Whatever a client sends to a FULL session that talks: it goes on, and obeys the next command.

Each run sends something else. A run that failed says its seed: `--fuzz-seed` sends the same again.
"""

import asyncio
import gc
import json
from typing import Any

import pytest

from tests.fuzz import BYTES, JSON, drawn, seed  # skips all of this where there is no fuzzer

__all__ = ["seed"]

from hypothesis import strategies as st

from liveavatar.channel import MAX_PACKET_BYTES
from tests.sandbox.caller import Caller
from tests.sandbox.guest import Guest
from tests.sandbox.test_full import LONG, come_and_go, greeted

LAST = "The lift is broken."
# All but the one that ends the session.
COMMANDS = [
    *("avatar.interrupt", "avatar.speak_text", "avatar.speak_response"),
    *("avatar.start_listening", "avatar.stop_listening"),
    *("user.start_push_to_talk", "user.stop_push_to_talk"),
    *("session.update", "avatar.speak_audio", "elevenlabs_agent_command"),
]
FIELDS = ["event_id", "session_id", "source_event_id", "text", "payload", "data"]


def named(command: str, fields: dict[str, Any]) -> bytes:
    """A command with anything in its fields."""
    return json.dumps({**fields, "event_type": command}).encode()


NEARLY = st.builds(named, st.sampled_from(COMMANDS), st.dictionaries(st.sampled_from(FIELDS), JSON))
DEEP = st.integers(1, 7000).map(lambda depth: b"[" * depth)
PACKETS = BYTES | NEARLY | DEEP


@pytest.fixture
def packets(seed: int, pytestconfig: pytest.Config) -> list[bytes]:
    """What is sent; drawn before anything runs, for that holds the loop."""
    return drawn(seed, pytestconfig.option.fuzz_packets, PACKETS)


async def pelt(guest: Guest, packets: list[bytes]) -> None:
    """Send packets while the avatar speaks, as many as fit into LiveKit's."""
    before = len(guest.events)
    await guest.order("avatar.speak_text", text=LONG)
    await guest.told("avatar.speak_started", before)
    for packet in packets:
        if 0 < len(packet) < MAX_PACKET_BYTES:
            await guest.send(packet)


async def obeys(guest: Guest) -> None:
    """Whether it can still be silenced, and says what it is told to."""
    await guest.order("avatar.interrupt")
    order = await guest.order("avatar.speak_text", text=LAST)
    told = await guest.told("avatar.transcription", source_event_id=order)
    assert told["text"] == LAST
    after = guest.events.index(told)
    await guest.told("avatar.speak_started", after)
    await guest.told("avatar.speak_ended", after)


async def test_a_session_that_talks_survives_any_packet_and_leaves_nothing(
    packets: list[bytes], roomy: Caller
) -> None:
    await come_and_go(roomy, 1)  # what is loaded with the first session stays
    before = len(asyncio.all_tasks())
    guest = await greeted(roomy)
    await pelt(guest, packets)
    await obeys(guest)
    await guest.order("session.stop")
    assert (await guest.told("session.stopped"))["end_reason"] == "USER_CLOSED"
    assert guest.types().count("session.stopped") == 1
    await guest.aclose()
    async with asyncio.timeout(10):
        while len(asyncio.all_tasks()) > before:
            gc.collect()
            await asyncio.sleep(0.05)
    assert roomy.desk.theatre.playing == 0
    assert not roomy.desk.account.active()
