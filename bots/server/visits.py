"""Who has been promised a conversation, from /start until it is over."""

import asyncio
import contextlib
import secrets
import sys
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loguru import logger
from pipecat.utils.file_storage import FileStorage

from bots.avatar import converse
from bots.server.casting import Cast
from bots.server.refusal import MISTAKE, Refused
from bots.server.seats import BUSY, RETRY_S, Seats
from pipelines.conversation import Request
from pipelines.errors import AvatarError, Ended, PartFailed
from pipelines.meeting import Invitation
from sessions import metrics

if TYPE_CHECKING:
    from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

    from pipelines.full.page import Page

# Who has not come this long after /start is not expected any more.
ARRIVAL_TIMEOUT_S = 60.0
ROOM_TIMEOUT_S = 30.0
# What is done after the last visits may take so long before the server ends.
SETTLED_S = 3.0
Deed = Callable[[], Coroutine[Any, Any, None]]
# A visitor who comes again is given a place before the one they left is free.
MOST_HELD = 2
HELD = "You are in as many conversations as one visitor may be in: end one of them."
STOPPING = "The avatar is being updated: call again in a minute."


@dataclass(eq=False)
class Visit:
    """One visitor: who was chosen to receive them, in which room of several, and what they sent.

    Attributes:
        key: what a page shows that comes back to its conversation.
        owner: id of the pass they came with; "" for whoever came without one.
        connection: the one of a visitor who came over WebRTC.
        page: that of a visitor whose conversation LiveAvatar runs.
        afterwards: what is done once they are neither expected nor held.
    """

    cast: Cast
    owner: str = ""
    key: str = field(default_factory=secrets.token_urlsafe, repr=False)
    connection: "SmallWebRTCConnection | None" = None
    page: "Page | None" = None
    expiry: asyncio.TimerHandle | None = None
    room: str = ""
    seated: bool = False
    conversations: int = 0
    uploads: list[str] = field(default_factory=list)
    afterwards: list[Deed] = field(default_factory=list, repr=False)


