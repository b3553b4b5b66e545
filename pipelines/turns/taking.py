"""How the pipeline takes turns: as the ears say, or by silence where the ears only write down."""

from pipecat.audio.turn.smart_turn.base_smart_turn import SmartTurnParams
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import EagerTranscriptionFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMAssistantAggregatorParams,
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.services.stt_service import STTService
from pipecat.turns.eager_end_of_turn_mixin import EagerEndOfTurnSTTServiceMixin
from pipecat.turns.user_stop import (
    EagerUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from pipecat.turns.user_turn_strategies import EagerUserTurnStrategies, UserTurnStrategies

# Silence that ends a turn although the end-of-turn model calls it incomplete.
LONGEST_PAUSE_S = 1.2


class OneGuess(EagerUserTurnStopStrategy):
    """Pipecat's strategy, which forgets the guess before when there is a new one, or none any more.

    Its base leaves the timer of a guess running that is replaced before it was withdrawn, or that
    is open when the conversation ends (eager_user_turn_stop_strategy.py:154).
    """

    async def _speculate(self, frame: EagerTranscriptionFrame) -> None:
        if await self._take_speculation():
            await self.trigger_user_turn_speculation_cancelled()
        await super()._speculate(frame)

    async def cleanup(self) -> None:
        """Stop the clock."""
        await super().cleanup()
        await self._take_speculation()


def turns_for(
    stt: STTService, idle_s: float, memory: LLMAssistantAggregatorParams | None = None
) -> LLMContextAggregatorPair:
    """The two ends of the history of a conversation with these ears.

    `idle_s` seconds of silence make the user idle; `memory` says what is to become of the history.
    """
    return LLMContextAggregatorPair(
        LLMContext(), user_params=_params(stt, idle_s), assistant_params=memory
    )


def _params(stt: STTService, idle_s: float) -> LLMUserAggregatorParams:
    if isinstance(stt, EagerEndOfTurnSTTServiceMixin):
        strategies = stt.recommended_user_turn_strategies(enable_interruptions=True)
        if isinstance(strategies, EagerUserTurnStrategies):
            strategies.stop = [OneGuess(match_policy=strategies.match_policy)]
        return LLMUserAggregatorParams(user_turn_strategies=strategies, user_idle_timeout=idle_s)
    model = LocalSmartTurnAnalyzerV3(params=SmartTurnParams(stop_secs=LONGEST_PAUSE_S))
    return LLMUserAggregatorParams(
        vad_analyzer=SileroVADAnalyzer(),
        user_turn_strategies=UserTurnStrategies(
            stop=[TurnAnalyzerUserTurnStopStrategy(turn_analyzer=model)]
        ),
        user_idle_timeout=idle_s,
    )
