"""Flux's turns held against the rules, over a real socket; mind and voice begin before the end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiohttp import ClientSession
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSTextFrame,
    UserBackchannelFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.aggregators.llm_context import standard_message_text
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipelines.latency import Turn, TurnLatency
from pipelines.llm import gemini
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.stt import deepgram
from pipelines.tts import cartesia
from pipelines.turns.ahead import prepare_ahead
from pipelines.turns.floor import VoiceEndedFrame, VolumeFrame
from pipelines.turns.flux import DEAF_S, FluxEars
from pipelines.turns.speculation import Speculation
from pipelines.turns.taking import turns_for
from tests.speech import say
from tests.standins.cartesia import Cartesia
from tests.standins.deepgram import Deepgram
from tests.standins.gemini import Gemini
from tests.standins.loudness import VOICED_RMS, voiced_s
from tests.standins.replies import Reply
from tests.standins.script import Line
from tests.standins.stage import Stage, running

RATE = 16_000
PIECE = 640
# After half a second without sound Flux is sent silence, which ends turns that tests hold open.
UNDISTURBED_S = 600.0
QUESTION = "What is the capital of France?"
BEGINNING, REST = "What is the capital", "of France and of Spain?"
REPLY = "Paris. It is the capital of France."


def spoken(text: str) -> list[Frame]:
    """A text as 20 ms pieces of s16le mono at 16 kHz, up to its last voice."""
    pcm = say(text)
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16)) > VOICED_RMS)
    pcm = pcm[: 2 * int(loud[-1])]
    return [InputAudioRawFrame(pcm[at : at + PIECE], RATE, 1) for at in range(0, len(pcm), PIECE)]


def quiet(seconds: float) -> list[Frame]:
    return [InputAudioRawFrame(bytes(PIECE), RATE, 1) for _ in range(round(seconds * 50))]


def line(text: str, *said: str, **pauses: float) -> Line:
    """A text that is complete when what is said was heard."""
    sound_s = sum(voiced_s(say(each), RATE) for each in said or (text,))
    return Line(text, 0.95 * sound_s, **pauses)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Counts(Speculation):
    """Counts that can be waited for: observers learn of a frame some time after it."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0

    async def on_push_frame(self, data: FramePushed) -> None:
        await super().on_push_frame(data)
        self.answers += isinstance(data.frame, LLMFullResponseEndFrame)


class Conversation:
    """Deepgram, Gemini and Cartesia with stand-ins of each, between the two ends of a stage."""

    def __init__(self, **settings: object) -> None:
        self.deepgram = Deepgram()
        self.gemini = Gemini(replies=[REPLY] * 4)
        self.cartesia = Cartesia()
        self.settings = settings
        self.clock = Clock()
        self.counts = Counts()
        self.latency = TurnLatency()
        self.taken_back = 0
        self.guesses: list[str] = []
        self.turns_measured: list[Turn] = []

    def build(self, http: ClientSession) -> list[FrameProcessor]:
        settings = load_settings(
            google_api_key=self.gemini.key,
            google_base_url=self.gemini.url,
            google_model=self.gemini.models[0],
            cartesia_api_key=self.cartesia.key,
            cartesia_base_url=self.cartesia.url,
            **self.settings,
        )
        self.ears = FluxEars(
            clock=self.clock,
            api_key=self.deepgram.key,
            url=f"{self.deepgram.ws_url}/v2/listen",
            enable_eager_end_of_turn=settings.avatar_speculation,
            watchdog_min_timeout=UNDISTURBED_S,
            settings=deepgram.flux_settings(settings, Persona(), deepgram.ENGLISH),
        )
        self.ears.add_event_handler("on_turn_taken_back", self._taken_back)
        self.ears.add_event_handler("on_update", self._guessed)
        self.latency.add_event_handler("on_answered", self._measured)
        self.turns = turns_for(self.ears, 0)
        mind, voice = (part.build(settings, Persona(), http) for part in (gemini, cartesia))
        prepare_ahead(self.turns, [mind], [voice])
        return [self.ears, self.turns.user(), mind, voice]

    async def _taken_back(self, _ears: FluxEars) -> None:
        self.taken_back += 1
        self.counts.taken_back()

    async def _guessed(self, _ears: FluxEars, text: str) -> None:
        self.guesses.append(text)

    async def _measured(self, _latency: TurnLatency, turn: Turn) -> None:
        self.turns_measured.append(turn)

    @property
    def history(self) -> list[str]:
        """What the user said, as the mind has it."""
        messages = self.turns.user().context.get_messages()
        return [standard_message_text(each) for each in messages if each["role"] == "user"]  # type: ignore[index,typeddict-item,arg-type]

    @property
    def asked(self) -> list[str]:
        """The questions the mind was asked, withdrawn ones included."""
        prompts = self.gemini.state.prompts
        users = [[c for c in p["contents"] if c["role"] == "user"][-1] for p in prompts]
        return ["".join(part["text"] for part in user["parts"]) for user in users]

    async def counted(self, answers: int = 1) -> dict[str, int]:
        """What was begun ahead, once so many answers have been counted."""
        async with asyncio.timeout(5):
            while self.counts.answers < answers:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return self.counts.close()

    async def avatar_said(self, text: str) -> None:
        """The avatar has just been given this to say."""
        here = IdentityFilter()
        pushed = FramePushed(here, here, TTSSpeakFrame(text), FrameDirection.DOWNSTREAM, 0)
        await self.ears.said.on_push_frame(pushed)


