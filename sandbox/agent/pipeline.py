"""The conversation of a FULL session: the pipeline, in talking order, and who watches it."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from pipecat.frames.frames import (
    EagerTranscriptionFrame,
    Frame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.stt_service import STTService
from pipecat.transcriptions.language import Language

from pipelines.entry import CleanEars
from pipelines.guard.guards import Guards
from pipelines.guard.mind import MindChain
from pipelines.guard.news import News
from pipelines.guard.speech import Speech
from pipelines.guard.voice import VoiceChain
from pipelines.mind.memory import memory_of
from pipelines.parts import load, local
from pipelines.persona import Persona, load_persona
from pipelines.settings import Settings
from pipelines.turns.ahead import prepare_ahead
from pipelines.turns.ears import TurnEars
from pipelines.turns.floor import Volume
from pipelines.turns.owner import TurnOwner
from pipelines.turns.taking import turns_for
from puppet import load_pack
from sandbox.agent.mind import minds_of
from sandbox.agent.mishap import BreakOff, MindMishaps, VoiceMishaps
from sandbox.agent.teller import Teller
from sandbox.agent.transport import Microphones, Pace, Stage
from sandbox.agent.voice import Bulletin, voices_of
from sandbox.agent.window import WindowEars
from sandbox.brief import Brief
from sandbox.faults import Faults
from sandbox.performance import Performance

# Nobody is asked whether they are still there: LiveAvatar ends a session that is idle by itself.
IDLE_S = 3600.0
# An interruption is through the pipeline by then, unless something is stuck.
PASSES_S = 1.0
Say = Callable[[str], None]


class Tap(FrameProcessor):
    """Looks at what passes."""

    def __init__(self, look: Callable[[Frame], None]) -> None:
        super().__init__()
        self._look = look

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Look, and pass it on."""
        await super().process_frame(frame, direction)
        self._look(frame)
        await self.push_frame(frame, direction)


@dataclass(frozen=True)
class Talk:
    """A conversation that is built and not yet running."""

    worker: PipelineWorker
    microphones: Microphones
    turns: LLMContextAggregatorPair
    ears: STTService
    guards: Guards
    passed: asyncio.Event

    def follow(self, heard: Callable[[], None], is_muted: Callable[[], bool]) -> None:
        """Tell of each sign of life, and let the ears know whether the microphone is off."""
        if isinstance(self.ears, TurnOwner):
            self.ears.muted = is_muted

        @self.turns.user().event_handler("on_user_turn_started")
        async def started(*_: Any) -> None:
            heard()

    async def interrupt(self) -> None:
        """Drop what is said and thought; what was said is remembered when this returns."""
        self.passed.clear()
        await self.worker.queue_frame(InterruptionFrame())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.passed.wait(), PASSES_S)

    async def close(self) -> None:
        """End it, whatever is under way."""
        await self.worker.cancel(reason="the session is over")
        await self.guards.close()


def persona_of(brief: Brief) -> Persona:
    """Who speaks: the packaged persona whose voice it is, with the texts of the context."""
    spoken = load_persona(brief.voice)
    texts = {"prompt": brief.prompt or "", "greeting": brief.opening, "waiting": "", "filler": ""}
    return replace(spoken, name=load_pack(brief.pack).title, **texts)


def warm_up(settings: Settings, persona: Persona) -> None:
    """Load the models of ears and voice; takes seconds, once.

    Raises:
        UserError: one is not installed, or cannot be used.
    """
    for kind in ("stt", "tts"):
        load(local(kind)).warm_up(settings, persona)


async def build_speech(
    brief: Brief,
    settings: Settings,
    persona: Persona,
    http: aiohttp.ClientSession,
    note: Say,
) -> Speech:
    """Ears and voice of this machine, and the session's mind and own voice; `note` is of failures.

    Raises:
        UserError: one cannot be built as the settings ask.
    """
    heard = local("stt")
    minds = await minds_of(brief, settings, persona, http)
    ears = _ears(load(heard), settings, persona, http, brief.push_to_talk)
    voices = voices_of(brief.own, settings, persona, http)
    news = Bulletin({ears: heard, **voices, **minds}, note)
    mind = MindChain([*minds]) if len(minds) > 1 else next(iter(minds))
    return Speech([ears], [*minds], [*voices], ears, mind, VoiceChain([*voices]), news)


