"""How far LiveAvatar has come in the voice it was given, told by the events of its WebSocket.

It says when it begins an utterance and when it has ended it, in an older and in a newer way, or in
both (liveavatar-protocol: 3.3). In between it speaks at the pace of the voice. Nothing is listened
to.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipecat.frames.frames import AudioRawFrame

# Less than this is what resampling makes of the length of a voice.
ROUNDED_S = 0.1
# Who waits for a place is let go so near to it: places are sums of many lengths.
NEAR_S = 0.005
# By what is told that the avatar speaks, and that it does not.
SPEAKS = {"agent.speak_started": True, "agent.speak_ended": False, "agent.speak_interrupted": False}
STATE = "agent.state_updated"


@dataclass
class Utterance:
    """What LiveAvatar says in one go; it ends at `end_s` once it is whole."""

    id: str
    begin_s: float
    end_s: float | None = None


class Playout:
    """Follows one avatar. Positions are seconds of the voice given so far."""

    def __init__(self, now_s: Callable[[], float] | None = None) -> None:
        """`now_s` is a clock that only goes forward: the event loop's by default."""
        self._now_s = now_s or asyncio.get_running_loop().time
        self.given_s = 0.0
        self._sent_s = self._at_s = self._since_s = self._cut_s = 0.0
        # What was sent and is not known to have ended.
        self._utterances: deque[Utterance] = deque()
        self._speaks = self._over = False
        self._news = asyncio.Event()

    @property
    def at_s(self) -> float:
        """Where it is."""
        self._advance()
        return self._at_s

    def give(self, voice: AudioRawFrame) -> None:
        """The face was given more voice."""
        self.given_s += voice.num_frames / voice.sample_rate

    def sent(self, seconds: float, utterance: str) -> None:
        """LiveAvatar was sent so much of it."""
        self._advance()
        if not self._utterances or self._utterances[-1].end_s is not None:
            self._utterances.append(Utterance(utterance, self._sent_s))
        self._sent_s = min(self.given_s, self._sent_s + seconds)

    def completed(self) -> None:
        """LiveAvatar was told that the utterance is whole."""
        self._advance()
        if self.given_s - self._sent_s < ROUNDED_S:
            self._sent_s = self.given_s
        if self._utterances:
            self._utterances[-1].end_s = self._sent_s

    def interrupt(self) -> None:
        """The avatar says no more of what it was given."""
        self._at_s = self._sent_s = self._cut_s = self.given_s
        self._utterances.clear()
        self._turn(speaks=False)

    def hear(self, event: dict[str, Any]) -> None:
        """LiveAvatar tells something."""
        kind = str(event.get("type"))
        if kind == STATE:
            speaks = (event.get("new_state") or event.get("state")) == "talking"
        elif kind in SPEAKS:
            speaks = SPEAKS[kind]
        else:
            return
        about = self._about(event)
        if about or speaks != self._speaks:  # else it is told in the other way, too
            self._advance()
            self._come_to(about or next(iter(self._utterances), None), speaks=speaks)
            self._turn(speaks=speaks)

    def _about(self, event: dict[str, Any]) -> Utterance | None:
        """The utterance that an event tells of, if it says so."""
        named = {event.get("source_event_id"), event.get("event_id")}
        return next((each for each in self._utterances if each.id in named), None)

    def _come_to(self, utterance: Utterance | None, *, speaks: bool) -> None:
        """An utterance begins or ends; those before it are over, whether that was told or not."""
        if not utterance:
            return
        while self._utterances[0] is not utterance:
            self._utterances.popleft()
        self._at_s = max(self._at_s, utterance.begin_s)
        if not speaks:
            whole = utterance.end_s
            self._at_s = max(self._at_s, self._sent_s if whole is None else whole)
            self._utterances.popleft()

    def _turn(self, *, speaks: bool) -> None:
        self._speaks, self._since_s = speaks, self._now_s()
        self._news.set()

    def _advance(self) -> None:
        """Go on to where it is now, which is not behind an utterance that has not ended."""
        now_s = self._now_s()
        if self._speaks:
            whole = self._utterances[0].end_s if self._utterances else None
            limit_s = self._sent_s if whole is None else whole
            self._at_s = max(self._at_s, min(limit_s, self._at_s + now_s - self._since_s))
        self._since_s = now_s

    def stop(self) -> None:
        """Nothing more is heard of the avatar; who waits is let go."""
        self._over = True
        self._news.set()

    async def reach(self, position_s: float) -> bool:
        """Wait until it has come so far; False if it never will, or was interrupted before."""
        while (left_s := position_s - self.at_s) > NEAR_S and not self._over:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left_s if self._speaks else None)
        return not self._over and position_s > self._cut_s + NEAR_S
