"""Places that know whether their user has turned the microphone off."""

import asyncio

import aiohttp
import pytest
from pipecat.runner.types import LiveKitRunnerArguments
from pipecat.transports.livekit.transport import LiveKitTransport

from pipelines.settings import load_settings
from pipelines.transport import daily
from pipelines.transport import livekit as own_server
from tests.standins.stage import running
from tests.talk.guest import Guest

ROOM, MINUTE_S = "muted", 60
BOT = {"info": {"isLocal": True}, "media": {"microphone": {"state": "playable"}}}


def user(state: str) -> dict:
    return {"info": {"isLocal": False}, "media": {"microphone": {"state": state}}}


@pytest.mark.parametrize(
    ("states", "muted"),
    [
        ([], False),
        (["playable"], False),
        (["loading"], False),
        (["off"], True),
        (["off", "playable"], False),
        (["off", "off"], True),
    ],
)
def test_a_daily_room_knows_when_every_microphone_is_off(states, muted):
    users = {f"user-{number}": user(state) for number, state in enumerate(states)}
    assert daily.is_off({"local": BOT, **users}) == muted


async def test_a_livekit_room_knows_when_its_user_is_muted(livekit):
    server = livekit
    arguments = LiveKitRunnerArguments(
        room_name=ROOM, url=server.url, token=server.token(ROOM, "avatar", MINUTE_S)
    )
    async with aiohttp.ClientSession() as http:
        meeting = own_server.build(load_settings(), http, arguments, (640, 360))
        assert meeting.muted and not meeting.muted()
        transport, told = meeting.transport, asyncio.Queue[None]()
        assert isinstance(transport, LiveKitTransport)
        connected = asyncio.Event()
        transport.add_event_handler("on_connected", lambda *_: connected.set())
        async with running(transport.input(), transport.output()):
            await asyncio.wait_for(connected.wait(), 20)
            for event in ("track_subscribed", "track_muted", "track_unmuted"):
                transport._client.room.on(event, lambda *_: told.put_nowait(None))
            guest = await Guest.joining(server.url, server.token(ROOM, "user", MINUTE_S))
            for muted in (False, True, False):
                guest.mute(muted)
                await asyncio.wait_for(told.get(), 20)
                assert meeting.muted() == muted
            await guest.aclose()