@contextlib.asynccontextmanager
async def talking(*lines: Line, **settings: object) -> AsyncIterator[tuple[Conversation, Stage]]:
    """A conversation in which these lines will be heard."""
    cloud = Conversation(**settings)
    cloud.deepgram.state.script.extend(lines)
    async with cloud.deepgram, cloud.gemini, cloud.cartesia, ClientSession() as http:
        async with running(*cloud.build(http)) as stage:
            stage.worker.add_observer(cloud.counts)
            stage.worker.add_observer(cloud.latency)
            await stage.play(*quiet(0.1))
            await cloud.deepgram.until(lambda: bool(cloud.deepgram.state.audio_bytes))
            yield cloud, stage


def words(stage: Stage) -> str:
    """What the avatar was heard to say."""
    return " ".join(frame.text for frame in stage.all(TTSTextFrame))


async def answered(stage: Stage, times: int = 1) -> str:
    """Wait until so many answers were given; all of them."""
    await stage.first(
        LLMFullResponseEndFrame, lambda _: len(stage.all(LLMFullResponseEndFrame)) >= times
    )
    return words(stage)


async def test_mind_and_voice_begin_before_the_end_and_are_let_go_at_it() -> None:
    async with talking(line(QUESTION)) as (cloud, stage):
        await stage.play(*spoken(QUESTION), *quiet(0.3))
        await cloud.cartesia.until(lambda: cloud.cartesia.state.spoken == ["Paris."])
        assert cloud.deepgram.state.turns.events[-1] == ("EagerEndOfTurn", QUESTION)
        assert not stage.all(TTSAudioRawFrame)
        await stage.play(*quiet(0.4))
        assert await answered(stage) == REPLY
        assert cloud.cartesia.state.spoken == ["Paris.", "It is the capital of France."]
        assert cloud.asked == cloud.history == [QUESTION]
        assert await cloud.counted() == {"calls": 1, "for_nothing": 0}


async def test_who_goes_on_is_answered_once_and_what_was_begun_is_never_heard() -> None:
    whole = line(f"{BEGINNING} {REST}", BEGINNING, REST)
    async with talking(whole) as (cloud, stage):
        cloud.gemini.state.replies.appendleft(Reply("Which one? Of what?", word_delay_s=0.05))
        await stage.play(*spoken(BEGINNING), *quiet(0.3))
        await cloud.cartesia.until(lambda: cloud.cartesia.state.spoken == ["Which one?"])
        await stage.play(*spoken(REST))
        await cloud.cartesia.until(lambda: bool(cloud.cartesia.state.cancelled))
        await stage.play(*quiet(0.7))
        assert await answered(stage) == REPLY
        assert ("TurnResumed") in [event for event, _ in cloud.deepgram.state.turns.events]
        assert cloud.history == [whole.text] and cloud.asked[-1] == whole.text
        assert await cloud.counted() == {"calls": 2, "for_nothing": 1}
        assert len(stage.all(UserStoppedSpeakingFrame)) == 2  # one for each direction


async def test_without_speculation_the_mind_is_asked_at_the_end_alone() -> None:
    async with talking(line(QUESTION), avatar_speculation=False) as (cloud, stage):
        await stage.play(*spoken(QUESTION), *quiet(0.7))
        assert await answered(stage) == REPLY
        events = [event for event, _ in cloud.deepgram.state.turns.events]
        assert "EagerEndOfTurn" not in events and events[-1] == "EndOfTurn"
        assert await cloud.counted() == {"calls": 0, "for_nothing": 0}
        assert cloud.asked == cloud.history == [QUESTION]


async def test_the_end_of_the_voice_is_heard_here() -> None:
    async with talking(line(QUESTION)) as (cloud, stage):
        await stage.play(*spoken(QUESTION))
        await stage.play(*quiet(0.7))
        ended = await stage.first(VoiceEndedFrame)
        assert 0.5 <= ended.quiet_s < 1.2
        await answered(stage)
        await stage.play(BotStartedSpeakingFrame())
        await stage.first(BotStartedSpeakingFrame)
        (turn,) = cloud.turns_measured
        assert list(turn.steps) == ["ears", "mind", "voice"]
        assert turn.steps["ears"] >= ended.quiet_s


@pytest.mark.parametrize("word", ["Okay.", "Right."])
async def test_a_sign_of_listening_leaves_the_avatar_speaking(word) -> None:
    async with talking(line(word)) as (cloud, stage):
        await stage.play(BotStartedSpeakingFrame(), *spoken(word), *quiet(0.7))
        sign = await stage.first(UserBackchannelFrame)
        assert sign.text == word
        assert not stage.all(InterruptionFrame) and not cloud.guesses
        assert [frame.volume for frame in stage.all(VolumeFrame)] == [0.25, 1.0]
        assert not cloud.asked and not cloud.history


