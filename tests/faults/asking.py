"""A question to an avatar whose ears, mind or voice are at fault; many are asked all at once."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from loguru import logger

from pipelines.guard import mind, voice
from pipelines.parts import Choice, Part, part
from pipelines.turns import flux
from pipelines.turns.ears import LONGEST_THOUGHT_S
from tests.faults import Cell
from tests.faults.frail_ears import RELEASED
from tests.faults.hall import LOST, WAITING, Hall, open_hall
from tests.faults.speech import WAITS
from tests.speech import say
from tests.standins.cartesia import Cartesia
from tests.standins.deepgram import Deepgram
from tests.standins.gemini import Gemini
from tests.standins.line import line_to
from tests.standins.loudness import voiced_s
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.standins.script import Line
from tests.standins.server import Server

QUESTION = "What is the capital of France?"
ANSWER = "Paris is a fine old city. It has a river and a tower."
SPARE = "Rome it is."
THINKING_S = 3.0
# What a busy machine may add, on which many such conversations are held at once.
SLACK_S = 3.0
# Local ears listen in real time, each with two cores.
AT_ONCE, EARS_AT_ONCE = 5, 3
# A WebSocket on which nobody answers is closed after ten seconds, and later on a busy machine.
LIMIT_S, CLOSES_S = 40, 30
STATUS = ("401", "402", "429", "500")
SAME = ("slow 2x", "empty answer")
PATHS = {
    "Gemini": ("/v1beta/models/*:streamGenerateContent", "streamGenerateContent"),
    "Ollama": ("/v1/chat/completions", "/chat/completions"),
    "Cartesia": ("/tts/websocket", "/tts/websocket"),
    "Deepgram": ("/v2/listen", "/v2/listen"),
}
CUTS = {
    "hangs at connect": ("unanswered", 0),
    "hangs in mid-stream": ("silent", 0),
    "closes in mid-stream": ("closed", 4),
    "garbage": ("garbage", 0),
    "partial then silence": ("silent", 4),
}
# How many pieces come back before there is something to break off.
BEFORE = {"Cartesia": 4, "Deepgram": 3}


@dataclass
class Outcome:
    """How a conversation with a fault went."""

    said: str
    heard: str
    notices: list[str]
    waited_s: float | None
    left_open: list[str]


def usual(vendor: str, fault: str) -> Server:
    """The stand-in of a vendor, as slow as the fault says and no more at fault."""
    times = {"slow 2x": 2, "slow 10x": 10}.get(fault, 1)
    reply = "" if fault == "empty answer" else ANSWER
    words = [Reply(reply, delay_s=0.4 * times, word_delay_s=0.03 * times)] * 3
    if vendor == "Gemini":
        return Gemini(replies=words)
    if vendor == "Ollama":
        return Ollama(replies=words)
    if vendor == "Cartesia":
        speak = (lambda _: b"") if fault == "empty answer" else (lambda text: say(text, 24_000))
        return Cartesia(speak=speak, speak_rate=24_000, chunk_delay_s=0.025 * times)
    said = "" if fault == "empty answer" else QUESTION
    return Deepgram(lines=[Line(said, 0.95 * voiced_s(say(QUESTION), 16_000))])


def settings_of(vendor: str, server: Any, url: str) -> dict[str, Any]:
    """What leads to a vendor."""
    match vendor:
        case "Gemini":
            model = server.models[0]
            return {"google_api_key": server.key, "google_base_url": url, "google_model": model}
        case "Ollama":
            return {"ollama_base_url": f"{url}/v1", "ollama_model": server.models[0]}
        case "Cartesia":
            return {"cartesia_api_key": server.key, "cartesia_base_url": url}
        case _:
            return {"deepgram_api_key": server.key, "deepgram_base_url": url}


@dataclass(frozen=True)
class Frail(Part):
    """A part with a fault."""

    @property
    def module(self) -> str:
        """Where it is."""
        return f"tests.faults.{self.value}"


FRAIL: Mapping[str, Mapping[str, Choice]] = {
    "local ears": {"stt": Choice(Frail("stt", "frail_ears", "", local=True), "it is at fault")},
    "local voice": {
        "tts": Choice(
            Frail("tts", "frail_voice", "", local=True), "it is at fault", (part("tts", "hibari"),)
        )
    },
}
LINEUPS: Mapping[str, Mapping[str, str]] = {
    "Gemini": {"stt": "moonshine", "llm": "gemini,ollama", "tts": "hibari"},
    "Ollama": {"stt": "moonshine", "llm": "ollama,gemini", "tts": "hibari"},
    "Cartesia": {"stt": "moonshine", "llm": "ollama", "tts": "cartesia"},
    "Deepgram": {"stt": "deepgram,moonshine", "llm": "ollama", "tts": "hibari"},
    "local ears": {"stt": "moonshine", "llm": "ollama", "tts": "hibari"},
    "local voice": {"stt": "moonshine", "llm": "ollama", "tts": "hibari"},
}
BY_EAR = ("Deepgram", "local ears")


def _hears_nothing(cell: Cell) -> bool:
    return cell.vendor in BY_EAR and cell.heard.startswith("“Are")


def _idle_s(cell: Cell) -> float:
    return 3.0 if _hears_nothing(cell) else 60.0


@asynccontextmanager
async def frail(cell: Cell) -> AsyncIterator[tuple[dict[str, Any], list[Any]]]:
    """A part of this machine at fault."""
    answer = ANSWER if cell.vendor == "local voice" else SPARE
    async with Ollama(replies=[answer] * 3) as mind:
        env = {**LINEUPS[cell.vendor], **settings_of("Ollama", mind, mind.url)}
        fault = {"whisper_model": cell.fault, "piper_voice": cell.fault}
        yield env | fault | {"avatar_idle_s": _idle_s(cell)}, []


@asynccontextmanager
async def at_fault(cell: Cell) -> AsyncIterator[tuple[dict[str, Any], list[Any]]]:
    """A vendor at fault, and another that is well: their settings, and what may stay open."""
    vendor, fault = cell.vendor, cell.fault
    other = "Gemini" if vendor == "Ollama" else "Ollama"
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(usual(vendor, fault))
        replies = [ANSWER if vendor == "Cartesia" else SPARE] * 3
        spare: Any = (Gemini if other == "Gemini" else Ollama)(replies=replies)
        await stack.enter_async_context(spare)
        url, path = server.url, PATHS[vendor]
        if fault in STATUS:
            server.fail(path[0], int(fault), lasts=True)
        elif fault == "refused":
            url = "http://127.0.0.1:9"
        elif fault == "DNS gone":
            url = "http://vendor.invalid"
        lines = []
        if fault in CUTS or (vendor == "Deepgram" and fault.startswith("slow")):
            cut, after = CUTS.get(fault, ("", 0))
            slow_s = {"slow 2x": 0.2, "slow 10x": 4.0}.get(fault, 0.0)
            after = BEFORE.get(vendor, after) if cut != "unanswered" else 0
            line = await stack.enter_async_context(
                line_to(server.port, cut, path[1], after, slow_s)  # type: ignore[arg-type]
            )
            url, lines = line.url, [line]
        env = {**LINEUPS[vendor], **settings_of(vendor, server, url)}
        env |= settings_of(other, spare, spare.url)
        yield env | {"avatar_thinking_s": THINKING_S, "avatar_idle_s": _idle_s(cell)}, lines
        left = {type(each).__name__: each.open_sockets for each in (server, spare)}
        assert not any(left.values()), f"sockets left open: {left}"


async def talk(cell: Cell) -> Outcome:
    """Ask one question of an avatar with this fault."""
    with tempfile.TemporaryDirectory() as folder:
        bring_about = frail if cell.vendor in FRAIL else at_fault
        async with bring_about(cell) as (env, lines):
            async with open_hall(Path(folder), env, parts=FRAIL.get(cell.vendor)) as hall:
                asked_s = await _ask(cell, hall)
                await hall.until(lambda: hall.first_sound(asked_s), f"answer: {cell}", LIMIT_S)
                await _ended(cell, hall)
                first = hall.first_sound(asked_s)
                heard = (m["text"] for m in hall.received("user-transcription") if m["final"])
                told = hall.said, " ".join(heard), hall.notices()
            await _closed(lines)
            left = [f"{line.open} connections" for line in lines if line.open]
    return Outcome(*told, first - asked_s if first else None, left)


async def _closed(lines: list[Any]) -> None:
    """Give connections on which nobody answers the time in which one closes them."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSES_S):
            while any(line.open for line in lines):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def _ask(cell: Cell, hall: Hall) -> float:
    if cell.vendor not in BY_EAR:
        return await hall.type(QUESTION)
    if _hears_nothing(cell):
        await hall.hushed(await hall.type("Hello."))
    hall.place.microphone.listen()
    hall.place.microphone.say(say(QUESTION))
    await asyncio.wait_for(hall.place.microphone.quiet.wait(), 20)
    return hall.now_s


