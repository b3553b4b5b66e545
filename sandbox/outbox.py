"""What goes out over one WebSocket, in order, with the faults of that socket."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from liveavatar.wire import Event
from sandbox.faults import SOCKET, Faults

QUEUED_EVENTS = 2000
FLUSH_TIMEOUT_S = 2.0
NORMAL, OVERLOADED = 1000, 1013
ACKS = "agent.audio_buffer_"
OLD = "agent.speak_"
Note = Callable[[dict[str, Any]], None]


class Outbox:
    """Events on their way to a client. `run()` writes them; it ends when the socket is closed."""

    def __init__(self, socket: WebSocket, faults: Faults, note: Note) -> None:
        self._socket = socket
        self._note = note
        self._queue: asyncio.Queue[Event | int] = asyncio.Queue(QUEUED_EVENTS)
        self._gone = asyncio.Event()
        self._drop_acks = faults.strike(SOCKET, "drop-acks") is not None
        self._old_only = faults.strike(SOCKET, "old-events") is not None
        self._new_only = faults.strike(SOCKET, "new-events") is not None
        delayed = faults.strike(SOCKET, "delay-acks")
        self._ack_delay_s = delayed.number("by") if delayed else 0.0

    def send(self, event: Event) -> None:
        """Queue an event, unless a fault withholds it."""
        if self._withheld(event):
            return
        if self._ack_delay_s and event.type.startswith(ACKS):
            asyncio.get_running_loop().call_later(self._ack_delay_s, self._put, event)
        else:
            self._put(event)

    def hang_up(self, code: int = NORMAL) -> None:
        """Close the socket once everything queued is sent."""
        self._put(code)

    async def gone(self) -> None:
        """Wait until the socket is closed, or for as long as a client may take to read."""
        try:
            await asyncio.wait_for(self._gone.wait(), FLUSH_TIMEOUT_S)
        except TimeoutError:
            self._gone.set()

    async def run(self) -> None:
        """Write until the socket is closed by either side."""
        try:
            while not self._gone.is_set():
                item = await self._queue.get()
                if isinstance(item, int):
                    await self._socket.close(item)
                    return
                message = item.sent()
                self._note(message)
                await self._socket.send_text(json.dumps(message))
        except (WebSocketDisconnect, RuntimeError):
            return  # The client went first: Starlette says so in either way.
        finally:
            self._gone.set()

    def _put(self, item: Event | int) -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(OVERLOADED)

    def _withheld(self, event: Event) -> bool:
        ack, speak = event.type.startswith(ACKS), event.type.startswith(OLD)
        old = event.type == "agent.state_updated" or ack or event.state == "disconnected"
        new = speak or event.state == "closing"
        return (self._drop_acks and ack) or (self._old_only and old) or (self._new_only and new)