class Visits:
    """The visits of one server, by their session ids, and the tasks in which they are held.

    Attributes:
        seats: the places for conversations; who is only expected takes none.
    """

    def __init__(
        self,
        storage: FileStorage | None = None,
        arrival_timeout_s: float = ARRIVAL_TIMEOUT_S,
        seats: Seats | None = None,
    ) -> None:
        self.seats = seats or Seats(sys.maxsize)
        self._storage = storage
        self._arrival_timeout_s = arrival_timeout_s
        self._visits: dict[str, Visit] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def close(self) -> None:
        """Expect nobody any more."""
        self._closed = True

    @property
    def refusal(self) -> Refused | None:
        """What somebody who came now would hear; None if they would be received."""
        if self._closed:
            return Refused(503, STOPPING, RETRY_S)
        return None if self.seats.free else Refused(503, BUSY, RETRY_S)

    def look(self, joined: str | None = None) -> None:
        """Refuse who could not be received now; who joins a session needs no place of their own.

        Raises:
            Refused: the server is being stopped, or all places are taken.
        """
        self._look_open()
        if not joined:
            self.seats.look()

    def _look_open(self) -> None:
        if self._closed:
            metrics.refused("stopping")
            raise Refused(503, STOPPING, RETRY_S)

    def expect(self, cast: Cast, room: str = "", owner: str = "") -> str:
        """Keep who was chosen until the visitor comes, for a while; gives the session's id.

        `room` is the one that all visitors are led to, if there is but one.

        Raises:
            Refused: the server is being stopped.
        """
        self._look_open()
        session_id = str(uuid.uuid4())
        loop = asyncio.get_running_loop()
        expiry = loop.call_later(self._arrival_timeout_s, self._end, session_id)
        self._visits[session_id] = Visit(cast, owner, expiry=expiry, room=room)
        return session_id

    def in_room(self, room: str) -> str | None:
        """The session that is held in a room for all; another avatar would talk with that one."""
        there = (key for key, visit in self._visits.items() if room and visit.room == room)
        return next(there, None)

    def find(self, session_id: str, owner: str = "") -> Visit:
        """A visit that is expected or held; somebody with a pass finds none of others.

        Raises:
            Refused: there is none.
        """
        visit = self._visits.get(session_id)
        if not visit or (owner and visit.owner != owner):
            over = "This conversation is over, or was never started: begin another one."
            raise Refused(404, over)
        return visit

    def has(self, session_id: str) -> bool:
        """Whether somebody is expected or held in this session."""
        return session_id in self._visits

    def keep(self, visit: Visit, upload: str) -> None:
        """Keep what a visitor sent for as long as they are expected or held."""
        visit.uploads.append(upload)
        if visit not in self._visits.values():  # it took longer to come than they stayed
            self._clear(visit)

    def afterwards(self, session_id: str, deed: Deed) -> None:
        """Do something once the visitor is neither expected nor held."""
        if visit := self._visits.get(session_id):
            visit.afterwards.append(deed)
        else:
            self._begin(deed())

    async def settle(self) -> None:
        """Wait until what comes after the visits is done, or for as long as that may take."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_S):
                while self._tasks:
                    await asyncio.wait(self._tasks)

    def receive(self, request: Request, session_id: str) -> None:
        """Begin the conversation of somebody who has come; it goes on by itself.

        Raises:
            Refused: they are not expected any more, or there is no place for them.
        """
        self._seat(session_id)
        self._seated(self._hold(request, session_id, None))

    async def open(self, request: Request, session_id: str) -> Invitation | None:
        """Begin a conversation and wait until its user can come.

        One whose user stops waiting is ended, unless it is held in a room for all.

        Raises:
            AvatarError: there is none; says why.
            Refused: there is no place for it.
        """
        self._seat(session_id)
        shared = bool(self._visits[session_id].room)
        opened: asyncio.Future[Invitation | None] = asyncio.get_running_loop().create_future()
        held = self._seated(self._hold(request, session_id, opened))
        try:
            await asyncio.wait(
                [opened, held], timeout=ROOM_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            if not shared:
                held.cancel()
            raise
        if opened.done():
            return opened.result()
        held.cancel()
        (outcome,) = await asyncio.gather(held, return_exceptions=True)
        if isinstance(outcome, AvatarError):
            raise outcome
        if isinstance(outcome, Exception):  # has been logged
            raise AvatarError(MISTAKE) from outcome
        where = request.lineup["transport"].part.value
        raise PartFailed(f"{where} gave no room within {ROOM_TIMEOUT_S:.0f} s.")

    async def _hold(
        self, request: Request, session_id: str, opened: asyncio.Future[Invitation | None] | None
    ) -> None:
        with self._present(session_id):
            await converse(request, opened)

    def _seat(self, session_id: str) -> None:
        """Give a place to who is expected no longer: they are here, and have as long as they like.

        Raises:
            Refused: they are not expected any more, the server is being stopped, or there is no
                place for them.
        """
        visit = self.find(session_id)
        self._look_open()
        others = (v for v in self._visits.values() if v is not visit and v.owner == visit.owner)
        if visit.owner and sum(other.seated for other in others) >= MOST_HELD:
            metrics.refused("visitor")
            raise Refused(429, HELD, RETRY_S)
        self.seats.take()
        visit.seated = True
        if visit.expiry:
            visit.expiry.cancel()

    @contextmanager
    def _present(self, session_id: str) -> Iterator[None]:
        visit = self._visits[session_id]
        visit.conversations += 1
        try:
            yield
        finally:
            visit.conversations -= 1
            if not visit.conversations:
                self._end(session_id)

    def _end(self, session_id: str) -> None:
        if visit := self._visits.pop(session_id, None):
            self._clear(visit)

    def _clear(self, visit: Visit) -> None:
        uploads, visit.uploads = visit.uploads, []
        if uploads and self._storage:
            self._begin(self._forget(uploads, self._storage))
        deeds, visit.afterwards = visit.afterwards, []
        for deed in deeds:
            self._begin(deed())

    async def _forget(self, uploads: list[str], storage: FileStorage) -> None:
        for upload in uploads:
            await storage.delete(upload)

    def _seated(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._begin(work)
        task.add_done_callback(lambda _: self.seats.leave())
        return task

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AvatarError):
            logger.log("INFO" if isinstance(error, Ended) else "ERROR", str(error))
        elif error:
            metrics.failed("conversation", "", "broke down")
            logger.opt(exception=error).error("A conversation broke down")
