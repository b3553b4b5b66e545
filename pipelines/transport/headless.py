"""No user interface: the eval harness, over the server's /ws."""

import aiohttp
from pipecat.evals.transport import EvalTransportParams
from pipecat.runner.types import WebSocketRunnerArguments
from pipecat.runner.utils import create_transport

from pipelines.meeting import Meeting
from pipelines.settings import Settings


async def build(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: WebSocketRunnerArguments,
    size: tuple[int, int],
) -> Meeting:
    """The transport; it reports the face's pictures when the harness asks for them."""
    params = {"eval": lambda: EvalTransportParams(audio_in_enabled=True, audio_out_enabled=True)}
    return Meeting(await create_transport(arguments, params))
