"""Who has been promised a conversation, from /start until it is over."""

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from loguru import logger
from pipecat.utils.file_storage import FileStorage

from bots.avatar import converse
from bots.server.casting import Cast
from bots.server.refusal import MISTAKE, Refused
from pipelines.conversation import Request
from pipelines.errors import AvatarError, PartFailed
from pipelines.meeting import Invitation

# Who has not come this long after /start is not expected any more.
ARRIVAL_TIMEOUT_S = 60.0
ROOM_TIMEOUT_S = 30.0


@dataclass(eq=False)
class Visit:
    """One visitor: who was chosen to receive them, in which room of several, and what they sent."""

    cast: Cast
    expiry: asyncio.TimerHandle | None = None
    room: str = ""
    conversations: int = 0
    uploads: list[str] = field(default_factory=list)


class Visits:
    """The visits of one server, by their session ids, and the tasks in which they are held."""

    def __init__(
        self, storage: FileStorage | None = None, arrival_timeout_s: float = ARRIVAL_TIMEOUT_S
    ) -> None:
        self._storage = storage
        self._arrival_timeout_s = arrival_timeout_s
        self._visits: dict[str, Visit] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, cast: Cast, room: str = "") -> str:
        """Keep who was chosen until the visitor comes, for a while; gives the session's id.

        `room` is the one that all visitors are led to, if there is but one.
        """
        session_id = str(uuid.uuid4())
        loop = asyncio.get_running_loop()
        expiry = loop.call_later(self._arrival_timeout_s, self._end, session_id)
        self._visits[session_id] = Visit(cast, expiry, room)
        return session_id

    def in_room(self, room: str) -> str | None:
        """The session that is held in a room for all; another avatar would talk with that one."""
        there = (key for key, visit in self._visits.items() if room and visit.room == room)
        return next(there, None)

    def find(self, session_id: str) -> Visit:
        """A visit that is expected or held.

        Raises:
            Refused: there is none.
        """
        try:
            return self._visits[session_id]
        except KeyError:
            over = "This conversation is over, or was never started: begin another one."
            raise Refused(404, over) from None

    def keep(self, visit: Visit, upload: str) -> None:
        """Keep what a visitor sent for as long as they are expected or held."""
        visit.uploads.append(upload)
        if visit not in self._visits.values():  # it took longer to come than they stayed
            self._clear(visit)

    def receive(self, request: Request, session_id: str) -> None:
        """Begin the conversation of somebody who has come; it goes on by itself."""
        self._stay(session_id)
        self._begin(self._hold(request, session_id, None))

    async def open(self, request: Request, session_id: str) -> Invitation | None:
        """Begin a conversation and wait until its user can come.

        Raises:
            AvatarError: there is none; says why.
        """
        opened: asyncio.Future[Invitation | None] = asyncio.get_running_loop().create_future()
        self._stay(session_id)
        held = self._begin(self._hold(request, session_id, opened))
        await asyncio.wait(
            [opened, held], timeout=ROOM_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
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

    def _stay(self, session_id: str) -> None:
        """Expect them no longer: they are here, and have as long as they like."""
        expiry = self.find(session_id).expiry
        if expiry:
            expiry.cancel()

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

    async def _forget(self, uploads: list[str], storage: FileStorage) -> None:
        for upload in uploads:
            await storage.delete(upload)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AvatarError):
            logger.error(str(error))
        elif error:
            logger.opt(exception=error).error("A conversation broke down")
