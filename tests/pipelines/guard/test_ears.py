"""Ears that fail: what they had heard is answered, others hear it anew, and it is told once."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    StartFrame,
    TranscriptionFrame,
)
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.services.stt_service import STTService
from pipecat.transcriptions.language import Language

from pipelines.guard.ears import EarsChain, EarsGuard
from pipelines.guard.news import News
from pipelines.guard.order import InOrder
from pipelines.parts import part
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.stt import deepgram
from pipelines.turns import rules
from pipelines.turns.ears import TurnEars
from pipelines.turns.flux import FluxEars
from sessions.transcript import Transcript
from tests.speech import say
from tests.standins.deepgram import Deepgram
from tests.standins.line import line_to
from tests.standins.script import Line
from tests.standins.stage import Stage, running

RATE, PIECE = 16_000, 640
QUESTION = "What is the capital of France?"


class Talk:
    """Ears on a stage, and what the user is told of them."""

    def __init__(self, stage: Stage, order: InOrder, guard: EarsGuard, news: News) -> None:
        self.stage, self.order = stage, order
        self.notices: list[str] = []
        self.told = asyncio.Event()
        self.lost = 0
        guard.say_lost, news.send = self._say_lost, self._tell

    async def _say_lost(self) -> None:
        self.lost += 1

    async def _tell(self, frame: Frame) -> None:
        assert isinstance(frame, RTVIServerMessageFrame)
        self.notices.append(frame.data["text"])
        self.told.set()

    async def speak(self) -> None:
        """Say something and do not end it."""
        pcm = say(QUESTION)[:48_000]
        pieces = [pcm[at : at + PIECE] for at in range(0, len(pcm), PIECE)]
        await self.stage.play(*(InputAudioRawFrame(piece, RATE, 1) for piece in pieces))

    async def begin(self) -> None:
        """Say something that is heard to be a turn, and do not end it."""
        await self.speak()
        await self.stage.first(ProposedUserStartedSpeakingFrame)


@asynccontextmanager
async def hearing(*ears: STTService) -> AsyncIterator[Talk]:
    """Let ears hear: Flux first, the first that is well."""
    chain = EarsChain([*ears]) if len(ears) > 1 else next(iter(ears))
    order = chain.strategy if isinstance(chain, EarsChain) else InOrder([*ears])
    # So much later each time that nothing is left untold because it was told just before.
    later = itertools.count(0, 100).__next__
    rows = [part("stt", value) for value in ("deepgram", "moonshine")]
    news = News(Transcript(), dict(zip(ears, rows, strict=False)), later)
    guard = EarsGuard(ears, order, news)
    if isinstance(chain, EarsChain):
        chain.guard = guard
    async with running(chain) as stage:
        talk = Talk(stage, order, guard, news)
        await stage.first(StartFrame, lambda frame: stage.seen.count(frame) == 2)
        await news.arrive()
        yield talk
        await order.close()


def flux_at(vendor: Deepgram, url: str = "") -> FluxEars:
    """Deepgram's Flux, with a stand-in that is reached there."""
    root = (url or vendor.url).replace("http", "ws", 1)
    settings = deepgram.flux_settings(load_settings(), Persona(), deepgram.ENGLISH)
    return FluxEars(api_key=vendor.key, url=f"{root}/v2/listen", settings=settings)


def local_ears() -> TurnEars:
    """Ears of this machine, which write nothing down."""
    return TurnEars(lambda _: "", rules.PATIENCE["balanced"], Language.EN, "none")


def script() -> list[Line]:
    return [Line(QUESTION, 1.5)]


async def test_what_was_heard_is_answered_when_nobody_is_well_enough_to_hear_it_anew():
    spare = local_ears()
    async with Deepgram(lines=script()) as vendor, hearing(flux_at(vendor), spare) as talk:
        await spare.set_usable(False)
        await talk.begin()
        await vendor.hang_up()
        text = (await talk.stage.first(TranscriptionFrame)).text
        assert text and QUESTION.startswith(text)
        await talk.stage.first(ProposedUserStoppedSpeakingFrame)


async def test_the_only_ears_that_hear_again_are_not_connected_anew():
    async with Deepgram(lines=script()) as vendor, hearing(ears := flux_at(vendor)) as talk:
        await vendor.until(lambda: len(vendor.state.connections) == 1)
        await ears.push_error("It was a passing thing")
        assert talk.order.is_ill(ears)
        await talk.begin()
        assert not talk.order.is_ill(ears)
        await vendor.hang_up()
        await ears.push_error("It was cut off")
        await vendor.until(lambda: len(vendor.state.connections) == 2)
        async with asyncio.timeout(5):
            while talk.order.is_ill(ears):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert len(vendor.state.connections) == 2


async def test_the_only_ears_that_stay_away_are_told_of_once_and_tried_in_silence():
    async with Deepgram() as vendor, line_to(vendor.port, "closed", after=0) as line:
        line.is_cut = True
        ears, tried = flux_at(vendor, line.url), asyncio.Semaphore(0)
        ears.add_event_handler("on_connection_error", lambda *_: tried.release())
        async with hearing(ears) as talk:
            await asyncio.wait_for(talk.told.wait(), 10)
            await talk.speak()
            for _ in range(8):
                await asyncio.wait_for(tried.acquire(), 10)
            [notice] = talk.notices
            assert "The ears failed: deepgram" in notice and not talk.lost
