"""What the page asks for, and what it is told of a conversation beside its words."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frameworks.rtvi import RTVIProcessor
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.processors.frameworks.rtvi.models import ClientMessage

from sessions.transcript import Transcript

from .budget import Budget
from .hold import Hold
from .host import Host
from .latency import Turn, TurnLatency, message
from .media.view import LARGEST
from .recorder import Recorder
from .turns.speculation import Speculation

# Messages of the page in which the user does something without a word.
PRESENCE = ("interrupt", "typing")
Look = Callable[[int, int], Awaitable[None]]


def follow_page(
    worker: PipelineWorker, latency: TurnLatency, speculation: Speculation, host: Host
) -> None:
    """Fall silent when the page asks for it, and tell it how fast every turn was.

    Who types or clicks is there, as is who speaks.
    """
    numbers = itertools.count(1)

    @worker.rtvi.event_handler("on_client_message")
    async def asked(rtvi: RTVIProcessor, asked: ClientMessage) -> None:
        if asked.type == "interrupt":
            await rtvi.interrupt_bot()
        if asked.type in PRESENCE:
            await host.user_is_here()
        if asked.type == "microphone" and isinstance(asked.data, dict):
            await host.microphone(muted=bool(asked.data.get("muted")))
        if asked.type == "sound" and isinstance(asked.data, dict):
            blocked = bool(asked.data.get("blocked"))
            await host.sound(blocked=blocked)
            if blocked:
                await rtvi.interrupt_bot()

    @latency.event_handler("on_typed")
    async def typed(*_: Any) -> None:
        await host.user_typed()

    @latency.event_handler("on_turn_measured")
    async def measured(_latency: TurnLatency, turn: Turn) -> None:
        told = message(turn, next(numbers), speculation.counts)
        await worker.queue_frame(RTVIServerMessageFrame(told))


def follow_view(worker: PipelineWorker, look: Look | None) -> None:
    """Send the picture as large as the page shows it, where one page is all that sees it."""

    @worker.rtvi.event_handler("on_client_message")
    async def told(_rtvi: RTVIProcessor, asked: ClientMessage) -> None:
        if look and asked.type == "view":
            match asked.data:
                case {"width": int(width), "height": int(height)}:
                    await look(*(min(max(0, side), LARGEST) for side in (width, height)))
                case _:
                    pass


def follow_returns(
    worker: PipelineWorker, hold: Hold, recorder: Recorder, transcript: Transcript
) -> None:
    """Let a page come back: one that has lost everything is told what was said."""

    @worker.rtvi.event_handler("on_client_message")
    async def told(_rtvi: RTVIProcessor, asked: ClientMessage) -> None:
        if asked.type == "returns":
            hold.may_return()
        elif asked.type == "back":
            await hold.resume()
        elif asked.type == "leave":
            hold.leave()

    @worker.rtvi.event_handler("on_client_ready")
    async def ready(_rtvi: RTVIProcessor) -> None:
        if hold.is_back:
            recorder.close()
            now_s = round(transcript.now_s, 3)
            for turn in list(transcript.turns):
                said = {"type": "said", "now_s": now_s, **turn}
                await worker.queue_frame(RTVIServerMessageFrame(said))
            await hold.resume(anew=True)


def follow_spend(worker: PipelineWorker, turns: LLMContextAggregatorPair, budget: Budget) -> None:
    """Tell the page after each turn of the avatar what the conversation has cost, if anything."""

    @turns.assistant().event_handler("on_assistant_turn_stopped")
    async def said(*_: Any) -> None:
        if budget.bill.used:
            told = {"type": "spend", **budget.bill.told}
            await worker.queue_frame(RTVIServerMessageFrame(told))
