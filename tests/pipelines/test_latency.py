"""How long each step of an answer took, told from the frames that go by."""

import asyncio

import numpy as np
import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    InterruptionFrame,
    LLMTextFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVISendTextFrame

from pipelines.latency import TurnLatency, message

TONE = (8000 * np.sin(np.arange(960) / 20)).astype(np.int16).tobytes()
NOISE = SpeechOutputAudioRawFrame(TONE, 24_000, 1)
QUIET = SpeechOutputAudioRawFrame(bytes(1920), 24_000, 1)
PICTURE = OutputImageRawFrame(b"", (0, 0), "I420")
VOICE = TTSAudioRawFrame(TONE, 24_000, 1)
STOPPED = VADUserStoppedSpeakingFrame(stop_secs=0.2)
HEARD = TranscriptionFrame("What can you do?", "", "")
FACE = [(1.05, QUIET), (1.06, PICTURE), (1.1, NOISE), (1.12, PICTURE), (1.15, NOISE)]

Play = list[tuple[float, Frame]]


class Listener:
    """What an observer reports when frames go by at given times, in seconds."""

    def __init__(self) -> None:
        self.latency = TurnLatency()
        self.answered_s: list[float | None] = []
        self.turns: list[dict[str, float]] = []
        self.typed: list[str] = []
        self.latency.add_event_handler("on_answered", self._answered)
        self.latency.add_event_handler("on_turn_measured", self._measured)
        self.latency.add_event_handler("on_typed", self._typed)

    async def _answered(self, _, turn):
        self.answered_s.append(turn.answered_s)

    async def _measured(self, _, turn):
        self.turns.append({step: round(at_s, 3) for step, at_s in turn.steps.items()})

    async def _typed(self, _, text):
        self.typed.append(text)


async def play(frames: Play) -> Listener:
    listener = Listener()
    here, there = IdentityFilter(), IdentityFilter()
    for at_s, frame in frames:
        pushed = FramePushed(here, there, frame, FrameDirection.DOWNSTREAM, round(at_s * 1e9))
        await listener.latency.on_push_frame(pushed)
        await asyncio.sleep(0)
    await listener.latency.cleanup()
    return listener


SPOKEN: Play = [
    (0.1, VADUserStartedSpeakingFrame()),
    (0.5, STOPPED),
    (0.6, HEARD),
    (0.8, LLMTextFrame("I")),
    (0.9, LLMTextFrame(" listen.")),
    (1.0, VOICE),
]
SPEAKS = BotStartedSpeakingFrame()


async def test_a_spoken_turn_has_all_steps_from_the_end_of_speech():
    listener = await play([*SPOKEN, *FACE, (1.16, SPEAKS), (1.2, PICTURE), (1.3, VOICE)])
    assert listener.turns == [{"ears": 0.3, "mind": 0.5, "voice": 0.7, "face": 0.82}]
    assert listener.answered_s == [pytest.approx(0.86)]


async def test_a_face_that_shows_after_the_first_sound_is_waited_for():
    listener = await play([*SPOKEN, (1.1, NOISE), (1.16, SPEAKS), (1.2, PICTURE)])
    assert listener.turns == [{"ears": 0.3, "mind": 0.5, "voice": 0.7, "face": 0.9}]


async def test_without_a_face_the_voice_is_the_last_step():
    listener = await play([*SPOKEN, (1.01, SPEAKS)])
    assert listener.turns == [{"ears": 0.3, "mind": 0.5, "voice": 0.7}]
    assert listener.answered_s == [pytest.approx(0.71)]


async def test_a_typed_turn_has_no_ears():
    typed = RTVISendTextFrame(msg_id="1", text="Hello")
    listener = await play([(0.3, typed), *SPOKEN[3:], (1.01, SPEAKS)])
    assert listener.typed == ["Hello"]
    assert listener.turns == [{"mind": 0.5, "voice": 0.7}]


async def test_a_transcript_that_is_there_before_the_silence_is_sure_took_no_time():
    early = [SPOKEN[0], (0.25, HEARD), SPOKEN[1], *SPOKEN[3:], (1.01, SPEAKS)]
    listener = await play(early)
    assert listener.turns == [{"ears": 0.0, "mind": 0.5, "voice": 0.7}]


async def test_the_last_transcript_before_the_answer_counts():
    listener = await play([*SPOKEN[:3], (0.7, HEARD), *SPOKEN[3:], (1.01, SPEAKS)])
    assert listener.turns[0]["ears"] == 0.4


async def test_a_pause_within_a_question_starts_the_count_again():
    again = [(0.6, VADUserStartedSpeakingFrame()), (0.7, STOPPED), (0.75, HEARD)]
    listener = await play([*SPOKEN[:2], *again, *SPOKEN[3:], (1.01, SPEAKS)])
    assert listener.turns == [{"ears": 0.25, "mind": 0.3, "voice": 0.5}]


@pytest.mark.parametrize("cut", [VADUserStartedSpeakingFrame(), InterruptionFrame()])
async def test_an_answer_that_is_cut_off_before_it_is_heard_is_not_reported(cut):
    listener = await play([*SPOKEN, (1.01, cut), (1.02, VOICE), (1.03, SPEAKS)])
    assert not listener.turns and not listener.answered_s


async def test_what_the_avatar_says_unasked_is_no_turn():
    assert not (await play([(1.0, VOICE), *FACE, (1.16, SPEAKS)])).turns


async def test_a_turn_is_reported_once():
    assert len((await play([*SPOKEN, (1.01, SPEAKS), (3.0, VOICE), (3.1, SPEAKS)])).turns) == 1


async def test_the_page_is_told_the_steps_in_order():
    turns = []
    latency = TurnLatency()

    @latency.event_handler("on_turn_measured")
    async def measured(_, turn):
        turns.append(turn)

    here = IdentityFilter()
    for at_s, frame in [*SPOKEN, (1.01, SPEAKS)]:
        pushed = FramePushed(here, here, frame, FrameDirection.DOWNSTREAM, round(at_s * 1e9))
        await latency.on_push_frame(pushed)
    await asyncio.sleep(0)
    assert message(turns[0], 3, {"calls": 2, "for_nothing": 1}) == {
        "type": "turn-latency",
        "turn": 3,
        "user_stopped_s": 0,
        "steps": [
            {"name": "ears", "at_s": 0.3},
            {"name": "mind", "at_s": 0.5},
            {"name": "voice", "at_s": 0.7},
        ],
        "ahead": {"calls": 2, "for_nothing": 1},
    }
