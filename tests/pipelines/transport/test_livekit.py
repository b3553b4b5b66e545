"""A LiveKit room takes the voice at the pace at which it is heard."""

import asyncio

import aiohttp
import numpy as np
import pytest
from pipecat.frames.frames import OutputAudioRawFrame
from pipecat.runner.types import LiveKitRunnerArguments
from pipecat.transports.livekit.transport import LiveKitTransport

from pipelines.media.marks import Marks, VoiceMark
from pipelines.settings import load_settings
from pipelines.transport import livekit as own_server
from tests.standins.stage import running

ROOM, MINUTE_S = "pace", 60
RATE, PIECE_S, PIECES = 24_000, 0.04, 40


@pytest.mark.realtime
async def test_no_more_of_the_voice_waits_in_it_than_pictures_can_wait_for(livekit):
    token = livekit.token(ROOM, "avatar", MINUTE_S)
    arguments = LiveKitRunnerArguments(room_name=ROOM, url=livekit.url, token=token)
    voice = np.full(round(PIECE_S * RATE), 1000, np.int16).tobytes()
    marks = [VoiceMark() for _ in range(PIECES)]
    async with aiohttp.ClientSession() as http:
        transport = own_server.build(load_settings(), http, arguments, (640, 360)).transport
        assert isinstance(transport, LiveKitTransport)
        connected = asyncio.Event()
        transport.add_event_handler("on_connected", lambda *_: connected.set())
        async with running(transport.output(), Marks()) as stage:
            await asyncio.wait_for(connected.wait(), 20)
            for mark in marks:
                await stage.play(OutputAudioRawFrame(voice, RATE, 1), mark)
            await asyncio.wait_for(marks[-1].reached.wait(), 20)
    passed_s = marks[-1].reached_s - marks[0].reached_s
    assert passed_s > (PIECES - 1) * PIECE_S - 0.16, "what is handed over is heard at once"
