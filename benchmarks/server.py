"""The avatar's server with a probe: `python -m benchmarks.server own|stock [flags of avatar]`.

`own` is the application as it is. `stock` differs in one thing: the face's pictures go through
Pipecat's own video path (RGB pictures, its queues and its RawVideoTrack) instead of ours. `GET
/probe` watches the event loop.
"""

import asyncio
import gc
import sys
import time

import aiohttp
from pipecat.frames.frames import Frame, OutputImageRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from bots import cli
from bots.server import app
from pipelines.media.video import as_rgb
from pipelines.meeting import Meeting
from pipelines.settings import Settings
from pipelines.transport import webrtc

TICK_S = 0.02
LONGEST_S = 120.0


class ToTransport(FrameProcessor):
    """Gives the transport RGB pictures, as HeyGenVideoService does."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self._size = size
        self.shown = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Turn pictures into RGB."""
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputImageRawFrame):
            self.shown.set()
            frame = as_rgb(frame, self._size)
        await self.push_frame(frame, direction)


def build_stock(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: SmallWebRTCRunnerArguments,
    size: tuple[int, int],
) -> Meeting:
    """As `pipelines.transport.webrtc.build`, with the transport's own video path."""
    parameters = TransportParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        video_out_enabled=True,
        video_out_is_live=True,
        video_out_width=size[0],
        video_out_height=size[1],
    )
    pictures = ToTransport(size)
    transport = SmallWebRTCTransport(arguments.webrtc_connection, parameters)
    return Meeting(transport, (pictures,), pictures.shown)


class Probed(app.Server):
    """The server with a probe."""

    @property
    def routes(self) -> list[BaseRoute]:
        """Everything that can be asked for."""
        return [Route("/probe", _probe), *super().routes]


async def _probe(request: Request) -> JSONResponse:
    """How late a timer of 20 ms fires, in milliseconds, and how many tasks there are.

    `collect` first frees what only waits for Python's garbage collector.
    """
    seconds = float(request.query_params["seconds"])
    if request.query_params.get("collect") in ("1", "true"):
        gc.collect()
    # The clock of uvloop knows whole milliseconds.
    end_s = time.monotonic() + min(seconds, LONGEST_S)
    late_ms = []
    while (now_s := time.monotonic()) < end_s:
        await asyncio.sleep(TICK_S)
        late_ms.append(1000 * (time.monotonic() - now_s - TICK_S))
    return JSONResponse({"late_ms": late_ms, "tasks": len(asyncio.all_tasks())})


def main() -> None:
    """Serve until stopped."""
    video, *words = sys.argv[1:]
    if video == "stock":
        webrtc.build = build_stock
    app.Server = Probed
    cli.main(words)


if __name__ == "__main__":
    main()
