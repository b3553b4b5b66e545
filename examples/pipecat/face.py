"""HeyGenVideoService: LiveAvatar's face in a pipeline, met wherever Pipecat can be met.

uv run python examples/pipecat/face.py -t webrtc      # or livekit
"""

import aiohttp
from parts import LIVEAVATAR, QUALITY, ears, mind, voice
from pipecat.runner.types import RunnerArguments
from pipecat.runner.utils import create_transport
from pipecat.services.heygen.video import HeyGenVideoService
from talk import places, talk


async def bot(arguments: RunnerArguments) -> None:
    """One conversation."""
    async with aiohttp.ClientSession() as http:
        transport = await create_transport(arguments, places(QUALITY))
        face = HeyGenVideoService(session=http, **LIVEAVATAR)
        await talk(arguments, transport, ears(), mind(), voice(), [face])


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
