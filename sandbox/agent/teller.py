"""What clients are told over the data channel, and what is kept of what was said (section 4.2)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from liveavatar.orders import response
from sandbox.account import Clock
from sandbox.session import Session

Role = Literal["user", "avatar"]
ENDS = {
    "user.speak_started": "user.speak_ended",
    "avatar.speak_started": "avatar.speak_ended",
}


class Teller:
    """Events on their way into the room, in order; `run()` sends them.

    What has started is ended before the session is: `last()` is the last event.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        ids: Callable[[], str],
        send: Callable[[bytes], Awaitable[None]],
        is_quiet: Callable[[], bool],
    ) -> None:
        """While it `is_quiet` nothing is told."""
        self._is_quiet = is_quiet
        self._session, self._clock, self._ids, self._send = session, clock, ids, send
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._started: list[str] = []

    def tell(self, event_type: str, source: str | None = None, **fields: Any) -> bytes:
        """Tell of an event; the packet it is sent in.

        A second beginning without an end, and an end without a beginning, are not told.
        """
        if self._is_quiet() or not self._is_due(event_type):
            return b""
        message = response(event_type, self._ids(), self._session.id, source, **fields)
        self._session.note(self._clock(), "sent", message)
        packet = json.dumps(message).encode()
        self._queue.put_nowait(packet)
        return packet

    def _is_due(self, event_type: str) -> bool:
        begun = next((begin for begin, end in ENDS.items() if end == event_type), "")
        if event_type in self._started or (begun and begun not in self._started):
            return False
        if begun:
            self._started.remove(begun)
        elif event_type in ENDS:
            self._started.append(event_type)
        return True

    def last(self, reason: str) -> bytes:
        """Tell that the session is over; the reason has two names (13.21)."""
        for begun in list(self._started):
            self.tell(ENDS[begun])
        return self.tell("session.stopped", end_reason=reason, stop_reason=reason)

    def keep(self, role: Role, text: str) -> None:
        """Keep what was said, for the transcript; times are in milliseconds."""
        now_s, began_s = self._clock(), self._session.started_at or self._clock()
        self._session.transcript.append(
            {
                "role": role,
                "transcript": text,
                "absolute_timestamp": int(now_s * 1000),
                "relative_timestamp": int((now_s - began_s) * 1000),
            }
        )

    def take_back(self) -> None:
        """The user goes on with what they said last: it comes again as a whole."""
        lines = self._session.transcript
        said = [at for at, line in enumerate(lines) if line["role"] == "user"]
        if said:
            del lines[said[-1] :]

    def correct(self, text: str) -> None:
        """What the avatar said last was cut off: only this of it was heard."""
        lines = self._session.transcript
        said = [line for line in lines if line["role"] == "avatar"]
        if said:
            said[-1]["transcript"] = text

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._send(await self._queue.get())
            self._queue.task_done()

    async def flushed(self) -> None:
        """Wait until everything is on its way."""
        await self._queue.join()
