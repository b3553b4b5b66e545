"""A session whose conversation LiveAvatar runs, from its token to its end (liveavatar-protocol: 4).

The room is the caller's: any client of LiveKit joins it with `url` and `viewer_token`, and one that
is given to `listen_in()` carries commands and events.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from liveavatar import channel
from liveavatar.channel import Act, AgentCommand, Command, Event, Stopped, Talk, Tell
from liveavatar.client import LiveAvatar
from liveavatar.errors import LiveAvatarError
from liveavatar.records import Started
from liveavatar.wire import EndReason, FullRequest, LiteRequest

KEEP_ALIVE_S = 60.0
# How long LiveAvatar may take to say whether the button to talk is pressed.
ANSWER_S = 5.0
# Before each try to end a session.
WAITS_S = (0.0, 1.0, 2.0)
AgentSays = Literal["user_message", "contextual_update", "user_activity", "client_tool_result"]
log = logging.getLogger(__name__)


class Participant(Protocol):
    """Whoever is in a room, as LiveKit's SDK has it."""

    async def publish_data(self, payload: bytes, *, reliable: bool, topic: str) -> None:
        """Send a packet to the others."""
        ...


class Room(Protocol):
    """A room of LiveKit's SDK: `livekit.rtc.Room`."""

    @property
    def local_participant(self) -> Any:
        """A `Participant`."""
        ...

    def on(self, event: Any, callback: Callable[..., Any], /) -> Any:
        """Have something called."""
        ...


