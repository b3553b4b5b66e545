"""The end of a conversation that LiveAvatar runs, on a clock that the test turns."""

import asyncio
from typing import Any

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

    def __init__(self) -> None:
        self.now_s = 100.0
        self.page, self.turns = Page(lambda: self.now_s), Turns()
        self.page.follow(lambda at_s, happening: void(self.turns.take(at_s, happening)))
        settings = load_settings(avatar_idle_s=30.0)
        self.host = Host(settings, PERSONA, self.page, self.turns, lambda: self.now_s)
        self.told: list[dict[str, Any]] = []

    def relays(self, *names: str) -> None:
        """Let the page see these events."""
        events = [{"event": {"event_type": name}} for name in names]
        self.told += self.page.take(read({"key": "", "events": events}))

    def passes(self) -> bool:
        """Let two seconds pass with a page that sees nothing; whether it is over."""
        self.now_s += 2.0
        self.relays()
        return self.host.over.is_set()


async def test_who_is_never_answered_is_asked_and_the_session_ends():
    visit = Visit()
    running = asyncio.create_task(visit.host.run())
    visit.relays("user.speak_started", "user.speak_ended")
    assert visit.turns.answering
    began_s = visit.now_s
    await until(visit.passes)
    await running
    assert [each.get("text") or each.get("reason") for each in visit.told] == [
        *("Are you there?", "silence"),
    ]
    assert visit.now_s - began_s > 2 * 30.0
