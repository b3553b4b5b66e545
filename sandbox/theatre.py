"""All performances of this process: opened with a session, watched, and ended with it."""

import asyncio
import contextlib
import logging
import os
import uuid
from collections import defaultdict
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import aiohttp
from livekit import api, rtc

from liveavatar.wire import AVATAR_IDENTITY, EndReason, LiteRequest, LiveKitConfig, StartData
from pipelines.joining import all_left
from pipelines.redaction import redacted
from puppet import Player, load_pack
from sandbox.account import Account
from sandbox.agency import Agency, Task
from sandbox.avatars import pack_of
from sandbox.errors import AvatarFailed, BadRequest
from sandbox.faults import AGENT, END, ROOM, Faults
from sandbox.livekit_server import http_url
from sandbox.performance import Performance
from sandbox.room import JOIN_TIMEOUT_S, Room
from sandbox.session import Session
from sandbox.tokens import LiveKit, room_claims

WATCH_S = 0.1
BROKEN_WATCH_S = 1.0
CLIENT_IDENTITY, AGENT_IDENTITY = "client", "agent"
TOKEN_SLACK_S = 3600
JOIN_ERRORS = (rtc.ConnectError, rtc.participant.PublishTrackError, TimeoutError)
log = logging.getLogger(__name__)


