"""Sessions: token, start, stop, keep-alive, and what can be read of them (section 2)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from liveavatar.wire import (
    EndReason,
    Envelope,
    SessionNamed,
    StartData,
    StopRequest,
    TokenData,
    TokenRequest,
)
from sandbox.desk import Desk, desk, need_key, ws_root
from sandbox.errors import NotAuthenticated
from sandbox.routes.answers import ERRORS, Page, ok, page_of
from sandbox.session import Session
from sandbox.shelves import iso

router = APIRouter(prefix="/v1/sessions", responses=ERRORS, tags=["sessions"])
TheDesk = Annotated[Desk, Depends(desk)]
KEY = [Depends(need_key)]


@router.post("/token", dependencies=KEY)
async def token(request: TokenRequest, the: TheDesk) -> Envelope[TokenData]:
    """A session that is not started yet, and the token to start it with."""
    the.agency.brief(request)
    session = the.account.open(request)
    session.note(the.account.clock(), "token", request.model_dump(mode="json", exclude_none=True))
    signed = the.tokens.sign(session, the.account.limits.token_s)
    return ok(TokenData(session_id=session.id, session_token=signed))


@router.post("/start", status_code=201, response_model_exclude_none=True)
async def start(
    request: Request, the: TheDesk, body: SessionNamed | None = None
) -> Envelope[StartData]:
    """Start the session of the token; the avatar is in its room when this answers."""
    session = the.bearer(request)
    if session is None:
        raise NotAuthenticated
    session.note(the.account.clock(), "start", {})
    return ok(await the.theatre.open(session, ws_root(request.url)))


@router.post("/stop")
async def stop(request: Request, the: TheDesk, body: StopRequest | None = None) -> Envelope[None]:
    """End a session, as often as one likes."""
    session = the.named(request, body.session_id if body else None)
    reason = body.reason if body else EndReason.USER_CLOSED
    return await _end(the, session, reason)


@router.delete("")
async def stop_by_token(request: Request, the: TheDesk) -> Envelope[None]:
    """The older form of stop."""
    return await _end(the, the.named(request, None), EndReason.USER_CLOSED)


@router.delete("/{session_id}")
async def stop_by_id(session_id: str, request: Request, the: TheDesk) -> Envelope[None]:
    """A third form of stop."""
    return await _end(the, the.named(request, session_id), EndReason.USER_CLOSED)


async def _end(the: Desk, session: Session, reason: EndReason) -> Envelope[None]:
    session.note(the.account.clock(), "stop", {"reason": reason})
    await the.theatre.end(session, reason)
    return ok()


@router.post("/keep-alive")
async def keep_alive(
    request: Request, the: TheDesk, body: SessionNamed | None = None
) -> Envelope[None]:
    """Extend the idle window."""
    session = the.named(request, body.session_id if body else None)
    session.note(the.account.clock(), "keep-alive", {})
    the.account.heard(session)
    return ok()


@router.get("", dependencies=KEY)
async def sessions(
    request: Request,
    the: TheDesk,
    type: Literal["active", "historic"],
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    avatar_id: str | None = None,
    context_id: str | None = None,
    embed_id: str | None = None,
) -> Envelope[Page]:
    """Sessions that run, or that are over; the newest first."""
    found = [
        _item(session, the.account.clock())
        for session in reversed(the.account.sessions.values())
        if session.phase == type
        and session.started_at is not None
        and avatar_id in (None, str(session.request.avatar_id))
        and context_id in (None, _context_id(session))
        and embed_id in (None, session.embed_id)
    ]
    return ok(page_of(found, page, page_size, request.url))


@router.get("/{session_id}", dependencies=KEY)
async def session(session_id: str, the: TheDesk) -> Envelope[dict[str, Any]]:
    """One session."""
    return ok(_item(the.account.session(session_id), the.account.clock()))


@router.get("/{session_id}/transcript", dependencies=KEY)
async def transcript(
    session_id: str,
    the: TheDesk,
    start_timestamp: int | None = None,
    end_timestamp: int | None = None,
) -> Envelope[dict[str, Any]]:
    """What was said; nothing in plain LITE, whose speech has no text."""
    found = the.account.session(session_id)
    begin = start_timestamp if start_timestamp is not None else float("-inf")
    end = end_timestamp if end_timestamp is not None else float("inf")
    lines = [line for line in found.transcript if begin <= line["absolute_timestamp"] < end]
    following = max((line["absolute_timestamp"] + 1 for line in lines), default=start_timestamp)
    return ok(
        {
            "session_active": found.phase == "active",
            "next_timestamp": following,
            "transcript_data": lines,
        }
    )


@router.delete("/{session_id}/events", dependencies=KEY)
async def forget(session_id: str, the: TheDesk) -> Envelope[None]:
    """Forget what was said."""
    the.account.session(session_id).transcript.clear()
    return ok()


def _context_id(session: Session) -> str | None:
    persona = session.request.avatar_persona
    return persona.context_id if persona else None


def _item(session: Session, now: float) -> dict[str, Any]:
    changed = session.ended_at or session.started_at or session.created_at
    started = session.started_at
    item = {
        "id": session.id,
        "created_at": iso(session.created_at),
        "updated_at": iso(changed),
        "duration": int((session.ended_at or now) - started) if started is not None else 0,
        "source": "EMBED" if session.embed_id else "API",
        "mode": session.mode,
        "is_sandbox": session.request.is_sandbox,
        "credits_consumed": session.credits_consumed,
    }
    if session.ended_at is not None:
        item |= {"end_at": iso(session.ended_at), "end_reason": session.end_reason}
    return item
