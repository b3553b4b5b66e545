"""HeyGenVideoService: LiveAvatar's face in a pipeline, met wherever Pipecat can be met.

uv run python examples/pipecat/face.py -t webrtc      # or livekit
"""

import aiohttp
from parts import LIVEAVATAR, ears, mind, voice
from pipecat.runner.types import RunnerArguments
from pipecat.runner.utils import create_transport
from pipecat.services.heygen.video import HeyGenVideoService
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.livekit.transport import LiveKitParams
from talk import talk

SHOWN = {"audio_in_enabled": True, "audio_out_enabled": True, "video_out_enabled": True}
SHOWN |= {"video_out_is_live": True, "video_out_width": 1280, "video_out_height": 720}
PLACES = {"webrtc": lambda: TransportParams(**SHOWN), "livekit": lambda: LiveKitParams(**SHOWN)}


async def bot(arguments: RunnerArguments) -> None:
    """One conversation."""
    async with aiohttp.ClientSession() as http:
        transport = await create_transport(arguments, PLACES)
        face = HeyGenVideoService(session=http, **LIVEAVATAR)
        await talk(arguments, transport, ears(), mind(), voice(), [face])


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
