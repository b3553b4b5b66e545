"""What is said to who is connected already, when their conversation fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pipecat.processors.frameworks.rtvi.models import Error, ErrorData
from pipecat.runner.types import (
    RunnerArguments,
    SmallWebRTCRunnerArguments,
    WebSocketRunnerArguments,
)
from starlette.websockets import WebSocket, WebSocketState

from bots.server.refusal import MISTAKE
from pipelines.errors import AvatarError

if TYPE_CHECKING:
    from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

# Who was told leaves by itself; this is for who does not, or cannot be reached.
LEAVING_TIMEOUT_S = 10.0
INTERNAL_ERROR = 1011
LONGEST_REASON = 123  # bytes


@asynccontextmanager
async def telling(arguments: RunnerArguments) -> AsyncIterator[None]:
    """Tell whoever waits for a conversation, where that is possible, what it failed of."""
    try:
        yield
    except AvatarError as error:
        await _tell(arguments, str(error))
        raise
    except Exception:
        await _tell(arguments, MISTAKE)
        raise


async def _tell(arguments: RunnerArguments, why: str) -> None:
    """Tell, in Pipecat's word for it, who is connected already; then hang up.

    A room's user comes only after /start has answered, which is when the conversation is built.
    """
    if isinstance(arguments, SmallWebRTCRunnerArguments):
        await _tell_peer(arguments.webrtc_connection, why)
    elif isinstance(arguments, WebSocketRunnerArguments):
        await _tell_socket(arguments.websocket, why)


def _error(why: str) -> dict[str, object]:
    return Error(data=ErrorData(error=why, fatal=True)).model_dump()


async def _tell_peer(connection: "SmallWebRTCConnection", why: str) -> None:
    left = asyncio.Event()

    @connection.event_handler("closed")
    async def closed(_connection: object) -> None:
        left.set()

    if connection.pc.connectionState not in ("closed", "failed"):
        connection.send_app_message(_error(why))  # kept until the data channel is open
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(left.wait(), LEAVING_TIMEOUT_S)
    await connection.disconnect()


async def _tell_socket(websocket: WebSocket, why: str) -> None:
    states = (websocket.client_state, websocket.application_state)
    if states == (WebSocketState.CONNECTED, WebSocketState.CONNECTED):
        await websocket.send_json(_error(why))
        reason = why.encode()[:LONGEST_REASON].decode(errors="ignore")
        await websocket.close(INTERNAL_ERROR, reason)