class Theatre:
    """Where sessions are performed. Enter it before use; leaving ends every session."""

    def __init__(
        self, account: Account, faults: Faults, livekit: LiveKit | None, agency: Agency
    ) -> None:
        """Without `livekit` there are no rooms: sessions run with their WebSocket alone, if any."""
        self._agency = agency
        self._account = account
        self._faults = faults
        self._livekit = livekit
        self._playing: dict[str, Performance] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        # Who is on the way into the room of a session.
        self._coming: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._background: set[asyncio.Task[None]] = set()
        self._crew = ThreadPoolExecutor(os.cpu_count() or 2, "puppet")

    async def __aenter__(self) -> Self:
        self._rooms = (
            api.LiveKitAPI(http_url(self._livekit.url), self._livekit.key, self._livekit.secret)
            if self._livekit
            else None
        )
        self._keep_watch(WATCH_S)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.end_all(EndReason.SERVER_ERROR)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._rooms:
            await self._rooms.aclose()
        self._crew.shutdown()

    @property
    def has_rooms(self) -> bool:
        """Whether sessions have rooms to meet in."""
        return self._livekit is not None

    @property
    def playing(self) -> int:
        """How many sessions are performed."""
        return len(self._playing)

    def performance(self, session: Session) -> Performance | None:
        """The performance of a session, None when it is not open."""
        return self._playing.get(session.id)

    async def open(self, session: Session, ws_root: str) -> StartData:
        """Start a session: the avatar is in the room, ready, before this returns.

        Raises: Refusal; the session is over then, and what it held is given back.
        """
        brief = self._agency.brief(session.request)
        self._account.start(session)
        try:
            await self._open(session)
            if brief and self._livekit and session.phase == "active":
                await self._send_agent(session, brief, self._livekit)
        except BaseException:
            self._account.fail(session)
            await self._close(session)
            raise
        if session.phase != "active":
            await self._close(session)
            raise BadRequest("The session was stopped while it started")
        return self._start_data(session, ws_root)

    def view(self, session: Session) -> tuple[str, str]:
        """Address of the session's room, and a token to look into it.

        Raises: BadRequest when there is no room that this server can let one into.
        """
        if not self.performance(session):
            raise BadRequest("The session does not run, so it has no room")
        if not self._livekit or _own_room(session) or _on_agora(session):
            raise BadRequest(
                "The session's room is not this server's: `avatar join --url` shows it"
            )
        return self._livekit.url, self._livekit.viewer_token(session.id)

    async def end(self, session: Session, reason: EndReason) -> None:
        """End a session and all it holds; as often as one likes."""
        self._account.end(session, reason)
        await self._close(session)

    async def end_all(self, reason: EndReason) -> None:
        """End every session."""
        running = self._account.active()
        await asyncio.gather(*(self.end(session, reason) for session in running))
        left = [performance.session for performance in self._playing.values()]
        await asyncio.gather(*(self._close(session) for session in left))

    async def _open(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        size = session.request.video.quality.size
        pack = load_pack(pack_of(session.request.avatar_id))
        player = await loop.run_in_executor(self._crew, Player, pack, size)
        late = self._faults.strike(ROOM, "delay")
        room = None if late else await self._join(session)
        performance = Performance(
            session=session,
            player=player,
            room=room,
            faults=self._faults,
            crew=self._crew,
            ids=lambda: str(uuid.uuid4()),
            delete_room=lambda: self._delete_soon(session),
        )
        self._playing[session.id] = performance
        running = self._running[session.id] = self._spawn(performance.run())
        running.add_done_callback(lambda task: self._over(session, task))
        if late:
            self._comes_late(session, self._enter(session, performance, late.number("by")))
        if thrown := self._faults.strike(ROOM, "throw-out"):
            self._spawn(self._throw_out(performance, thrown.number("after")))

    async def _enter(self, session: Session, performance: Performance, by_s: float) -> None:
        """Be in the room late. Raises: AvatarFailed."""
        await asyncio.sleep(by_s)
        room = await self._join(session)
        if room and self.performance(session) is performance:
            performance.enter(room)
        elif room:
            await room.leave()

    async def _throw_out(self, performance: Performance, after_s: float) -> None:
        """Remove the client from the room once it has come; who never comes is not waited for."""
        session = performance.session
        client = api.RoomParticipantIdentity(room=_room_name(session), identity=CLIENT_IDENTITY)
        # Who has left by now is out.
        with contextlib.suppress(api.TwirpError, aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(session.max_duration_s):
                room = await performance.staged()
                await room.has_come(CLIENT_IDENTITY)
                await asyncio.sleep(after_s)
                if self._rooms:
                    await self._rooms.room.remove_participant(client)

    async def _send_agent(self, session: Session, task: Task, livekit: LiveKit) -> None:
        """Have somebody in the room who holds a session's conversation, unless a fault says no."""
        if self._faults.strike(AGENT, "never-joins"):
            return
        if late := self._faults.strike(AGENT, "delay"):
            sending = self._send_late(session, task, livekit, late.number("by"))
            return self._comes_late(session, sending)
        coming = self._comes(session, self._send(session, task, livekit))
        await asyncio.wait([coming])
        if not coming.cancelled():  # as it is when the session ends meanwhile
            coming.result()

    def _comes(self, session: Session, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Bring somebody into the session's room, unless it ends before."""
        task, coming = asyncio.create_task(work), self._coming[session.id]
        coming.add(task)
        task.add_done_callback(coming.discard)
        return task

    def _comes_late(self, session: Session, work: Coroutine[Any, Any, None]) -> None:
        task = self._comes(session, work)
        task.add_done_callback(lambda task: self._over(session, task))
        task.add_done_callback(self._over_with)

    async def _turn_back(self, session: Session) -> None:
        """Let nobody come any more: who joins a room that was deleted creates it anew."""
        coming = list(self._coming[session.id])
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        self._coming.pop(session.id, None)
        if coming:
            # A server that does not answer lets nobody in, either.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(JOIN_TIMEOUT_S):
                    await all_left()

    async def _send_late(self, session: Session, task: Task, livekit: LiveKit, by_s: float) -> None:
        """Raises: AgentFailed."""
        await asyncio.sleep(by_s)
        await self._send(session, task, livekit)

    async def _send(self, session: Session, task: Task, livekit: LiveKit) -> None:
        """Raises: AgentFailed."""
        performance = self.performance(session)
        if not performance:  # it was ended meanwhile
            return

        def end(reason: EndReason) -> None:
            self._spawn(self.end(session, reason))

        lifetime_s = session.max_duration_s + TOKEN_SLACK_S
        agent = await self._agency.send(task, performance, livekit, lifetime_s, end)
        if self.performance(session) is not performance:
            await agent.gone()
        else:
            self._spawn(agent.run()).add_done_callback(lambda task: self._over(session, task))

    async def _join(self, session: Session) -> Room | None:
        own = _own_room(session)
        if _on_agora(session) or not (own or self._livekit):
            return None
        video = self._faults.strike(ROOM, "no-video") is None
        silent = self._faults.strike(ROOM, "no-voice") is not None
        settings = session.request.video
        room = Room(settings.quality.size, settings.encoding, video, silent=silent)
        try:
            await room.join(*(_invitation(own) if own else self._hosted(session)))
        except JOIN_ERRORS as error:
            await room.leave()
            raise AvatarFailed(str(error) or type(error).__name__) from error
        except BaseException:
            await room.leave()
            raise
        return room

    def _hosted(self, session: Session) -> tuple[str, str]:
        assert self._livekit is not None, "a hosted room needs a server"
        lifetime_s = session.max_duration_s + TOKEN_SLACK_S
        token = self._livekit.token(session.id, AVATAR_IDENTITY, lifetime_s)
        return self._livekit.url, token

    def _start_data(self, session: Session, ws_root: str) -> StartData:
        own = _own_room(session)
        server = self._livekit or LiveKit("ws://localhost:7880", "none", "n" * 32)
        lifetime_s = session.max_duration_s + TOKEN_SLACK_S
        room = _room_name(session)
        path = f"/v1/sessions/{session.id}/ws?token={session.socket_secret}"
        return StartData(
            session_id=session.id,
            livekit_url=own.livekit_url if own else server.url,
            livekit_client_token=server.token(room, CLIENT_IDENTITY, lifetime_s),
            livekit_agent_token=server.token(room, AGENT_IDENTITY, lifetime_s),
            max_session_duration=session.max_duration_s,
            ws_url=ws_root + path if session.has_socket else None,
        )

    def _over(self, session: Session, performance: "asyncio.Task[None]") -> None:
        """End the session of a performance, or an agent, that broke off."""
        if not performance.cancelled() and (error := performance.exception()):
            problem = redacted(f"it broke off: {error!r}")
            session.note(self._account.clock(), "failed", {"problem": problem})
            self._spawn(self.end(session, EndReason.SERVER_ERROR))

    async def _close(self, session: Session) -> None:
        await self._turn_back(session)
        performance = self._playing.pop(session.id, None)
        running = self._running.pop(session.id, None)
        if not (performance and running):
            return
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        try:
            await performance.close()
        finally:
            await self._delete_room(session)

    async def _delete_room(self, session: Session) -> None:
        """Tear down a hosted room; one of the client's own is the client's."""
        if not self._rooms or _own_room(session):
            return
        # A room that is gone already, or with its whole server, is what is wanted.
        with contextlib.suppress(api.TwirpError, aiohttp.ClientError, TimeoutError):
            await self._rooms.room.delete_room(api.DeleteRoomRequest(room=session.id))

    def _delete_soon(self, session: Session) -> None:
        self._spawn(self._delete_room(session))

    def _keep_watch(self, delay_s: float) -> None:
        """Watch from now on; a watch that breaks off is taken up again."""

        def watch_on(watch: "asyncio.Task[None]") -> None:
            if not watch.cancelled():
                self._keep_watch(BROKEN_WATCH_S)

        self._spawn(self._watch(delay_s)).add_done_callback(watch_on)

    async def _watch(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        while True:
            for session, reason in self._account.due():
                if reason is EndReason.MAX_DURATION_REACHED and self._faults.strike(END, "silent"):
                    self._freeze(session, reason)
                else:
                    self._account.end(session, reason)
                    self._spawn(self.end(session, reason))
            await asyncio.sleep(WATCH_S)

    def _freeze(self, session: Session, reason: EndReason) -> None:
        self._account.end(session, reason)
        performance = self.performance(session)
        if performance:
            performance.freeze()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._over_with)
        return task

    def _over_with(self, task: "asyncio.Task[None]") -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("Something of the sandbox broke off.", exc_info=error)


def _own_room(session: Session) -> LiveKitConfig | None:
    request = session.request
    return request.livekit_config if isinstance(request, LiteRequest) else None


def _on_agora(session: Session) -> bool:
    return isinstance(session.request, LiteRequest) and bool(session.request.agora_config)


def _room_name(session: Session) -> str:
    own = _own_room(session)
    if not own:
        return session.id
    grants = room_claims(own.livekit_client_token).get("video") or {}
    return own.livekit_room or str(grants.get("room") or session.id)


def _invitation(own: LiveKitConfig) -> tuple[str, str]:
    """Address and token of the client's own room. Raises: AvatarFailed (section 7)."""
    grants = room_claims(own.livekit_client_token).get("video") or {}
    if grants.get("canPublishData") is False:
        raise AvatarFailed("its token does not let it publish data (canPublishData)")
    return own.livekit_url, own.livekit_client_token