async def test_the_same_word_is_an_answer_once_the_avatar_is_silent() -> None:
    async with talking(line("Okay.")) as (cloud, stage):
        await stage.play(BotStartedSpeakingFrame(), BotStoppedSpeakingFrame())
        await stage.play(*spoken("Okay."), *quiet(0.7))
        assert await answered(stage) == REPLY
        assert cloud.history == ["Okay."]


async def test_a_real_interruption_takes_the_floor_by_its_first_words() -> None:
    text = "I would rather hear about the sea."
    async with talking(line(text)) as (cloud, stage):
        await stage.play(BotStartedSpeakingFrame(), *spoken(text)[:-10])
        await stage.first(InterruptionFrame)
        events = [event for event, _ in cloud.deepgram.state.turns.events]
        assert "EndOfTurn" not in events and "EagerEndOfTurn" not in events
        assert [frame.volume for frame in stage.all(VolumeFrame)] == [0.25]
        assert stage.all(UserStartedSpeakingFrame)


async def test_the_avatar_that_hears_itself_is_not_interrupted() -> None:
    own = "The mountains are high and old."
    async with talking(line(own), line(QUESTION)) as (cloud, stage):
        await cloud.avatar_said(f"Well. {own} Nobody lives there.")
        await stage.play(BotStartedSpeakingFrame(), *spoken(own), *quiet(0.7))
        await cloud.deepgram.until(lambda: ("EndOfTurn", own) in cloud.deepgram.state.turns.events)
        await stage.play(BotStoppedSpeakingFrame(), *spoken(QUESTION), *quiet(0.7))
        await answered(stage)
        assert not stage.all(UserBackchannelFrame)
        assert cloud.history == [QUESTION]


async def test_a_turn_that_was_cut_off_goes_on_and_one_answer_follows() -> None:
    whole = line(f"{BEGINNING} {REST}", BEGINNING, REST)
    async with talking(whole) as (cloud, stage):
        await stage.play(*spoken(BEGINNING), *quiet(1.4))
        await answered(stage)
        assert len(cloud.history) == 1 and cloud.history[0] != whole.text
        cloud.clock.now_s += 0.5
        await stage.play(*spoken(REST), *quiet(0.7))
        await answered(stage, 2)
        assert cloud.taken_back == 1
        assert cloud.history == [whole.text] and cloud.asked[-1] == whole.text
        assert await cloud.counted(2) == {"calls": 2, "for_nothing": 1}
        waits = cloud.deepgram.state.turns.options
        assert (waits["eot_threshold"], waits["eot_timeout_ms"]) == ("0.9", "1800")
        cloud.clock.now_s += 1
        await stage.play(*quiet(0.1))
        await cloud.deepgram.until(lambda: waits["eot_timeout_ms"] == "1710")


async def test_who_says_something_later_begins_another_turn() -> None:
    async with talking(line(QUESTION), line(REST)) as (cloud, stage):
        await stage.play(*spoken(QUESTION), *quiet(0.7))
        await answered(stage)
        cloud.clock.now_s += 1.0
        await stage.play(*quiet(0.1), *spoken(REST), *quiet(0.7))
        await answered(stage, 2)
        assert cloud.taken_back == 0 and cloud.history == [QUESTION, REST]


async def test_who_is_spoken_to_for_a_while_and_tells_nothing_is_deaf() -> None:
    sound = spoken(QUESTION)
    async with talking() as (cloud, stage):
        await stage.play(*sound)
        heard = lambda: cloud.deepgram.state.audio_bytes >= PIECE * len(sound)  # noqa: E731
        await cloud.deepgram.until(heard)
        cloud.clock.now_s += DEAF_S + 0.1
        await stage.play(*quiet(0.02))
        error = await stage.first(ErrorFrame)
        assert error.error == "Flux tells nothing" and not stage.all(UserStartedSpeakingFrame)


async def test_a_connection_that_is_lost_in_mid_turn_ends_the_turn() -> None:
    async with talking(line(QUESTION)) as (cloud, stage):
        await stage.play(*spoken(QUESTION)[:-10])
        await stage.first(UserStartedSpeakingFrame)
        await cloud.deepgram.hang_up(code=1011)
        await answered(stage)
        assert QUESTION.startswith(cloud.history[0])


@pytest.mark.parametrize(
    ("patience", "eager", "end", "longest"),
    [
        ("quick", "0.3", "0.6", "1000"),
        ("", "0.4", "0.7", "1200"),
        ("patient", "0.5", "0.85", "1800"),
    ],
)
async def test_patience_is_said_to_flux(patience, eager, end, longest) -> None:
    async with talking(avatar_patience=patience) as (cloud, _):
        options = cloud.deepgram.state.turns.options
        asked = [options[f"{name}"] for name in ("eager_eot_threshold", "eot_threshold")]
        assert [*asked, options["eot_timeout_ms"]] == [eager, end, longest]
        assert int(longest) < 3000
