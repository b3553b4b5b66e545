"""LiveAvatar's session, which ends after five minutes without a sign of life."""

import asyncio
from itertools import pairwise

import aiohttp

from pipelines.meeting import HeyGenRunnerArguments
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.transport import heygen
from tests.pipelines.turns.clock import RoomLoop, room_loop
from tests.standins.liveavatar import LiveAvatar
from tests.standins.stage import running

IDLE_S = 300
SILENCE_S = 900


async def silent_session() -> list[float]:
    """When a session heard something in a quarter of an hour without a word, in seconds."""
    loop = room_loop()
    async with LiveAvatar() as vendor, aiohttp.ClientSession() as http:
        key, url = vendor.key, vendor.url
        settings = load_settings(liveavatar_api_key=key, liveavatar_base_url=url)
        arguments = HeyGenRunnerArguments()
        transport = heygen.build(settings, http, arguments, (640, 360), Persona()).transport
        async with running(transport.input(), transport.output()) as stage:
            started = asyncio.Event()
            stage.worker.add_event_handler("on_pipeline_started", lambda *_: started.set())
            await started.wait()
            (session,) = vendor.state.open_sessions
            start_s, heard_s, told = loop.now_s, [0.0], len(session.messages)
            while loop.now_s < start_s + SILENCE_S:
                loop.now_s += 1
                await loop.settle()
                if len(session.messages) > told:
                    told = len(session.messages)
                    heard_s.append(loop.now_s - start_s)
            return [*heard_s, SILENCE_S]


def test_a_silence_of_any_length_does_not_end_a_session():
    with asyncio.Runner(loop_factory=RoomLoop) as runner:
        heard_s = runner.run(silent_session())
    assert max(later - now for now, later in pairwise(heard_s)) < IDLE_S / 1.5
