"""The same room with this application's parts and its transport, which owns the room.

uv run python examples/pipecat/own_room.py            # STT, LLM and TTS as in .env
"""

import asyncio

import aiohttp
from look import look
from pipecat.runner.types import RunnerArguments
from talk import talk

from pipelines.meeting import HeyGenRunnerArguments
from pipelines.parts import choose_one, load
from pipelines.persona import load_persona
from pipelines.redaction import redact
from pipelines.settings import load_settings
from pipelines.size import picture_size
from pipelines.transport import heygen


async def bot(arguments: RunnerArguments) -> None:
    """One conversation; its session is in the ledger, and no log has a token."""
    settings = load_settings()
    redact(settings)
    persona = load_persona(settings.avatar_persona).filled({})
    async with aiohttp.ClientSession() as http:
        size = picture_size(settings, "heygen")
        meeting = heygen.build(settings, http, HeyGenRunnerArguments(), size, persona)
        kinds = (load(choose_one(kind, settings).part) for kind in ("stt", "llm", "tts"))
        ears, mind, voice = (kind.build(settings, persona, http) for kind in kinds)
        assert meeting.face and meeting.room

        @meeting.transport.event_handler("on_connected")
        async def connected(*_: object) -> None:
            assert meeting.room
            room = await meeting.room()
            await look(room.url, room.token)

        await talk(arguments, meeting.transport, ears, mind, voice, [meeting.face()])


if __name__ == "__main__":
    arguments = RunnerArguments()
    arguments.handle_sigint = True
    asyncio.run(bot(arguments))
