"""No face: the voice is handed over as it is heard, in pieces that can still be lowered."""

import asyncio

import aiohttp
import numpy as np
import pytest
from pipecat.frames.frames import InterruptionFrame, TTSAudioRawFrame, TTSStoppedFrame

from pipelines.avatar.none import build
from pipelines.media.pace import PIECE_S
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.turns.floor import Volume, VolumeFrame
from tests.standins.stage import running

RATE = 24_000
SENTENCE = np.full(RATE, 10_000, np.int16).tobytes()


@pytest.fixture
async def stage():
    async with aiohttp.ClientSession() as http:
        face = build(load_settings(), Persona(), http)
        async with running(face, Volume()) as stage:
            yield stage


def level(frame: TTSAudioRawFrame) -> int:
    return int(np.abs(np.frombuffer(frame.audio, np.int16)).max())


async def test_a_sentence_that_has_begun_can_be_lowered(stage):
    whole = TTSAudioRawFrame(SENTENCE, RATE, 1, context_id="one")
    await stage.play(whole)
    await stage.first(TTSAudioRawFrame, lambda f: f.num_frames < RATE and level(f) == 10_000)
    await stage.play(VolumeFrame(0.25))
    lowered = await stage.first(TTSAudioRawFrame, lambda f: level(f) == 2_500)
    assert lowered.context_id == "one"
    assert lowered.num_frames == PIECE_S * RATE


async def test_what_has_not_been_handed_over_is_not_heard_after_an_interruption(stage):
    await stage.play(TTSAudioRawFrame(SENTENCE, RATE, 1))
    await stage.first(TTSAudioRawFrame, lambda f: f.num_frames < RATE)
    await stage.play(InterruptionFrame())
    await stage.first(InterruptionFrame)
    over = len(stage.all(TTSAudioRawFrame))
    await stage.worker.flush_pipeline()
    assert len(stage.all(TTSAudioRawFrame)) - over <= 1
    assert over < 1 / PIECE_S


async def test_a_sentence_comes_whole(stage):
    await stage.play(TTSAudioRawFrame(SENTENCE, RATE, 1))
    pieces = 0
    async with asyncio.timeout(10):
        while pieces < RATE:
            await stage.first(TTSAudioRawFrame, lambda f: 0 < f.num_frames < RATE)
            pieces = sum(f.num_frames for f in stage.all(TTSAudioRawFrame) if f.num_frames < RATE)
            await asyncio.sleep(0)
    assert pieces == RATE


async def test_what_comes_in_pieces_of_another_length_is_handed_over_in_whole_ones(stage):
    whole = np.arange(RATE // 2, dtype=np.int16).tobytes()
    size = 2 * round(0.05 * RATE)
    given = [TTSAudioRawFrame(whole[at : at + size], RATE, 1) for at in range(0, len(whole), size)]
    await stage.play(*given, TTSStoppedFrame())
    await stage.first(TTSStoppedFrame)
    await stage.worker.flush_pipeline()
    pieces = [piece for piece in stage.all(TTSAudioRawFrame) if piece not in given]
    assert all(piece.num_frames == PIECE_S * RATE for piece in pieces[:-1])
    assert b"".join(piece.audio for piece in pieces) == whole
