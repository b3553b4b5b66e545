"""HeyGenTransport: the bot joins LiveAvatar's own LiveKit room, where its face is already.

uv run python examples/pipecat/room.py
"""

import asyncio

import aiohttp
from look import look
from parts import LIVEAVATAR, ears, mind, voice
from pipecat.runner.types import RunnerArguments
from pipecat.transports.heygen.transport import HeyGenTransport
from talk import talk


async def bot(arguments: RunnerArguments) -> None:
    """One conversation."""
    async with aiohttp.ClientSession() as http:
        transport = HeyGenTransport(session=http, **LIVEAVATAR)

        @transport.event_handler("on_connected")
        async def connected(*_: object) -> None:
            # Pipecat has no other way to ask for the user's invitation than to read it in the log.
            room = transport._client._heyGen_session
            assert room
            await look(room.livekit_url, room.access_token)

        await talk(arguments, transport, ears(), mind(), voice())


if __name__ == "__main__":
    arguments = RunnerArguments()
    arguments.handle_sigint = True
    asyncio.run(bot(arguments))
