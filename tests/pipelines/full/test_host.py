"""The end of a conversation that LiveAvatar runs, on a clock that the test turns."""

import asyncio
from typing import Any

import pytest

from pipelines.full.events import read
from pipelines.full.host import Host
from pipelines.full.page import Page
from pipelines.full.turns import Turns
from pipelines.persona import Persona
from pipelines.settings import load_settings
from tests.talk.app import until

PERSONA = Persona(still_there="Are you there?", goodbye="")


def void(_: object) -> None:
    """Nobody asks what it was."""


class Visit:
    """A page that relays what happens, and is told things, while time passes."""

    def __init__(self, *, push_to_talk: bool = False) -> None:
        self.now_s, self.numbered, self.muted = 100.0, 0, push_to_talk
        self.page, self.turns = Page(lambda: self.now_s), Turns()
        self.page.follow(lambda at_s, happening: void(self.turns.take(at_s, happening)))
        settings = load_settings(avatar_idle_s=30.0)
        self.host = Host(
            settings,
            PERSONA,
            self.page,
            self.turns,
            lambda: self.now_s,
            push_to_talk=push_to_talk,
        )
        self.told: list[dict[str, Any]] = []

    def relays(self, *names: str) -> None:
        """Let the page see these events."""
        events = [{"event": {"event_type": name}} for name in names]
        self.told += self.page.take(read({"key": "", "events": events, "muted": self.muted}))

    def passes(self) -> bool:
        """Let five seconds pass with a page that sees nothing; whether it is over."""
        self.now_s += 5.0
        self.relays()
        return self.host.over.is_set()


@pytest.mark.parametrize(
    ("button", "seen"),
    [
        pytest.param(False, ["user.speak_started", "user.speak_ended"], id="is never answered"),
        pytest.param(True, [], id="has let go of the button and gone away"),
        pytest.param(False, ["avatar.speak_started"], id="has an avatar of which no end is told"),
    ],
)
async def test_who_is_silent_is_asked_and_the_session_ends(button: bool, seen: list[str]):
    visit = Visit(push_to_talk=button)
    running = asyncio.create_task(visit.host.run())
    visit.relays(*seen)
    began_s = visit.now_s
    await until(visit.passes)
    await running
    assert [each.get("text") or each.get("reason") for each in visit.told] == [
        *("Are you there?", "silence"),
    ]
    assert visit.now_s - began_s >= 2 * 30.0


async def test_what_is_told_twice_is_taken_once_and_what_was_not_heard_is_told_again():
    visit, heard = Visit(), list[tuple[float, str]]()
    visit.page.follow(lambda at_s, happening: heard.append((at_s, happening.event_type)))

    def take(*numbers: int, age_s: float = 0.0, confirmed: int = 0) -> list[Any]:
        names = {1: "user.speak_started", 2: "user.speak_ended", 3: "avatar.speak_started"}
        events = [{"number": n, "age_s": age_s, "event": {"event_type": names[n]}} for n in numbers]
        told = visit.page.take(read({"key": "", "events": events, "heard": confirmed}))
        return [each["type"] for each in told]

    for name in ("say", "notice"):
        visit.page.tell({"type": name})
    visit.now_s += 1.0
    assert take(1, age_s=50.0) == ["say", "notice"]
    visit.now_s += 1.0
    assert take(1, 2, 2, age_s=0.5) == ["say", "notice"], "the answer was lost"
    assert take(3, age_s=9.0, confirmed=1) == ["notice"]
    visit.page.tell({"type": "over"})
    assert take(2, confirmed=2) == ["over"]
    assert take(confirmed=3) == []
    assert (visit.page.taken, visit.page.told) == (3, 3)
    ending = asyncio.create_task(visit.host.run())
    visit.host.part("spend", "")
    await until(lambda: visit.page.told == 4)
    for _ in range(2):
        assert take(confirmed=3) == ["over"], "the answer was lost again"
        for _ in range(20):
            await asyncio.sleep(0)
        assert not visit.host.over.is_set(), "the page does not know yet"
    assert take(confirmed=4) == []
    await until(visit.host.over.is_set)
    await ending
    assert heard == [
        (100.0, "user.speak_started"),  # before the conversation nobody spoke
        (101.5, "user.speak_ended"),
        (101.5, "avatar.speak_started"),
    ]