async def _ended(cell: Cell, hall: Hall) -> None:
    """Wait until all is said."""
    ends = ("is.", "tower.", LOST)
    if cell.vendor in ("Cartesia", "local voice"):
        ends = ("tower.",)
    elif _hears_nothing(cell):
        ends = ("there?",)
    await hall.until(lambda: hall.said.endswith(ends), f"end of the answer to {cell}", LIMIT_S)
    await asyncio.sleep(0.3)


def _hangs_here(cell: Cell) -> bool:
    return (cell.vendor, cell.fault) == ("local ears", "hangs in mid-stream")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(
    request: pytest.FixtureRequest,
) -> AsyncIterator[dict[str, Outcome | BaseException]]:
    """How every conversation went; they are held at the same time."""
    logger.disable("pipecat")
    logger.disable("pipelines")
    say(QUESTION)
    RELEASED.clear()
    rooms = {True: asyncio.Semaphore(EARS_AT_ONCE), False: asyncio.Semaphore(AT_ONCE)}

    async def held(cell: Cell) -> Outcome:
        async with rooms[cell.vendor in BY_EAR]:
            return await talk(cell)

    asked = [item for item in request.session.items if item.path == request.path]
    cells = [item.callspec.params["cell"] for item in asked]  # type: ignore[attr-defined]
    # What hangs takes threads from all others.
    cells.sort(key=_hangs_here)
    first = [cell for cell in cells if not _hangs_here(cell)]
    ended = await asyncio.gather(*(held(cell) for cell in first), return_exceptions=True)
    last = (held(cell) for cell in cells[len(first) :])
    ended += await asyncio.gather(*last, return_exceptions=True)
    RELEASED.set()
    logger.enable("pipecat")
    logger.enable("pipelines")
    yield dict(zip(map(str, cells), ended, strict=True))


