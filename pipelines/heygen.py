"""Pipecat's HeyGenClient, one that says what became of it and leaves nothing open.

Its base swallows every error, sends before LiveAvatar has said that it is connected, gives up when
its WebSocket breaks, and stops no session that it did not hear of (liveavatar-protocol: 12.2).
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from livekit import rtc
from livekit.rtc.participant import PublishDataError
from pipecat.frames.frames import AudioRawFrame
from pipecat.services.heygen.api_liveavatar import (
    LiveAvatarApiError,
    LiveAvatarNewSessionRequest,
)
from pipecat.services.heygen.client import (
    HEY_GEN_SAMPLE_RATE,
    HeyGenCallbacks,
    HeyGenClient,
    ServiceType,
)
from pipecat.transports.base_transport import TransportParams
from pipecat.utils.errors import classify_http_status_code
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import CloseCode

from sessions.ledger import NOT_KEPT, LedgerError
from sessions.spend import Stay

from . import trouble
from .joining import join
from .rest import LiteApi
from .settings import Settings

AVATAR = "heygen"
# LiveAvatar drops what comes before it has said "connected".
GREETING_S = 15.0
# A WebSocket that broke is opened anew after one of these waits, or the face is lost. After one
# that was open for less than OPEN_S, a wait less is left.
REOPEN_S = (0.05, 0.2, 0.4)
OPEN_S = 1.0
REOPEN_LIMIT_S = 2.0
# Messages that may wait to be acknowledged: more of them never are.
UNHEARD = 64
CLOSE_S = 1.0
REFUSALS = (401, 402, 403)
ENDED = ("closing", "closed", "disconnected")


def cause(status: int) -> str:
    """What LiveAvatar did that answered with an HTTP status."""
    if status == 404:
        return "knows no such avatar"
    return trouble.cause(classify_http_status_code(status))


class LiteClient(HeyGenClient):
    """A session of LiveAvatar: its WebSocket and its room.

    Attributes:
        failure: what went wrong while it was set up.
        ends_at_s: when LiveAvatar ends the session, by the event loop's clock.
        avatar_left: whether the avatar has left the room.
        avatar_lost: whether somebody has given the avatar up, though it may be in the room.
    """

    def __init__(
        self,
        settings: Settings,
        http: aiohttp.ClientSession,
        request: LiveAvatarNewSessionRequest,
        params: TransportParams,
        callbacks: HeyGenCallbacks,
        *,
        connect_as_user: bool = False,
        limit_s: float | None = None,
    ) -> None:
        """A session that is not there after `limit_s` is given up."""
        super().__init__(
            api_key=settings.liveavatar_api_key.get_secret_value(),
            session=http,
            params=params,
            session_request=request,
            service_type=ServiceType.LIVE_AVATAR,
            callbacks=callbacks,
            connect_as_user=connect_as_user,
        )
        self._lite = self._api = LiteApi(settings, http)
        self._request = request
        self._limit_s = limit_s
        self.failure: Exception | None = None
        self.ends_at_s: float | None = None
        self.avatar_left = False
        # Told what the avatar is heard to say in the room, while somebody wants to know.
        self.on_avatar_sound: Callable[[AudioRawFrame], Awaitable[None]] | None = None
        self.avatar_lost = False
        self._listening: asyncio.Task[None] | None = None
        self._greeted, self._open = asyncio.Event(), asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None
        self._reopens = self._ended = self._is_acknowledged = False
        # How many WebSockets were open for no time to speak of, one after the other.
        self._brief = 0
        # What was said on this WebSocket and is not acknowledged, since what was interrupted; how
        # many interruptions are not; and one that no WebSocket was there for.
        self._unheard: deque[str] = deque(maxlen=UNHEARD)
        self._uncleared = 0
        self._interruption = ""

    @property
    def stay(self) -> Stay:
        """For how long there is a session."""
        return self._lite.stay

    @property
    def usable(self) -> bool:
        """Whether the avatar can be spoken through."""
        online = (self._connected and self._greeted.is_set()) or self._reopens
        gone = self.avatar_left or self.avatar_lost or self._ended
        return bool(self._heyGen_session and self.in_room and not gone and online)

    @property
    def in_room(self) -> bool:
        """Whether the room is there."""
        return self._livekit_room is not None and self._livekit_room.isconnected()

    @property
    def refused(self) -> bool:
        """Whether LiveAvatar would refuse the next session as well."""
        error = self.failure
        return isinstance(error, LiveAvatarApiError) and error.status in REFUSALS

    @property
    def why(self) -> str:
        """Why there is no session, if that is known."""
        error = self.failure
        match error:
            case None:
                return ""
            case LedgerError():
                return f"no session is begun, for {NOT_KEPT}"
            case LiveAvatarApiError():
                return f"LiveAvatar {cause(error.status).partition(';')[0]} ({error.status})"
            case aiohttp.ClientError() | OSError() | TimeoutError():
                return f"LiveAvatar cannot be reached ({type(error).__name__})"
            case _:
                return f"LiveAvatar answered what makes no sense ({type(error).__name__})"

    async def tell(self, message: dict[str, Any]) -> None:
        """Send everybody in the room a message."""
        if self._livekit_room and self.in_room:
            with contextlib.suppress(PublishDataError):  # the room is about to be gone
                data = json.dumps(message)
                await self._livekit_room.local_participant.publish_data(data)

    async def greeted(self) -> None:
        """Wait until LiveAvatar says that it is connected, for as long as that may take."""
        if not self._websocket:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._greeted.wait(), GREETING_S)

    async def _initialize(self) -> None:
        """Open the session. Its tokens are not logged."""
        try:
            async with asyncio.timeout(self._limit_s):
                session = await self._lite.new_session(self._request)
        except Exception as error:
            self.failure = error
            raise
        self._heyGen_session = session
        limit_s = session.raw_response.data.max_session_duration
        self.ends_at_s = asyncio.get_running_loop().time() + limit_s

    async def _teardown(self) -> None:
        """Stop the session, which costs money, before what may take time; can run again."""
        session, self._heyGen_session = self._heyGen_session, None
        if session:
            self._stopping = asyncio.create_task(self._lite.stopped())
        try:
            await super()._teardown()
        finally:
            if self._stopping:
                await asyncio.shield(self._stopping)

    async def _livekit_connect(self) -> None:
        await join(super()._livekit_connect(), lambda: self._livekit_room)
        if self._livekit_room and not self._connect_as_user:
            self._livekit_room.on("track_subscribed", self._on_track)
            avatar = self._livekit_room.remote_participants.get(AVATAR)
            for publication in avatar.track_publications.values() if avatar else ():
                if publication.track:
                    self._on_track(publication.track, publication, avatar)

    def _on_track(self, track: rtc.Track, _publication: Any, participant: Any) -> None:
        """Hear the avatar's voice in the room."""
        if participant.identity != AVATAR or track.kind != rtc.TrackKind.KIND_AUDIO:
            return
        if self._listening:
            self._listening.cancel()
        stream = rtc.AudioStream(track, sample_rate=HEY_GEN_SAMPLE_RATE, num_channels=1)
        self._listening = asyncio.create_task(self._hear(stream))

    async def _hear(self, stream: rtc.AudioStream) -> None:
        try:
            async for heard in stream:
                if self.on_avatar_sound:
                    sound = AudioRawFrame(bytes(heard.frame.data), heard.frame.sample_rate, 1)
                    await self.on_avatar_sound(sound)
        finally:
            await stream.aclose()

    async def _livekit_disconnect(self) -> None:
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await super()._livekit_disconnect()

    async def _ws_connect(self) -> None:
        await super()._ws_connect()
        if self._websocket:
            self._open.set()

    async def _ws_disconnect(self) -> None:
        """Close the WebSocket; whether LiveAvatar closes it, too, is not waited for long."""
        if self._websocket:
            self._websocket.close_timeout = CLOSE_S
        await super()._ws_disconnect()

    async def _ws_receive_task_handler(self) -> None:
        """Read what LiveAvatar tells, over as many WebSockets as it takes."""
        try:
            while self._websocket and not self._ended:
                await self._read(self._websocket)
                await self._reopen()
        finally:
            self._connected = False

    async def _read(self, socket: ClientConnection) -> None:
        began_s = asyncio.get_running_loop().time()
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._understand(await socket.recv())
        self._open.clear()
        stayed = asyncio.get_running_loop().time() - began_s > OPEN_S
        self._brief = 0 if stayed else self._brief + 1

    async def _understand(self, message: str | bytes) -> None:
        try:
            event = json.loads(message)
        except ValueError:
            return
        if isinstance(event, dict):
            await self._handle_ws_server_event(event)

    async def _handle_ws_server_event(self, event: dict[str, Any]) -> None:
        """Take note of an event, whether of the older or the newer kind."""
        kind, state = str(event.get("type")), event.get("state")
        if kind == "session.state_updated" and state == "connected":
            self._greeted.set()
        elif kind == "session.stopped" or (kind == "session.state_updated" and state in ENDED):
            self._ended = True
        elif kind.startswith("agent.audio_buffer_"):
            self._acknowledge(cleared=kind.endswith("_cleared"))

    def _acknowledge(self, *, cleared: bool) -> None:
        """One more of what was sent has arrived, in the order in which it was sent."""
        self._is_acknowledged = True
        if cleared:
            self._uncleared = max(0, self._uncleared - 1)
        elif self._unheard and not self._uncleared:
            self._unheard.popleft()

    async def _reopen(self) -> None:
        """Open the WebSocket anew, and say again what was not heard on the last one."""
        former, self._websocket = self._websocket, None
        self._connected = False
        if self._ended or not self._heyGen_session:
            return
        self._reopens = True
        self._greeted.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REOPEN_LIMIT_S):
                await self._greet_again(self._heyGen_session.ws_url)
        self._reopens = False
        if self._greeted.is_set():
            await self._say_again(closed=former)
        else:
            await self._hang_up()
        self._open.set()

    async def _hang_up(self) -> None:
        silent, self._websocket = self._websocket, None
        if silent:
            silent.close_timeout = CLOSE_S
            await silent.close()

    async def _greet_again(self, url: str) -> None:
        """Have a WebSocket on which LiveAvatar says that it is connected."""
        for delay_s in REOPEN_S[self._brief :]:
            await asyncio.sleep(delay_s)
            with contextlib.suppress(OSError, TimeoutError, WebSocketException):
                self._websocket = await open_websocket(url, open_timeout=OPEN_S)
                while not (self._greeted.is_set() or self._ended):
                    await self._understand(await self._websocket.recv())
                return

    async def _say_again(self, closed: Any) -> None:
        assert self._websocket
        # Without a proper close, acknowledgements may be lost of what was heard.
        proper = closed.close_code not in (None, CloseCode.ABNORMAL_CLOSURE)
        unheard = list(self._unheard) if self._is_acknowledged and proper else []
        self._uncleared = 0
        self._connected = True
        with contextlib.suppress(ConnectionClosed):
            await self._interrupt_late(self._websocket)
            for message in unheard:
                await self._websocket.send(message)
            await self._interrupt_late(self._websocket)

    async def _interrupt_late(self, socket: ClientConnection) -> None:
        if self._interruption:
            await socket.send(self._interruption)
            self._interruption = ""
            self._uncleared += 1

    async def interrupt(self, event_id: str | None) -> None:
        """Let the avatar fall silent; what it was given before is not said again."""
        self._unheard.clear()
        await super().interrupt(event_id)

    async def _ws_send(self, message: dict[str, Any]) -> None:
        """Send a command; what is to be said waits for the next WebSocket when this one breaks."""
        text, kind = json.dumps(message), message["type"]
        says = kind in ("agent.speak", "agent.speak_end")
        while await self._is_open(waits=says):
            assert self._websocket
            try:
                await self._websocket.send(text)
            except ConnectionClosed:
                self._open.clear()
                continue
            if says:
                self._unheard.append(text)
            elif kind == "agent.interrupt":
                self._uncleared += 1
            return
        if kind == "agent.interrupt":
            self._interruption = text

    async def _is_open(self, *, waits: bool) -> bool:
        """Whether there is a WebSocket, if need be once it is opened anew."""
        if waits and (self._connected or self._reopens):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._open.wait(), REOPEN_LIMIT_S)
        return self._connected and self._open.is_set()
