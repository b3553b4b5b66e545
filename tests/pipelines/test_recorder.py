"""What a transcript keeps of turns, in whatever order they are told of."""

from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    AssistantTurnStoppedMessage,
    LLMContextAggregatorPair,
    UserTurnStoppedMessage,
)

from pipelines.latency import TurnLatency
from pipelines.recorder import Recorder
from pipelines.turns.owner import TurnOwner
from sessions.transcript import Transcript


class Told:
    """Turns as the pipeline tells of them, one after the other."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        pair, self._ears = LLMContextAggregatorPair(LLMContext()), _Ears()
        Recorder(self.transcript, pair, TurnLatency(), [self._ears])
        self._user, self._avatar = pair.user(), pair.assistant()

    async def user(self, text: str = "") -> None:
        """The user's turn begins, or is over."""
        if text:
            message = UserTurnStoppedMessage(text, "")
            await self._tell(self._user, "on_user_turn_stopped", None, message)
        else:
            await self._tell(self._user, "on_user_turn_started", None)

    async def avatar(self, text: str = "") -> None:
        """The avatar's turn begins, or is over."""
        if text:
            message = AssistantTurnStoppedMessage(text, True, "")
            await self._tell(self._avatar, "on_assistant_turn_stopped", message)
        else:
            await self._tell(self._avatar, "on_assistant_turn_started")

    async def taken_back(self) -> None:
        """The user goes on with the turn that is over."""
        await self._tell(self._ears, "on_turn_taken_back")

    async def _tell(self, who, event, *facts) -> None:
        await who._call_event_handler(event, *facts)
        await who.cleanup()

    @property
    def lines(self) -> list[str]:
        return [turn["text"] for turn in self.transcript.turns]


class _Ears(TurnOwner):
    async def run_stt(self, audio):
        yield None


async def test_what_was_cut_off_is_written_also_when_it_is_told_of_after_the_next_turn():
    told = Told()
    await told.avatar()
    await told.user()
    await told.user("Stop.")
    await told.avatar("I can")
    await told.avatar()
    await told.taken_back()
    await told.avatar("Of")
    await told.user()
    await told.user("Stop it, please.")
    await told.avatar()
    await told.avatar("Of course.")
    await told.user()
    assert told.lines == ["I can", "Stop it, please.", "Of course."]


async def test_what_is_taken_back_before_the_cut_off_turn_is_told_of_forgets_only_itself():
    told = Told()
    await told.avatar()
    await told.user()
    await told.user("Stop.")
    await told.taken_back()
    await told.avatar("I can")
    await told.user()
    await told.user("Stop it, please.")
    await told.user()
    assert told.lines == ["I can", "Stop it, please."]
