"""How often the mind began before the turn had ended, and how often for nothing."""

from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    InterruptionFrame,
    LLMContextFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed


class Speculation(BaseObserver):
    """Counts the questions put to the mind ahead, in one conversation.

    Attributes:
        calls: how many.
        for_nothing: how many of them were withdrawn, or answered a turn that was taken back.
    """

    def __init__(self) -> None:
        super().__init__(observe_every_push=False)
        self.calls = self.for_nothing = 0
        self._open = self._answers = False

    async def on_push_frame(self, data: FramePushed) -> None:
        """Note a question put ahead, and what became of it."""
        match data.frame:
            case LLMContextFrame():
                self._withdraw()
                self._answers, self._open = False, data.frame.speculation
                self.calls += data.frame.speculation
            case EagerEndOfTurnCancelFrame() | InterruptionFrame():
                self._withdraw()
            case UserStoppedSpeakingFrame():
                self._answers, self._open = self._open or self._answers, False
            case _:
                pass

    def taken_back(self) -> None:
        """The turn that was answered last goes on."""
        self.for_nothing += self._answers
        self._answers = False

    @property
    def counts(self) -> dict[str, int]:
        """As transcript and page have them."""
        return {"calls": self.calls, "for_nothing": self.for_nothing}

    def close(self) -> dict[str, int]:
        """The counts when the conversation is over: nothing is open any more."""
        self._withdraw()
        return self.counts

    def _withdraw(self) -> None:
        self.for_nothing += self._open
        self._open = False
