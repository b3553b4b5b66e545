"""Ears, mind and voice as the line-up lists them, each with those that can take its place."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService

from pipelines.errors import BadSetting
from pipelines.parts import Lineup, Part, load, local
from pipelines.persona import Persona
from sessions.transcript import Transcript

from .ears import EarsChain
from .matching import own_turns
from .mind import MindChain
from .news import News
from .order import InOrder
from .voice import VoiceChain

if TYPE_CHECKING:
    from pipelines.conversation import Request


@dataclass(frozen=True)
class Speech:
    """What hears, thinks and speaks: parts in order, and what stands for them in the pipeline."""

    ears: list[STTService]
    minds: list[LLMService[Any]]
    voices: list[TTSService]
    stt: FrameProcessor
    llm: FrameProcessor
    tts: VoiceChain
    news: News

    @property
    def parts(self) -> Mapping[FrameProcessor, Part]:
        """Which part each of them is."""
        every: list[FrameProcessor] = [*self.ears, *self.minds, *self.voices]
        return {each: self.news.part(each) for each in every}

    @staticmethod
    def order_of(processor: FrameProcessor) -> InOrder:
        """The order of the parts that a processor stands for."""
        chained = isinstance(processor, EarsChain | MindChain | VoiceChain)
        return processor.strategy if chained else InOrder([processor])


def build_speech(request: "Request", http: aiohttp.ClientSession, transcript: Transcript) -> Speech:
    """Build every part that is listed; the voice has a local one in reserve if there is one.

    Raises:
        UserError: one cannot be built as the settings ask.
    """
    ears, minds, voices = ({s: row for row, s in _built(request, k, http)} for k in KINDS)
    return Speech(
        [*ears],
        [*minds],
        [*voices],
        EarsChain([*ears]) if len(ears) > 1 else next(iter(ears)),
        MindChain([*minds]) if len(minds) > 1 else next(iter(minds)),
        VoiceChain([*voices]),
        News(transcript, {**ears, **minds, **voices}),
    )


KINDS = ("stt", "llm", "tts")


def reserve_voice(lineup: Lineup, persona: Persona) -> Part | None:
    """The local voice that speaks when all that are listed are gone; None without any."""
    listed = lineup["tts"].parts
    part = local("tts")
    alone = not any(row.local for row in listed)
    return part if alone and part.installed and persona.has_voice(part.value) else None


def _built(
    request: "Request", kind: str, http: aiohttp.ClientSession
) -> Iterator[tuple[Part, Any]]:
    settings, persona = request.settings, request.persona
    first, *spares = request.lineup[kind].parts
    owns = kind == "stt" and bool(spares) and own_turns([first, *spares], settings, persona)
    yield first, _build(request, first, http, owns=owns)
    for row in spares:
        if kind != "tts" or persona.has_voice(row.value):
            yield row, _build(request, row, http, owns=owns)
    reserve = reserve_voice(request.lineup, persona) if kind == "tts" else None
    if reserve:
        with contextlib.suppress(BadSetting):
            yield reserve, load(reserve).build(settings, persona, http)


def _build(request: "Request", row: Part, http: aiohttp.ClientSession, *, owns: bool) -> Any:
    module = load(row)
    build = module.build_owner if owns and hasattr(module, "build_owner") else module.build
    return build(request.settings, request.persona, http)
