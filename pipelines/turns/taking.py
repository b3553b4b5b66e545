"""How the pipeline takes turns: as the ears say, or by silence where the ears only write down."""

from pipecat.audio.turn.smart_turn.base_smart_turn import SmartTurnParams
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.services.stt_service import STTService
from pipecat.turns.eager_end_of_turn_mixin import EagerEndOfTurnSTTServiceMixin
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

# Silence that ends a turn although the end-of-turn model calls it incomplete.
LONGEST_PAUSE_S = 1.2


def turns_for(stt: STTService, idle_s: float) -> LLMContextAggregatorPair:
    """The two ends of the history of a conversation with these ears.

    `idle_s` seconds of silence make the user idle.
    """
    return LLMContextAggregatorPair(LLMContext(), user_params=_params(stt, idle_s))


def _params(stt: STTService, idle_s: float) -> LLMUserAggregatorParams:
    if isinstance(stt, EagerEndOfTurnSTTServiceMixin):
        strategies = stt.recommended_user_turn_strategies(enable_interruptions=True)
        return LLMUserAggregatorParams(user_turn_strategies=strategies, user_idle_timeout=idle_s)
    model = LocalSmartTurnAnalyzerV3(params=SmartTurnParams(stop_secs=LONGEST_PAUSE_S))
    return LLMUserAggregatorParams(
        vad_analyzer=SileroVADAnalyzer(),
        user_turn_strategies=UserTurnStrategies(
            stop=[TurnAnalyzerUserTurnStopStrategy(turn_analyzer=model)]
        ),
        user_idle_timeout=idle_s,
    )
