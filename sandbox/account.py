"""The account: sessions, credits and limits. Plain Python; the time is asked from a clock.

The rules are those of liveavatar-protocol 2.8 and 8: a minute of LITE costs one credit and one of
FULL two, the first is held at start; idle, zombie, maximum-duration and sandbox endings.
"""

import logging
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from liveavatar.wire import SANDBOX_AVATARS, EndReason, TokenRequest
from sandbox.errors import BadRequest, NoCredits, NotFound, TooMany
from sandbox.session import Session
from sandbox.store import Nowhere, Store

log = logging.getLogger(__name__)
Clock = Callable[[], float]
"""Seconds since the epoch."""
MINUTE_S = 60
# Speech and messages are kept of so many sessions that have ended, at 6 MB each.
KEPT_RECORDS = 100


@dataclass(frozen=True)
class Limits:
    """What the account may do; each can be set when the sandbox is started."""

    credits: int = 1000
    concurrency: int = 20
    max_duration_s: int = 600
    sandbox_s: int = 60
    idle_s: float = 300
    zombie_s: float = 200
    """A session whose WebSocket was lost ends after so long without a sign of life."""
    returns_s: float = 10
    """How long the visitor of an embed, or the user of a vendor's agent, may be away."""
    token_s: float = 3600
    """How long a token can be started with."""
    any_avatar: bool = True
    """Whether a sandbox session may have other avatars than the two of section 8."""


class Account:
    """All sessions, in order of their tokens, and the credits they cost."""

    def __init__(
        self,
        clock: Clock,
        limits: Limits | None = None,
        store: Store | None = None,
        ids: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.clock = clock
        self.limits = limits or Limits()
        self._store = store or Nowhere()
        self._ids = ids
        self.sessions: dict[str, Session] = {}
        self._recorded: deque[Session] = deque()
        self.credits = float(self.limits.credits)
        self._load()

    def _load(self) -> None:
        for document in self._store.load("credits"):
            self.credits = float(document)
        for document in self._store.load("session"):
            try:
                session = Session.model_validate_json(document)
            except ValidationError:
                log.warning("a session that an earlier version has kept cannot be read")
                continue
            self.sessions[session.id] = session
            if session.phase == "active":
                self.end(session, EndReason.SERVER_ERROR)

    def reset(self) -> None:
        """Forget every session and refill the credits."""
        for id_ in self.sessions:
            self._store.remove("session", id_)
        self.sessions.clear()
        self._recorded.clear()
        self._set_credits(self.limits.credits)

    def active(self) -> list[Session]:
        """The sessions that run."""
        return [session for session in self.sessions.values() if session.phase == "active"]

    def session(self, id_: str) -> Session:
        """A session by its id. Raises: NotFound."""
        if id_ not in self.sessions:
            raise NotFound("Session")
        return self.sessions[id_]

    def open(self, request: TokenRequest, embed_id: str | None = None) -> Session:
        """A new session that is not started, be it of an embed.

        Raises: BadRequest for an avatar it may not have.
        """
        if request.is_sandbox and str(request.avatar_id) not in SANDBOX_AVATARS:
            if not self.limits.any_avatar:
                raise BadRequest("This avatar is not available in sandbox mode")
        now = self.clock()
        session = Session(
            id=self._ids(),
            request=request,
            created_at=now,
            max_duration_s=self._duration_s(request),
            socket_secret=self._ids(),
            embed_id=embed_id,
            heard_at=now,
        )
        self.sessions[session.id] = session
        self._keep(session)
        return session

    def forget(self, session: Session) -> None:
        """A session that nobody can start any more was never there."""
        self.sessions.pop(session.id, None)
        self._store.remove("session", session.id)

    def _duration_s(self, request: TokenRequest) -> int:
        asked = request.max_session_duration or self.limits.max_duration_s
        longest = self.limits.sandbox_s if request.is_sandbox else self.limits.max_duration_s
        return min(asked, longest)

    def start(self, session: Session) -> None:
        """Begin to count: the first minute is held.

        Raises:
            BadRequest: the token was used before, or is too old.
            TooMany, NoCredits: a limit is reached.
        """
        now = self.clock()
        if session.phase != "token" or now - session.created_at > self.limits.token_s:
            raise BadRequest("Session token was used before or has expired")
        if len(self.active()) >= self.limits.concurrency:
            raise TooMany
        if self.credits < session.credits_a_minute:
            raise NoCredits
        session.started_at = session.heard_at = now
        self._charge(session)
        self._keep(session)

    def fail(self, session: Session) -> None:
        """The start failed: what was held is given back."""
        self._set_credits(self.credits + session.credits_consumed)
        session.credits_consumed = session.minutes = 0
        self.end(session, EndReason.DISPATCH_FAILED)

    def end(self, session: Session, reason: EndReason) -> bool:
        """End a session; False if it had ended before."""
        if session.phase == "historic":
            return False
        if session.phase == "active" and reason is not EndReason.DISPATCH_FAILED:
            self._charge_minutes(session)
        session.ended_at = self.clock()
        session.end_reason = reason
        self._keep(session)
        self._recorded.append(session)
        if len(self._recorded) > KEPT_RECORDS:
            self._recorded.popleft().forget_record()
        return True

    def heard(self, session: Session) -> None:
        """The client gave a sign of life."""
        session.heard_at = self.clock()

    def socket_opened(self, session: Session) -> None:
        """The client holds its WebSocket."""
        session.socket_lost_at = None
        self.heard(session)

    def socket_lost(self, session: Session) -> None:
        """The client holds its WebSocket no more."""
        session.socket_lost_at = self.clock()

    def due(self) -> list[tuple[Session, EndReason]]:
        """Charge what has come due; the sessions to be ended now, and why."""
        ends = [(session, self._reason_to_end(session)) for session in self.active()]
        return [(session, reason) for session, reason in ends if reason]

    def _reason_to_end(self, session: Session) -> EndReason | None:
        now, limits = self.clock(), self.limits
        assert session.started_at is not None, "only active sessions come due"
        age_s = now - session.started_at
        if age_s >= session.max_duration_s:
            return EndReason.MAX_DURATION_REACHED
        if now - session.heard_at >= limits.idle_s:
            return EndReason.IDLE_TIMEOUT
        lost_at = session.socket_lost_at
        if lost_at is not None and now - max(lost_at, session.heard_at) >= limits.zombie_s:
            return EndReason.ZOMBIE_SESSION_REAP
        return None if self._charge_minutes(session) else EndReason.NO_CREDITS

    def _charge_minutes(self, session: Session) -> bool:
        """Charge every minute that has begun; False when the credits do not last."""
        assert session.started_at is not None, "only active sessions cost"
        used_s = min(self.clock() - session.started_at, session.max_duration_s - 1)
        while used_s >= session.minutes * MINUTE_S:
            if not self._charge(session):
                return False
        return True

    def _charge(self, session: Session) -> bool:
        cost = session.credits_a_minute
        if self.credits < cost:
            return False
        session.minutes += 1
        session.credits_consumed += cost
        self._set_credits(self.credits - cost)
        self._keep(session)
        return True

    def _set_credits(self, left: float) -> None:
        self.credits = left
        self._store.save("credits", "left", str(left))

    def _keep(self, session: Session) -> None:
        self._store.save("session", session.id, session.model_dump_json())
