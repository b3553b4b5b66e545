"""Feeds the transcript from the conversation's turns, typed text and measured latencies."""

from typing import Any

from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.observers.user_bot_latency_observer import UserBotLatencyObserver
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame

from sessions.transcript import Transcript


class TypedText(BaseObserver):
    """Notes what the user types instead of saying it."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__(observe_every_push=False)
        self._transcript = transcript

    async def on_push_frame(self, data: FramePushed) -> None:
        """Write a turn for typed text."""
        if isinstance(data.frame, RTVISendTextFrame):
            self._transcript.turn("user", data.frame.text, self._transcript.now_s)


class Recorder:
    """Writes every finished turn of a conversation, with its latency."""

    def __init__(self, transcript: Transcript, turns: LLMContextAggregatorPair) -> None:
        self._transcript = transcript
        self._user_at_s = self._avatar_at_s = 0.0
        self._latency_s: float | None = None
        self.latency = UserBotLatencyObserver()
        self.observers: list[BaseObserver] = [self.latency, TypedText(transcript)]
        self.latency.add_event_handler("on_latency_measured", self._measured)
        turns.user().add_event_handler("on_user_turn_started", self._user_started)
        turns.user().add_event_handler("on_user_turn_stopped", self._user_stopped)
        turns.assistant().add_event_handler("on_assistant_turn_started", self._avatar_started)
        turns.assistant().add_event_handler("on_assistant_turn_stopped", self._avatar_stopped)

    async def _measured(self, _observer: Any, latency_s: float) -> None:
        self._latency_s = latency_s

    async def _user_started(self, *_: Any) -> None:
        self._user_at_s = self._transcript.now_s

    async def _user_stopped(self, _aggregator: Any, _strategy: Any, message: Any) -> None:
        if message.content:
            self._transcript.turn("user", message.content, self._user_at_s)

    async def _avatar_started(self, *_: Any) -> None:
        self._avatar_at_s = self._transcript.now_s

    async def _avatar_stopped(self, _aggregator: Any, message: Any) -> None:
        latency_s, self._latency_s = self._latency_s, None
        if message.content:
            self._transcript.turn(
                "avatar", message.content, self._avatar_at_s, latency_s, message.interrupted
            )
