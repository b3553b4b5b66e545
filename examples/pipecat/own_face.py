"""The same face with this application's parts, which need no key but LiveAvatar's.

uv run python examples/pipecat/own_face.py -t webrtc  # or livekit; STT, LLM, TTS as in .env
"""

import aiohttp
from pipecat.runner.types import RunnerArguments
from pipecat.runner.utils import create_transport
from talk import places, talk

from pipelines.avatar import heygen
from pipelines.parts import choose_one, load
from pipelines.persona import load_persona
from pipelines.redaction import redact
from pipelines.settings import load_settings


async def bot(arguments: RunnerArguments) -> None:
    """One conversation; its session is in the ledger, and no log has a token."""
    settings = load_settings()
    redact(settings)
    persona = load_persona(settings.avatar_persona).filled({})
    async with aiohttp.ClientSession() as http:
        transport = await create_transport(arguments, places(settings.liveavatar_quality))
        kinds = (load(choose_one(kind, settings).part) for kind in ("stt", "llm", "tts"))
        ears, mind, voice = (kind.build(settings, persona, http) for kind in kinds)
        face = heygen.build(settings, persona, http)
        await talk(arguments, transport, ears, mind, voice, [face])


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
