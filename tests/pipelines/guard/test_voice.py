"""What a voice has not said is what is left: nothing twice, nothing missing."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    StartFrame,
    TTSSpeakFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.services.tts_service import TTSService

from pipelines.guard.news import News
from pipelines.guard.voice import VoiceChain, VoiceGuard, after, unsaid, words_of
from pipelines.parts import part
from pipelines.text import letters
from pipelines.tts import cartesia
from sessions.transcript import Transcript
from tests.standins.cartesia import Cartesia
from tests.standins.line import Cut, line_to
from tests.standins.stage import Stage, running

ANSWER = "Paris, you know. It's “old” and it has 2 rivers (or one)."


@pytest.mark.parametrize("words", range(len(ANSWER.split()) + 1))
def test_it_is_cut_at_a_word_wherever_it_broke_off(words: int):
    said = ANSWER.split()[:words]
    left = after(ANSWER, letters(" ".join(said)))
    assert [*said, *left.split()] == ANSWER.split()


@pytest.mark.parametrize("said", ["", "Hello.", "Hello. Paris", "Hello. Paris is old. It"])
def test_the_next_voice_is_given_the_rest_in_order(said: str):
    texts = ["Paris", " is", " old. It", " has", " rivers."]
    frames = [
        TTSSpeakFrame("Hello. ", append_to_context=False),
        LLMFullResponseStartFrame(),
        *map(LLMTextFrame, texts),
        LLMFullResponseEndFrame(),
    ]
    left = unsaid(frames, letters(said))
    assert letters(said) + letters(words_of(left)) == letters("Hello." + "".join(texts))
    assert isinstance(left[-1], LLMFullResponseEndFrame)
    assert any(isinstance(frame, LLMFullResponseStartFrame) for frame in left)
    assert f"{said} {words_of(left)}".split() == "Hello. Paris is old. It has rivers.".split()


class Talk:
    """Voices in order on a stage, and what the user is told of them."""

    def __init__(self, stage: Stage, guard: VoiceGuard, news: News) -> None:
        self.stage, self.guard = stage, guard
        self.unheard: list[str] = []
        self.notices: list[str] = []
        self.ended: list[str] = []
        self.told, self.shown = asyncio.Event(), asyncio.Event()
        guard.on_unheard, news.send = self._unheard, self._tell
        news.give_up = lambda text, _: self.ended.append(text)

    async def _unheard(self, text: str) -> None:
        self.unheard.append(text)
        self.shown.set()

    async def _tell(self, frame: Frame) -> None:
        assert isinstance(frame, RTVIServerMessageFrame)
        self.notices.append(frame.data["text"])
        self.told.set()

    @property
    def said(self) -> str:
        """The words that were spoken."""
        return " ".join(frame.text for frame in self.stage.all(TTSTextFrame))

    async def answer(self, *sentences: str) -> None:
        """Have an answer spoken."""
        texts = [LLMTextFrame(f"{sentence} ") for sentence in sentences]
        await self.stage.play(LLMFullResponseStartFrame(), *texts, LLMFullResponseEndFrame())

    async def until_said(self, text: str) -> None:
        """Wait until the words so far are these."""
        await self.stage.first(TTSTextFrame, lambda _: self.said.split() == text.split())


@asynccontextmanager
async def talking(*voices: tuple[str, TTSService]) -> AsyncIterator[Talk]:
    """Let voices speak, each a value of TTS; the first that is well does."""
    chain = VoiceChain([voice for _, voice in voices])
    # So much later each time that nothing is left untold because it was told just before.
    later = itertools.count(0, 100).__next__
    news = News(Transcript(), {voice: part("tts", value) for value, voice in voices}, later)
    guard = VoiceGuard([voice for _, voice in voices], chain.strategy, news)
    guard.chain, chain.guard = chain, guard
    async with running(chain) as stage:
        await stage.first(StartFrame, lambda frame: stage.seen.count(frame) == 2)
        talk = Talk(stage, guard, news)
        await news.arrive()
        yield talk
        await guard.close()


def cartesia_at(
    vendor: Cartesia, url: str = "", kind: type[cartesia.Cartesia] = cartesia.Cartesia
) -> TTSService:
    """Cartesia's voice, with a stand-in that is reached there."""
    root = (url or vendor.url).replace("http", "ws", 1)
    settings = cartesia.Cartesia.Settings(voice="fake-voice")
    return kind(api_key=vendor.key, url=f"{root}/tts/websocket", settings=settings)


