"""Who watches ears, mind and voice in a conversation."""

from typing import Any

from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame

from pipelines.host import Host
from pipelines.persona import Persona
from pipelines.text import has_sound

from .ears import EarsChain, EarsGuard
from .mind import MindGuard
from .speech import Speech
from .voice import VoiceGuard


class Guards:
    """One guard of each kind."""

    def __init__(self, speech: Speech, persona: Persona, thinking_s: float) -> None:
        """`thinking_s` is how long a mind may be without a word."""
        self._news, self._persona = speech.news, persona
        orders = [speech.order_of(each) for each in (speech.stt, speech.llm, speech.tts)]
        self.orders = orders
        self.ears = EarsGuard(speech.ears, orders[0], speech.news)
        self.mind = MindGuard(speech.minds, orders[1], speech.news, persona, thinking_s)
        self.voice = VoiceGuard(speech.voices, orders[2], speech.news)
        self.voice.chain, speech.tts.guard = speech.tts, self.voice
        if isinstance(speech.stt, EarsChain):
            speech.stt.guard = self.ears

    def follow(self, worker: PipelineWorker, host: Host, turns: LLMContextAggregatorPair) -> None:
        """Tell the user of this conversation what fails."""
        news, persona = self._news, self._persona
        news.send, news.give_up = worker.queue_frame, host.fail

        @worker.rtvi.event_handler("on_client_ready")
        async def came(*_: Any) -> None:
            host.page_came()
            await news.arrive()

        async def say_lost() -> None:
            if has_sound(persona.lost):
                await worker.queue_frame(TTSSpeakFrame(persona.lost))

        async def silence() -> None:
            # Pipecat counts silence from when the avatar has spoken, which it has not.
            await turns.user()._user_idle_controller.wait_for_user()

        async def unheard(text: str) -> None:
            await worker.queue_frame(RTVIServerMessageFrame({"type": "unheard", "text": text}))
            await silence()

        self.ears.say_lost, self.voice.on_unheard = say_lost, unheard
        self.mind.on_unanswered = silence

    async def close(self) -> None:
        """Watch nothing any more."""
        await self.mind.close()
        await self.voice.close()
        for order in self.orders:
            await order.close()
