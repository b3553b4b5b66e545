"""Feeds the transcript from the conversation's turns, typed text and measured latencies."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair

from sessions.transcript import Transcript

from .latency import Turn, TurnLatency
from .turns.owner import TurnOwner


class Recorder:
    """Writes every finished turn of a conversation, with its latency.

    Ears that own the turn may take one back; what was said since is written when they keep it.
    """

    def __init__(
        self,
        transcript: Transcript,
        turns: LLMContextAggregatorPair,
        latency: TurnLatency,
        ears: Sequence[TurnOwner] = (),
    ) -> None:
        self._transcript = transcript
        self._user_at_s = self._avatar_at_s = 0.0
        self._answered: Turn | None = None
        self._held: list[Callable[[], None]] | None = None
        self._avatar_turn = self._forgets = self._goes_on = False
        # Whether the avatar's turn that is told of next was before the user's last one.
        self._before = False
        self._holds = bool(ears)
        latency.add_event_handler("on_typed", self._typed)
        latency.add_event_handler("on_answered", self._measured)
        turns.user().add_event_handler("on_user_turn_started", self._user_started)
        turns.user().add_event_handler("on_user_turn_stopped", self._user_stopped)
        turns.assistant().add_event_handler("on_assistant_turn_started", self._avatar_started)
        turns.assistant().add_event_handler("on_assistant_turn_stopped", self._avatar_stopped)
        for each in ears:
            each.add_event_handler("on_turn_kept", self._kept)
            each.add_event_handler("on_turn_taken_back", self._taken_back)

    def close(self) -> None:
        """Write what is held back: nobody takes it back any more."""
        held, self._held = self._held, None
        for write in held or []:
            write()

    async def _kept(self, *_: Any) -> None:
        self.close()

    async def _taken_back(self, *_: Any) -> None:
        self._held = None
        self._forgets, self._goes_on = self._avatar_turn and not self._before, True

    def _write(self, *turn: Any) -> None:
        write = partial(self._transcript.turn, *turn)
        if self._held is None:
            write()
        else:
            self._held.append(write)

    async def _typed(self, _observer: Any, text: str) -> None:
        self.close()
        self._write("user", text, self._transcript.now_s)

    async def _measured(self, _observer: Any, turn: Turn) -> None:
        self._answered = turn

    async def _user_started(self, *_: Any) -> None:
        self.close()
        if not self._goes_on:
            self._user_at_s = self._transcript.now_s
        self._goes_on = False

    async def _user_stopped(self, _aggregator: Any, _strategy: Any, message: Any) -> None:
        if message.content:
            self._held = [] if self._holds else None
            # One that was cut off may be told of later than a short turn is over.
            self._before = self._avatar_turn
            self._write("user", message.content, self._user_at_s)

    async def _avatar_started(self, *_: Any) -> None:
        self._avatar_turn = True
        self._avatar_at_s = self._transcript.now_s

    async def _avatar_stopped(self, _aggregator: Any, message: Any) -> None:
        answered, self._answered = self._answered, None
        forgets, self._forgets, self._avatar_turn = self._forgets, False, False
        before, self._before = self._before, False
        if message.content and not forgets:
            write = self._transcript.turn if before else self._write
            write(
                "avatar",
                message.content,
                self._avatar_at_s,
                answered.answered_s if answered else None,
                message.interrupted,
                answered.steps if answered else None,
            )