LONG = ("That is easy.", "It has a river and a tower.", "It has many bridges, and a long history.")


@pytest.mark.parametrize("hiccup", ["closed", "silent", "garbage"])
async def test_the_only_voice_says_an_answer_whole_after_a_hiccup(hiccup: Cut):
    async with Cartesia(chunk_delay_s=0.1) as vendor, line_to(vendor.port) as line:
        async with talking(("cartesia", cartesia_at(vendor, line.url))) as talk:
            await talk.answer(*LONG)
            await talk.stage.first(TTSTextFrame, lambda frame: frame.text == "easy.")
            line.cut(hiccup, 0)
            await asyncio.wait_for(talk.told.wait(), 5)
            line.mend()
            await talk.until_said(" ".join(LONG))
            assert not talk.unheard


async def test_the_only_voice_says_an_answer_whole_that_an_error_broke_off():
    async with Cartesia(chunk_delay_s=0.1) as vendor:
        async with talking(("cartesia", cartesia_at(vendor))) as talk:
            vendor.fail_speech(500, "A hiccup")
            await talk.answer(*LONG)
            await talk.until_said(" ".join(LONG))
            assert not talk.unheard


async def test_the_only_voice_that_stays_away_is_told_of_once_and_tried_in_silence():
    async with Cartesia(chunk_delay_s=0.1) as vendor, line_to(vendor.port) as line:
        voice, tried = cartesia_at(vendor, line.url), asyncio.Semaphore(0)
        async with talking(("cartesia", voice)) as talk:
            await talk.answer(*LONG)
            await talk.stage.first(TTSTextFrame, lambda frame: frame.text == "easy.")
            line.cut("closed", 0)
            await asyncio.wait_for(talk.shown.wait(), 10)
            assert talk.said.split() + talk.unheard[0].split() == " ".join(LONG).split()
            told = list(talk.notices)
            voice.add_event_handler("on_connection_error", lambda *_: tried.release())
            for _ in range(2):
                await asyncio.wait_for(tried.acquire(), 10)
            assert talk.notices == told and not talk.ended


async def test_the_only_voice_that_is_refused_when_it_connects_anew_ends_the_conversation():
    async with Cartesia(chunk_delay_s=0.1) as vendor:
        async with talking(("cartesia", cartesia_at(vendor))) as talk:
            await talk.answer(*LONG)
            await talk.stage.first(TTSTextFrame, lambda frame: frame.text == "easy.")
            vendor.fail("/tts/websocket", 401, lasts=True)
            await vendor.hang_up()
            await asyncio.wait_for(talk.shown.wait(), 10)
            [why] = talk.ended
            assert "refused the key" in why and "refused the key" in talk.notices[-1]


async def test_what_the_user_interrupts_while_voices_change_is_not_said():
    waits, goes_on = asyncio.Event(), asyncio.Event()

    class Slow(cartesia.Cartesia):
        async def _handle_interruption(
            self, frame: InterruptionFrame, direction: FrameDirection
        ) -> None:
            waits.set()
            await goes_on.wait()
            await super()._handle_interruption(frame, direction)

    async with Cartesia(chunk_delay_s=0.1) as first, Cartesia() as second:
        first.fail_speech(500, "It is broken")
        slow = cartesia_at(first, kind=Slow)
        async with talking(("cartesia", slow), ("hibari", cartesia_at(second))) as talk:
            await talk.answer(*LONG)
            await asyncio.wait_for(waits.wait(), 10)
            await talk.stage.play(InterruptionFrame())
            await talk.stage.first(InterruptionFrame, lambda f: talk.stage.seen.count(f) == 2)
            await talk.stage.play(TTSSpeakFrame("Yes?"))
            goes_on.set()
            await talk.until_said("Yes?")
            assert second.state.spoken == ["Yes?"]


async def test_the_next_voice_goes_on_although_the_first_cannot_be_silenced():
    class Stubborn(cartesia.Cartesia):
        async def _handle_interruption(
            self, frame: InterruptionFrame, direction: FrameDirection
        ) -> None:
            raise ConnectionError("it is closed")

    async with Cartesia(chunk_delay_s=0.1) as first, Cartesia() as second:
        first.fail_speech(500, "It is broken")
        stubborn = cartesia_at(first, kind=Stubborn)
        async with talking(("cartesia", stubborn), ("hibari", cartesia_at(second))) as talk:
            await talk.answer(*LONG)
            await talk.until_said(" ".join(LONG))