def _ears(
    module: Any,
    settings: Settings,
    persona: Persona,
    http: aiohttp.ClientSession,
    push_to_talk: bool,
) -> Any:
    if not push_to_talk:
        return module.build(settings, persona, http)
    ears = getattr(module, "build_owner", module.build)(settings, persona, http)
    assert isinstance(ears, TurnEars)
    return WindowEars(ears.transcribe, Language.EN, "push-to-talk")


def assemble(
    brief: Brief,
    settings: Settings,
    persona: Persona,
    speech: Speech,
    performance: Performance,
    faults: Faults,
    teller: Teller,
    say: Say,
) -> Talk:
    """The pipeline of a session, and all that follows it; `say` has the avatar say something."""
    turns = turns_for(speech.ears[0], IDLE_S, memory_of(speech.minds))
    prepare_ahead(turns, speech.minds, speech.voices)
    guards = Guards(speech, persona, settings.avatar_thinking_s)
    microphones = Microphones()
    worker = PipelineWorker(
        Pipeline(
            [
                microphones,
                speech.stt,
                CleanEars(),
                Tap(_Heard(teller)),
                turns.user(),
                MindMishaps(faults, lambda: say(persona.lost), brief.prompt is not None),
                speech.llm,
                Tap(_Thought(teller)),
                VoiceMishaps(faults),
                speech.tts,
                Pace(),
                BreakOff(faults),
                Volume(),
                Stage(performance),
                turns.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=False),
        idle_timeout_secs=None,
        enable_rtvi=False,
        enable_turn_tracking=False,
    )
    _follow_turns(turns, speech, teller)
    _follow_failures(guards, speech.news, persona, say)
    passed = asyncio.Event()
    worker.add_reached_downstream_filter((InterruptionFrame,))

    @worker.event_handler("on_frame_reached_downstream")
    async def reached(*_: Any) -> None:
        passed.set()

    return Talk(worker, microphones, turns, speech.ears[0], guards, passed)


class _Heard:
    """Tells what is probably being said."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def __call__(self, frame: Frame) -> None:
        if isinstance(frame, InterimTranscriptionFrame | EagerTranscriptionFrame):
            self._teller.tell("user.transcription.chunk", text=frame.text)


class _Thought:
    """Tells what the mind answers: piece by piece, and as a whole when it is complete."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._text = ""

    def __call__(self, frame: Frame) -> None:
        if isinstance(frame, LLMFullResponseStartFrame | InterruptionFrame):
            self._text = ""
        elif isinstance(frame, LLMTextFrame):
            self._text += frame.text
            self._teller.tell("avatar.transcription.chunk", text=frame.text)
        elif isinstance(frame, LLMFullResponseEndFrame) and self._text:
            self._teller.tell("avatar.transcription", text=self._text)
            self._text = ""


def _follow_turns(turns: LLMContextAggregatorPair, speech: Speech, teller: Teller) -> None:
    """Tell of the user's turns, and keep what was said by both."""

    @turns.user().event_handler("on_user_turn_started")
    async def started(*_: Any) -> None:
        teller.tell("user.speak_started")

    @turns.user().event_handler("on_user_turn_stopped")
    async def stopped(_aggregator: Any, _strategy: Any, message: Any) -> None:
        teller.tell("user.speak_ended")
        if message.content:
            teller.keep("user", message.content)
            teller.tell("user.transcription", text=message.content)

    @turns.assistant().event_handler("on_assistant_turn_stopped")
    async def said(_aggregator: Any, message: Any) -> None:
        if message.content:
            teller.keep("avatar", message.content)

    for each in speech.ears:
        if isinstance(each, TurnOwner):

            @each.event_handler("on_turn_taken_back")
            async def taken_back(*_: Any) -> None:
                teller.take_back()


def _follow_failures(guards: Guards, news: News, persona: Persona, say: Say) -> None:
    """Say it in the room when ears or mind fail; the session goes on."""

    async def say_lost() -> None:
        say(persona.lost)

    def give_up(_text: str, _audible: bool = True) -> None:
        say(persona.unable)

    guards.ears.say_lost = say_lost
    news.give_up = give_up
