"""What the vendors' parts use is on the bill, at the prices of the settings, heard or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    StartFrame,
    TTSStoppedFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor

from pipelines.lite import session_request
from pipelines.llm import gemini
from pipelines.meter import PRICED, SPOKEN, Meter, costs, prices
from pipelines.parts import PARTS, Choice, part
from pipelines.persona import Persona
from pipelines.rest import LiteApi
from pipelines.settings import Settings, load_settings
from pipelines.stt import deepgram
from pipelines.tts import cartesia
from sessions.spend import Bill
from tests.standins.cartesia import Cartesia
from tests.standins.deepgram import Deepgram
from tests.standins.gemini import Gemini
from tests.standins.liveavatar import LiveAvatar
from tests.standins.replies import Reply
from tests.standins.stage import Stage, running
from tests.talk.app import until

FIRST, SECOND = "That is easy.", "It needs no key."


@asynccontextmanager
async def metered(
    processor: FrameProcessor, kind: str, value: str, settings: Settings
) -> AsyncIterator[tuple[Meter, Stage]]:
    """A part in a pipeline, and a meter beside it."""
    meter = Meter(settings, {processor: part(kind, value)})
    async with running(processor) as stage:
        stage.worker.add_observer(meter)
        await stage.first(StartFrame, lambda frame: stage.seen.count(frame) == 2)
        yield meter, stage


async def billed(meter: Meter, **used: float) -> Bill:
    """The bill, once it has these amounts."""

    def complete() -> bool:
        return meter.bill.used == pytest.approx(used)

    await until(complete)
    return meter.bill


@asynccontextmanager
async def thinking(vendor: Gemini) -> AsyncIterator[tuple[Meter, Stage]]:
    """Gemini, at a dollar a token read and two written."""
    settings = load_settings(
        google_api_key=vendor.key,
        google_base_url=vendor.url,
        google_model=vendor.models[0],
        google_dollars_per_million_in=1e6,
        google_dollars_per_million_out=2e6,
    )
    async with aiohttp.ClientSession() as http:
        mind = gemini.build(settings, Persona(), http)
        async with metered(mind, "llm", "gemini", settings) as both:
            yield both


def question(*, speculation: bool = False) -> LLMContextFrame:
    context = LLMContext([{"role": "user", "content": "Who are you?"}])
    return LLMContextFrame(context, speculation=speculation)


async def test_tokens_are_counted_with_thoughts():
    async with Gemini(replies=[Reply(FIRST, thought="Is it? Yes, it is.")]) as vendor:
        async with thinking(vendor) as (meter, stage):
            await stage.play(question())
            await stage.first(LLMFullResponseEndFrame)
            read, written = vendor.state.tokens()
            assert written == len(FIRST.split()) + 5
            bill = await billed(meter, llm_tokens_in=read, llm_tokens_out=written)
            assert bill.dollars == pytest.approx(read + 2 * written)


async def test_an_answer_that_is_cut_off_costs_what_it_was():
    async with Gemini(replies=[Reply(f"{FIRST} {SECOND}", word_delay_s=0.3)]) as vendor:
        async with thinking(vendor) as (meter, stage):
            await stage.play(question())
            await stage.first(LLMTextFrame)
            await stage.play(InterruptionFrame())
            read, _ = vendor.state.tokens()
            await billed(meter, llm_tokens_in=read, llm_tokens_out=1)


async def test_a_call_made_ahead_costs_though_nobody_hears_its_answer():
    async with Gemini(replies=[FIRST]) as vendor, thinking(vendor) as (meter, stage):
        await stage.play(question(speculation=True))
        read, written = await until(lambda: vendor.state.withdrawn or _whole(vendor))
        await billed(meter, llm_tokens_in=read, llm_tokens_out=written)
        await stage.play(EagerEndOfTurnCancelFrame())
        await stage.worker.flush_pipeline()
        assert not stage.all(LLMTextFrame)


def _whole(vendor: Gemini) -> tuple[int, int] | None:
    """The tokens of the only answer, once all of it was told."""
    tokens = vendor.state.tokens()
    return tokens if tokens[1] == len(FIRST.split()) else None


async def test_what_is_spoken_ahead_costs_once_whether_it_is_heard_or_not():
    async with Cartesia() as vendor, aiohttp.ClientSession() as http:
        settings = load_settings(
            cartesia_api_key=vendor.key,
            cartesia_base_url=vendor.url,
            cartesia_dollars_per_million=1e6,
        )
        voice = cartesia.build(settings, Persona(), http)
        assert isinstance(voice, cartesia.Cartesia)
        async with metered(voice, "tts", "cartesia", settings) as (meter, stage):
            for ahead in (SECOND, FIRST):
                voice.prepare(ahead)
                await vendor.until(lambda ahead=ahead: ahead in vendor.state.spoken)
            await stage.play(*_answer(FIRST))
            await stage.first(TTSStoppedFrame)
            assert len(vendor.state.cancelled) == 1 and vendor.state.spoken == [SECOND, FIRST]
            bill = await billed(meter, tts_characters=len(FIRST + SECOND))
            assert bill.dollars == pytest.approx(bill.used[SPOKEN])


def _answer(text: str) -> list[Frame]:
    return [LLMFullResponseStartFrame(), LLMTextFrame(f"{text} "), LLMFullResponseEndFrame()]


async def test_all_sound_that_is_sent_is_counted_while_nobody_has_said_anything():
    async with Deepgram() as vendor, aiohttp.ClientSession() as http:
        settings = load_settings(
            deepgram_api_key=vendor.key, deepgram_base_url=vendor.url, deepgram_dollars_per_minute=6
        )
        ears = deepgram.build(settings, Persona(), http)
        async with metered(ears, "stt", "deepgram", settings) as (meter, stage):
            await vendor.until(lambda: bool(vendor.state.connections))
            await stage.play(*(InputAudioRawFrame(bytes(640), 16_000, 1) for _ in range(100)))
            await vendor.until(lambda: vendor.state.audio_bytes == 64_000)
            await meter.ask()
            bill = await billed(meter, stt_minutes=2 / 60)
            assert bill.dollars == pytest.approx(0.2)
            await stage.play(*(InputAudioRawFrame(bytes(640), 16_000, 1) for _ in range(50)))
            await stage.play(EndFrame())
            await billed(meter, stt_minutes=3 / 60)


@pytest.mark.parametrize(
    ("sandbox", "item", "price"), [(False, "lite_minutes", 0.1), (True, "sandbox_minutes", 0.0)]
)
async def test_a_session_of_liveavatar_costs_until_its_end_is_confirmed(sandbox, item, price):
    async with LiveAvatar() as vendor, aiohttp.ClientSession() as http:
        settings = load_settings(
            liveavatar_api_key=vendor.key,
            liveavatar_base_url=vendor.url,
            liveavatar_sandbox=sandbox,
        )
        api, meter = LiteApi(settings, http), Meter(settings, {})
        now_s = [0.0]
        api.stay.clock = lambda: now_s[0]
        meter.count(api.stay)
        assert not meter.bill.used
        await api.new_session(session_request(settings, Persona()))
        now_s[0] += 119
        assert meter.bill.used == {item: 2}
        vendor.fail("/v1/sessions/stop", 503, lasts=True)
        stopping = asyncio.create_task(api.stopped())
        await vendor.until(lambda: vendor.requests[-1].path == "/v1/sessions/stop")
        now_s[0] += 60
        vendor.heal()
        await stopping
        now_s[0] += 600
        assert meter.bill.used == {item: 3}
        assert meter.bill.dollars == pytest.approx(3 * price)


def test_every_part_of_a_vendor_has_a_price():
    vendors = {row.value for row in PARTS if row.vendor and row.kind != "transport"}
    assert vendors <= PRICED.keys()


def test_local_parts_cost_nothing_unless_they_are_given_a_price():
    settings = load_settings()
    assert not any(prices(row, settings) for row in PARTS if row.local)
    dear = settings.model_copy(update={"ollama_dollars_per_million_out": 3.0})
    assert prices(part("llm", "ollama"), dear)["llm_tokens_out"] == pytest.approx(3e-6)


def test_a_line_up_costs_something_if_any_part_of_it_may():
    settings = load_settings()
    free = {"llm": Choice(part("llm", "guide"), ""), "avatar": Choice(part("avatar", "puppet"), "")}
    spare = {"llm": Choice(part("llm", "guide"), "", (part("llm", "gemini"),))}
    face = {"avatar": Choice(part("avatar", "heygen"), "")}
    assert not costs(free, settings)
    assert costs({**free, **spare}, settings) and costs({**free, **face}, settings)
    sandbox = settings.model_copy(update={"liveavatar_sandbox": True})
    assert not costs({**free, **face}, sandbox)