def known_s(cell: Cell) -> float:
    """When it can be known that something is wrong: what is silent, once its time is over."""
    silent = cell.fault in ("hangs in mid-stream", "partial then silence", "slow 10x")
    match cell.vendor:
        case _ if _hears_nothing(cell):
            return _idle_s(cell)
        case "Gemini" | "Ollama" if cell.fault == "partial then silence":
            return mind.STALL_S
        case "Gemini" | "Ollama" if cell.heard == WAITS:
            return mind.NOTICE_S
        case "Cartesia" if silent or cell.fault == "hangs at connect":
            return voice.LATE_S
        case "Deepgram" if silent or cell.fault == "hangs at connect":
            return flux.DEAF_S
        case "local voice" if cell.fault == "hangs in mid-stream":
            return voice.LOCAL_LATE_S
        case "local ears" if cell.fault == "hangs in mid-stream":
            return LONGEST_THOUGHT_S
        case _:
            return 0.0


def check(cell: Cell, outcome: Outcome | BaseException) -> None:
    """Hold an outcome against what the cell says."""
    if isinstance(outcome, BaseException):
        raise outcome
    said = outcome.said
    match cell.vendor:
        case "Gemini" | "Ollama":
            _check_mind(cell, said)
        case "Cartesia" | "local voice":
            assert said == ANSWER
        case _ if _hears_nothing(cell):
            assert said.startswith(SPARE) and said.endswith("Are you still there?")
        case "local ears" if cell.seen == "what failed":
            assert set(said.split(". ")) == {LOST} or said.startswith(LOST)
        case _:
            assert said == SPARE
            heard = outcome.heard.lower()
            assert heard.startswith("what is") and "of france" in heard
    shown = [text for text in outcome.notices if "failed" in text]
    assert bool(shown) == (cell.seen != "nothing"), outcome.notices
    assert cell.seen == "what failed" or all("takes its place" in text for text in shown)
    assert not outcome.left_open
    assert outcome.waited_s is not None
    assert outcome.waited_s < known_s(cell) + cell.within_s + SLACK_S


def _check_mind(cell: Cell, said: str) -> None:
    if cell.fault == "slow 2x":
        assert said == ANSWER
    elif cell.heard.startswith("what was answered"):
        assert said.startswith("Paris") and said.endswith(LOST)
        assert ANSWER.startswith(said.removesuffix(LOST).rstrip(" …").rstrip())
    elif cell.heard.startswith("“One"):
        assert said == f"{WAITING} {SPARE}"
    else:
        assert said == SPARE