class FullSession:
    """One session, begun on entry and ended on exit, whatever happens in between.

    It takes the account's key and makes nothing else there. While it is entered LiveAvatar is told
    that it is still wanted; a process that dies leaves a session that ends within five minutes.

    >>> async with FullSession(live, request) as session:
    ...     await room.connect(session.url, session.viewer_token)
    ...     session.listen_in(room)
    ...     await session.say("Hello.")
    ...     async for event in session.events():
    ...         print(event)

    Attributes:
        id: the session's, "" before it is entered.
        end_reason: why LiveAvatar has ended it, None until then.
    """

    def __init__(
        self,
        live: LiveAvatar,
        request: FullRequest | LiteRequest,
        keep_alive_s: float = KEEP_ALIVE_S,
        before_start: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """A session that is not begun.

        Args:
            live: the account.
            request: FULL, or LITE with a vendor's agent.
            keep_alive_s: how often LiveAvatar is told that it is wanted.
            before_start: is given its id before it costs anything; if it raises, nothing is begun.
        """
        if isinstance(request, LiteRequest) and not request.connector:
            raise ValueError("In plain LITE nobody answers: ask for FULL, or for a vendor's agent")
        self.id = ""
        self.end_reason: EndReason | str | None = None
        self._live, self._request = live, request
        self._keep_alive_s, self._before_start = keep_alive_s, before_start
        self._started: Started | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._room: Room | None = None
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._asked: list[tuple[bool, asyncio.Future[Talk]]] = []

    async def __aenter__(self) -> Self:
        """Begin it. Raises: LiveAvatarError; nothing runs then."""
        if self.id:
            raise RuntimeError("A session is begun once: make another FullSession")
        token = await self._live.sessions.token(self._request)
        self.id = token.session_id
        try:
            if self._before_start:
                await self._before_start(self.id)
            self._started = await self._live.sessions.start(token.session_token)
        except BaseException as error:
            await self._end(error)
            raise
        self._keeping = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it. Raises: LiveAvatarError when that is not confirmed, so that it may still run."""
        if self._keeping:
            self._keeping.cancel()
        self._events.put_nowait(None)
        await self._end(error)

    @property
    def url(self) -> str:
        """Address of its room's LiveKit server."""
        return self._running.livekit_url

    @property
    def viewer_token(self) -> str:
        """What lets its user into the room."""
        return self._running.livekit_client_token

    @property
    def max_duration_s(self) -> int | None:
        """After how many seconds LiveAvatar ends it, if it says so."""
        return self._running.max_session_duration

    def listen_in(self, room: Room) -> None:
        """Use a room for commands and events; who owns it connects and closes it."""
        self._room = room
        room.on("data_received", self._receive)
        room.on("disconnected", lambda *_: self._events.put_nowait(None))

    async def events(self) -> AsyncIterator[Event]:
        """What LiveAvatar says, until the session is over or the room is lost. For one reader."""
        while (event := await self._events.get()) is not None:
            yield event
            if isinstance(event, Stopped):
                return

    async def say(self, text: str) -> str:
        """Have the avatar say something as it is; the command's id.

        Like all that sends, it raises RuntimeError before `listen_in()`, and ValueError for what is
        too long.
        """
        return await self._send(Tell(event_type="avatar.speak_text", text=text))

    async def ask(self, text: str) -> str:
        """Have the avatar answer, as if its user had said it. Without a context it does not."""
        return await self._send(Tell(event_type="avatar.speak_response", text=text))

    async def interrupt(self) -> str:
        """Silence the avatar."""
        return await self._send(Act(event_type="avatar.interrupt"))

    async def pose(self, *, listening: bool) -> str:
        """Have the avatar look as if it listened, or not any more."""
        start, stop = "avatar.start_listening", "avatar.stop_listening"
        return await self._send(Act(event_type=start if listening else stop))

    async def press_to_talk(self) -> None:
        """Open the microphone of a session of PUSH_TO_TALK. Raises: LiveAvatarError."""
        await self._push("user.start_push_to_talk", presses=True)

    async def release_to_talk(self) -> None:
        """Close it, and be answered. Raises: LiveAvatarError."""
        await self._push("user.stop_push_to_talk", presses=False)

    async def tell_agent(self, event_type: AgentSays, data: dict[str, Any] | None = None) -> str:
        """Tell ElevenLabs' agent something in its own protocol (6)."""
        command = AgentCommand(elevenlabs_event_type=event_type, data=data or {})
        return await self._send(command.model_copy(update={"session_id": self.id}))

    async def _send(self, command: Command) -> str:
        if not self._room:
            raise RuntimeError("There is no room to say it in: give one to listen_in()")
        event_id = str(uuid.uuid4())
        packet = channel.encode(command.model_copy(update={"event_id": event_id}))
        sender: Participant = self._room.local_participant
        await sender.publish_data(packet, reliable=True, topic=channel.CONTROL)
        return event_id

    async def _push(
        self,
        event_type: Literal["user.start_push_to_talk", "user.stop_push_to_talk"],
        *,
        presses: bool,
    ) -> None:
        answer: asyncio.Future[Talk] = asyncio.get_running_loop().create_future()
        asked = (presses, answer)
        self._asked.append(asked)
        try:
            await self._send(Act(event_type=event_type))
            async with asyncio.timeout(ANSWER_S):
                talk = await answer
        except TimeoutError:
            raise LiveAvatarError(None, None, f"LiveAvatar does not answer {event_type}") from None
        finally:
            if asked in self._asked:
                self._asked.remove(asked)
        if not talk.succeeds:
            raise LiveAvatarError(None, None, f"LiveAvatar answers {talk.event_type}")

    def _receive(self, packet: Any) -> None:
        """Take a packet of LiveKit's SDK: `topic` and `data`."""
        event = channel.decode(packet.data) if packet.topic == channel.RESPONSE else None
        if event is None:
            return
        if isinstance(event, Talk):
            self._answer(event)
        if isinstance(event, Stopped):
            self.end_reason = event.reason
        self._events.put_nowait(event)

    def _answer(self, talk: Talk) -> None:
        for asked in self._asked:
            presses, answer = asked
            if presses == talk.presses:
                self._asked.remove(asked)
                if not answer.done():
                    answer.set_result(talk)
                return

    @property
    def _running(self) -> Started:
        if not self._started:
            raise RuntimeError("The session is not begun: enter it with `async with`")
        return self._started

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._keep_alive_s)
            if self.end_reason is not None:
                return
            try:
                await self._live.sessions.keep_alive(self.id)
            except LiveAvatarError as error:
                log.warning("Session %s is not kept alive: %s", self.id, error)

    async def _end(self, because: BaseException | None) -> None:
        """Stop it. Raises: LiveAvatarError when that is not confirmed and nothing else is wrong."""
        try:
            await _whole(self._stop())
        except LiveAvatarError as error:
            if because is None:
                raise
            because.add_note(str(error))

    async def _stop(self) -> None:
        failure = None
        for wait_s in WAITS_S:
            await asyncio.sleep(wait_s)
            try:
                return await self._live.sessions.stop(self.id)
            except LiveAvatarError as error:
                if error.status == 404:
                    return
                failure = error
        assert failure
        why = f"The end of session {self.id} is not confirmed, so it may still run"
        log.error("%s: %s", why, failure)
        raise LiveAvatarError(None, None, f"{why}: {failure.problem}") from failure


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """Do something to its end, also when that is cancelled; the cancellation comes after it."""
    task = asyncio.ensure_future(work)
    cancelled = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        task.exception()
        raise cancelled
    task.result()
