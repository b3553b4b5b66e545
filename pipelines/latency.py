"""How long each step of an answer took, from the end of what the user said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipecat.audio.utils import is_silence
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMTextFrame,
    OutputImageRawFrame,
    ProposedUserStartedSpeakingFrame,
    SpeechOutputAudioRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame

from .turns.floor import VoiceEndedFrame

NS = 1e9


@dataclass
class Turn:
    """One turn of the user, and its answer so far.

    Attributes:
        stopped_s: when the user really stopped speaking, or when the typed text came.
        steps: seconds from then until each step was done, in the order in which they happened:
            "ears" (the transcript), "mind" (the first text), "voice" (the first sound made) and
            "face" (the first speaking picture on its way to the user).
        answered_s: seconds from then until the first sound was on its way to the user.
        face_speaks: whether the face has begun to give out the voice.
    """

    stopped_s: float
    steps: dict[str, float] = field(default_factory=dict)
    answered_s: float | None = None
    face_speaks: bool = False

    def done(self, step: str, at_s: float) -> None:
        """Note a step, unless it was done before."""
        self.steps.setdefault(step, max(0.0, at_s - self.stopped_s))


def quiet_s(frame: VADUserStoppedSpeakingFrame | VoiceEndedFrame) -> float:
    """Seconds since the real end of the voice whose end a frame tells."""
    return frame.quiet_s if isinstance(frame, VoiceEndedFrame) else frame.stop_secs


def message(turn: Turn, number: int, ahead: Mapping[str, int]) -> dict[str, Any]:
    """What the page is told of a turn, the `number`th of the conversation.

    `ahead` counts the answers that were begun early, and those of them in vain, so far.
    """
    steps = [{"name": name, "at_s": round(at_s, 3)} for name, at_s in turn.steps.items()]
    told = {"type": "turn-latency", "turn": number, "user_stopped_s": 0, "steps": steps}
    return told | {"ahead": dict(ahead)}


class TurnLatency(BaseObserver):
    """Follows every turn of the user through the pipeline.

    Events: `on_answered(observer, turn)` when the first sound leaves; `on_turn_measured(observer,
    turn)` when the last step is known; `on_typed(observer, text)` for text instead of speech. An
    answer that is cut off before is not reported.
    """

    def __init__(self) -> None:
        super().__init__(observe_every_push=False)
        self._turn: Turn | None = None
        self._transcribed_s: float | None = None
        for event in ("on_answered", "on_turn_measured", "on_typed"):
            self._register_event_handler(event)

    async def on_push_frame(self, data: FramePushed) -> None:
        """Note what a frame tells about the turn."""
        frame, at_s = data.frame, data.timestamp / NS
        if isinstance(frame, InputAudioRawFrame):
            return
        if isinstance(frame, VADUserStoppedSpeakingFrame | VoiceEndedFrame):
            self._turn = Turn(at_s - quiet_s(frame))
            self._hear(self._transcribed_s)
        elif isinstance(frame, RTVISendTextFrame):
            self._turn = Turn(at_s)
            await self._call_event_handler("on_typed", frame.text)
        elif isinstance(frame, VADUserStartedSpeakingFrame | ProposedUserStartedSpeakingFrame):
            self._turn = self._transcribed_s = None
        elif isinstance(frame, TranscriptionFrame):
            self._transcribed_s = at_s
            self._hear(at_s)
        elif self._turn:
            await self._answer(self._turn, frame, at_s)

    def _hear(self, at_s: float | None) -> None:
        """The last transcript before the answer counts: a question may come in several."""
        if self._turn and at_s is not None and "mind" not in self._turn.steps:
            self._turn.steps.pop("ears", None)
            self._turn.done("ears", at_s)

    async def _answer(self, turn: Turn, frame: Frame, at_s: float) -> None:
        if isinstance(frame, LLMTextFrame):
            turn.done("mind", at_s)
        elif "mind" not in turn.steps:
            return
        elif isinstance(frame, InterruptionFrame):
            self._turn = None
        elif isinstance(frame, TTSAudioRawFrame):
            turn.done("voice", at_s)
        elif "voice" in turn.steps:
            await self._show(turn, frame, at_s)

    async def _show(self, turn: Turn, frame: Frame, at_s: float) -> None:
        if isinstance(frame, SpeechOutputAudioRawFrame):
            turn.face_speaks = turn.face_speaks or not is_silence(frame.audio)
        elif isinstance(frame, OutputImageRawFrame) and turn.face_speaks:
            turn.done("face", at_s)
        elif isinstance(frame, BotStartedSpeakingFrame) and turn.answered_s is None:
            turn.answered_s = at_s - turn.stopped_s
            await self._call_event_handler("on_answered", turn)
        else:
            return
        if turn.answered_s is not None and ("face" in turn.steps or not turn.face_speaks):
            self._turn = None
            await self._call_event_handler("on_turn_measured", turn)
