"""Feeds the transcript from the conversation's turns, typed text and measured latencies."""

from typing import Any

from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair

from sessions.transcript import Transcript

from .latency import Turn, TurnLatency


class Recorder:
    """Writes every finished turn of a conversation, with its latency."""

    def __init__(
        self, transcript: Transcript, turns: LLMContextAggregatorPair, latency: TurnLatency
    ) -> None:
        self._transcript = transcript
        self._user_at_s = self._avatar_at_s = 0.0
        self._answered: Turn | None = None
        latency.add_event_handler("on_typed", self._typed)
        latency.add_event_handler("on_answered", self._measured)
        turns.user().add_event_handler("on_user_turn_started", self._user_started)
        turns.user().add_event_handler("on_user_turn_stopped", self._user_stopped)
        turns.assistant().add_event_handler("on_assistant_turn_started", self._avatar_started)
        turns.assistant().add_event_handler("on_assistant_turn_stopped", self._avatar_stopped)

    async def _typed(self, _observer: Any, text: str) -> None:
        self._transcript.turn("user", text, self._transcript.now_s)

    async def _measured(self, _observer: Any, turn: Turn) -> None:
        self._answered = turn

    async def _user_started(self, *_: Any) -> None:
        self._user_at_s = self._transcript.now_s

    async def _user_stopped(self, _aggregator: Any, _strategy: Any, message: Any) -> None:
        if message.content:
            self._transcript.turn("user", message.content, self._user_at_s)

    async def _avatar_started(self, *_: Any) -> None:
        self._avatar_at_s = self._transcript.now_s

    async def _avatar_stopped(self, _aggregator: Any, message: Any) -> None:
        answered, self._answered = self._answered, None
        if message.content:
            self._transcript.turn(
                "avatar",
                message.content,
                self._avatar_at_s,
                answered.answered_s if answered else None,
                message.interrupted,
                answered.steps if answered else None,
            )
