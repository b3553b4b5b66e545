"""Who sees to it that a conversation that LiveAvatar runs has an end, and a polite one."""

import asyncio
import math
import time
from collections.abc import Callable

from loguru import logger

from liveavatar.channel import Stopped
from liveavatar.wire import EndReason
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.text import clean, has_sound
from pipelines.trouble import ROOM_CLOSES

from .events import Happening
from .page import Page
from .turns import Turns

PERIOD_S = 0.25
# Who has not come by then, or is not heard of for so long, is not waited for.
ARRIVES_S = 20.0
ABSENT_S = 15.0
# An answer that has not begun by then does not come: LiveAvatar says nothing of a noise that it
# takes for no words, nor of a mind that is dead.
UNANSWERED_S = 20.0
# An avatar that is told to have begun, and of which nothing was told for so long, has ended.
SPEAKS_S = 300.0
# So long before LiveAvatar ends a session, its user is told.
CLOSING_S = 10.0
# The longest that a goodbye may take: until it begins, and as a whole; and until the page knows.
BEGINS_S, GOODBYE_S, KNOWS_S = 6.0, 14.0, 4.0
# The same for a server that is stopped, which is not waited for much longer (bots/running.py).
LAST_BEGINS_S, LAST_S, LAST_KNOWS_S = 2.5, 4.5, 1.5
# What a page is told of an end that LiveAvatar has made.
ENDS = {
    EndReason.IDLE_TIMEOUT: "silence",
    EndReason.MAX_DURATION_REACHED: "duration",
    EndReason.NO_CREDITS: "LiveAvatar has no credit left, so the conversation is over.",
    EndReason.SERVER_ERROR: "LiveAvatar had a failure, so the conversation is over.",
    EndReason.AVATAR_DELETED: "The avatar was deleted, so the conversation is over.",
}


class Host:
    """Looks every quarter of a second at who is there; `over` is set at the end."""

    def __init__(
        self,
        settings: Settings,
        persona: Persona,
        page: Page,
        turns: Turns,
        clock: Callable[[], float] = time.monotonic,
        *,
        push_to_talk: bool = False,
    ) -> None:
        """With `push_to_talk` a microphone is off while nobody talks, and says nothing of them."""
        self._push_to_talk = push_to_talk
        self._idle_s, self._longest_s = settings.avatar_idle_s, settings.avatar_max_duration_s
        self._persona, self._page, self._turns, self._clock = persona, page, turns, clock
        self._expected_s = self._closes_s = math.inf
        self._came_s: float | None = None
        self._asked_s: float | None = None
        self._busy_s = 0.0
        self._answering_s: float | None = None
        self._wish: tuple[str, str] | None = None
        self.over = asyncio.Event()

    @property
    def is_visited(self) -> bool:
        """Whether there is a user who can be told something."""
        seen_s = self._page.seen_s
        return seen_s is not None and self._clock() - seen_s < ABSENT_S

    def hear(self, happening: Happening) -> None:
        """LiveAvatar may have ended the session, of which the page tells its user itself."""
        if isinstance(happening, Stopped):
            self.end(f"LiveAvatar has ended it ({clean(str(happening.reason))[:40]})")

    def stopped(self, why: str) -> None:
        """LiveAvatar has ended the session, and the page has not said so."""
        known = ENDS.get(EndReason(why)) if why in [*EndReason] else None
        self._wish = (known or "goodbye", "")

    def end(self, reason: str) -> None:
        """End it now."""
        if not self.over.is_set():
            logger.info(f"A conversation that LiveAvatar runs is over: {reason}")
            self.over.set()

    def part(self, reason: str, words: str) -> None:
        """End it politely: "spend", "silence" and the like, which the page knows."""
        self._wish = self._wish or (reason, words)

    async def update(self) -> None:
        """The server is stopped: tell the user, and end."""
        if self.is_visited:
            self._page.tell({"type": "hush"})
            limits = LAST_BEGINS_S, LAST_S, LAST_KNOWS_S
            await self._goodbye("update", self._persona.updating, *limits)
        else:
            self.end("the server stops")

    async def run(self, lasts_s: float = math.inf) -> None:
        """Look until it is over, or LiveAvatar ends the session, which lasts so many seconds."""
        self._expected_s = self._clock()
        self._closes_s = self._expected_s + lasts_s - CLOSING_S
        while not self.over.is_set():
            self._look()
            if self._wish:
                await self._goodbye(*self._wish)
            await self._sleep(PERIOD_S)

    def _look(self) -> None:
        now_s, seen_s = self._clock(), self._page.seen_s
        if self._page.left.is_set():
            return self.end("the user left")
        if seen_s is None:
            return self._wait(now_s)
        if self._came_s is None:
            self._came_s = self._busy_s = now_s
        if now_s - seen_s >= ABSENT_S:
            return self.end("the user is gone")
        if now_s >= self._closes_s:
            self._closes_s = math.inf
            self._page.tell({"type": "notice", "text": ROOM_CLOSES})
        if now_s - self._came_s >= self._longest_s:
            return self.part("duration", self._persona.goodbye)
        self._listen(now_s)
        return None

    def _wait(self, now_s: float) -> None:
        if now_s - self._expected_s >= ARRIVES_S:
            self.end("nobody came")

    def _listen(self, now_s: float) -> None:
        """Ask a silent user once, then end; who only listens is not silent."""
        turns, page = self._turns, self._page
        speaks = turns.speaking and now_s - turns.moved_s < SPEAKS_S
        listens = page.muted and not self._push_to_talk
        if speaks or self._is_answering(now_s) or listens:
            self._busy_s = now_s
            return
        moved_s = max(self._busy_s, turns.moved_s, page.active_s)
        if now_s - moved_s < self._idle_s:
            return
        self._busy_s = now_s
        if self._asked_s is not None and max(turns.user_s, page.active_s) <= self._asked_s:
            return self.part("silence", self._persona.goodbye)
        self._asked_s = now_s
        self._say(self._persona.still_there)
        return None

    def _is_answering(self, now_s: float) -> bool:
        if not self._turns.answering:
            self._answering_s = None
            return False
        if self._answering_s is None:
            self._answering_s = now_s
        return now_s - self._answering_s < UNANSWERED_S

    def _say(self, words: str) -> None:
        if has_sound(words):
            self._page.tell({"type": "say", "text": words})

    async def _goodbye(
        self,
        reason: str,
        words: str,
        begins_s: float = BEGINS_S,
        whole_s: float = GOODBYE_S,
        knows_s: float = KNOWS_S,
    ) -> None:
        self._say(words)
        if has_sound(words):
            began_s, spoken = self._clock(), self._turns.spoken
            await self._until(lambda: self._turns.spoken > spoken, begins_s)
            left_s = whole_s - (self._clock() - began_s)
            await self._until(lambda: not self._turns.speaking, left_s)
        self._page.tell({"type": "over", "reason": reason})
        await self._page.knows(knows_s)
        self.end(reason)

    async def _until(self, happened: Callable[[], bool], limit_s: float) -> None:
        ends_s = self._clock() + limit_s
        while not happened() and self._clock() < ends_s and not self.over.is_set():
            await self._sleep(PERIOD_S)

    async def _sleep(self, period_s: float) -> None:
        waiting = asyncio.create_task(self.over.wait())
        await asyncio.wait([waiting], timeout=period_s)
        waiting.cancel()
