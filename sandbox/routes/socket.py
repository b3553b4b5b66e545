"""The LITE WebSocket: text frames in, events out (liveavatar-protocol: section 3)."""

import asyncio
import base64
import json

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from liveavatar.wire import (
    COMMAND,
    MAX_MESSAGE_BYTES,
    AnyCommand,
    Interrupt,
    KeepAlive,
    Listen,
    Speak,
    SpeakEnd,
)
from sandbox.desk import Desk, desk_of
from sandbox.faults import SOCKET
from sandbox.outbox import Outbox
from sandbox.performance import Performance

router = APIRouter()


class Channel:
    """One WebSocket of a session: reads what comes in and hands it to the performance."""

    def __init__(self, socket: WebSocket, the: Desk, performance: Performance) -> None:
        self._socket = socket
        self._the = the
        self._performance = performance
        session, clock = performance.session, the.account.clock
        self._outbox = Outbox(
            socket, the.faults, lambda message: session.note(clock(), "sent", message)
        )
        self._greeted = False

    async def run(self) -> None:
        """Talk until either side hangs up."""
        performance, account = self._performance, self._the.account
        performance.attach(self._outbox)
        account.socket_opened(performance.session)
        timers = self._greet_when_due()
        try:
            # A socket on which nothing can be written any more is not read on, either.
            async with asyncio.TaskGroup() as both:
                writing = both.create_task(self._outbox.run())
                await self._read()
                writing.cancel()
        finally:
            for timer in timers:
                timer.cancel()
            if performance.detach(self._outbox):
                account.socket_lost(performance.session)

    def _greet_when_due(self) -> list[asyncio.TimerHandle]:
        loop, faults = asyncio.get_running_loop(), self._the.faults
        withheld = faults.strike(SOCKET, "withhold-connected")
        timers = []
        if not withheld:
            self._greet()
        elif withheld.number("by"):
            timers.append(loop.call_later(withheld.number("by"), self._greet))
        closing = faults.strike(SOCKET, "close-ws")
        if closing:
            code = int(closing.number("code"))
            timers.append(loop.call_later(closing.number("after"), self._outbox.hang_up, code))
        return timers

    def _greet(self) -> None:
        self._greeted = True
        if self._performance.outbox is self._outbox:
            self._performance.dialogue.connected()

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._greeted and not self._performance.still:
                text = message.get("text")
                self._take(text if text is not None else message.get("bytes", b""))

    def _take(self, text: str | bytes) -> None:
        dialogue = self._performance.dialogue
        if isinstance(text, bytes):
            return dialogue.wrong("A message must be a text frame")
        if len(text) > MAX_MESSAGE_BYTES:
            return dialogue.wrong(f"A message may have {MAX_MESSAGE_BYTES} bytes at most")
        try:
            command = COMMAND.validate_json(text)
        except ValidationError as error:
            return dialogue.wrong(_problem(error), _event_id(text))
        self._note(text)
        try:
            self._do(command)
        except ValueError:
            dialogue.wrong("audio: not base64", command.event_id)

    def _note(self, text: str) -> None:
        session, account = self._performance.session, self._the.account
        account.heard(session)
        session.note(account.clock(), "received", json.loads(text))

    def _do(self, command: AnyCommand) -> None:
        pcm = b""
        if isinstance(command, Speak | SpeakEnd) and command.audio:
            pcm = base64.b64decode(command.audio, validate=True)
        self._performance.session.hear(pcm)
        if isinstance(command, Speak | SpeakEnd | Interrupt | Listen):
            self._performance.hear(command, pcm)
        else:
            assert isinstance(command, KeepAlive) or command.type == "start"


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _event_id(text: str) -> str | None:
    """The event id of a message that is wrong otherwise."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    event_id = message.get("event_id") if isinstance(message, dict) else None
    return event_id if isinstance(event_id, str) else None


@router.websocket("/v1/sessions/{session_id}/ws")
async def lite(socket: WebSocket, session_id: str, token: str = "") -> None:
    """The WebSocket of a running session; may be opened again and again while it runs."""
    the = desk_of(socket)
    session = the.account.sessions.get(session_id)
    performance = the.theatre.performance(session) if session else None
    if not (session and performance and token == session.socket_secret):
        return await socket.close()
    await socket.accept()
    try:
        await Channel(socket, the, performance).run()
    except WebSocketDisconnect:
        return
