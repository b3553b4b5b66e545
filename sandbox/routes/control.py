"""The control plane, apart from the imitated API: what went on, and what shall go wrong."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from liveavatar.wire import EndReason, Envelope
from sandbox.desk import Desk, desk, need_key
from sandbox.errors import Invalid
from sandbox.faults import FAULTS, BadFault, Fault
from sandbox.routes.answers import ERRORS, ok
from sandbox.session import Session
from sandbox.wav import wav_of

router = APIRouter(
    prefix="/_sandbox", responses=ERRORS, dependencies=[Depends(need_key)], tags=["control"]
)
TheDesk = Annotated[Desk, Depends(desk)]


class NewFault(BaseModel):
    """A fault as it is written on the command line: `speak:close-ws after=3`."""

    fault: str


@router.post("/reset")
async def reset(the: TheDesk) -> Envelope[None]:
    """End every session, forget everything, be well again."""
    await the.theatre.end_all(EndReason.SERVER_ERROR)
    the.account.reset()
    the.shelves.reset()
    the.faults.clear()
    return ok()


@router.get("/sessions")
async def sessions(the: TheDesk) -> Envelope[list[dict[str, Any]]]:
    """Every session with everything received and sent, but secrets and audio."""
    return ok([_shown(session) for session in the.account.sessions.values()])


@router.get("/sessions/{session_id}")
async def session(session_id: str, the: TheDesk) -> Envelope[dict[str, Any]]:
    """One session with everything received and sent."""
    return ok(_shown(the.account.session(session_id)))


@router.get("/sessions/{session_id}/voice", response_class=Response)
async def voice(session_id: str, the: TheDesk) -> Response:
    """The speech that a session received, its last two minutes, as a WAV file."""
    return Response(wav_of(the.account.session(session_id).voice), media_type="audio/wav")


@router.post("/sessions/{session_id}/view")
async def view(session_id: str, the: TheDesk) -> Envelope[dict[str, str]]:
    """What a viewer of the session's room needs: who has it sees and hears, and is not seen."""
    url, token = the.theatre.view(the.account.session(session_id))
    return ok({"url": url, "token": token})


@router.get("/faults")
async def faults(the: TheDesk) -> Envelope[dict[str, Any]]:
    """The table of faults, and those that are ordered."""
    table = [
        {
            "name": kind.name,
            "places": kind.places,
            "parameters": {**kind.parameters, "times": 0},
            "summary": kind.summary,
        }
        for kind in FAULTS.values()
    ]
    return ok({"table": table, "ordered": [_order(fault) for fault in the.faults.ordered]})


@router.post("/faults")
async def add_fault(body: NewFault, the: TheDesk) -> Envelope[dict[str, Any]]:
    """Order a fault; it holds for what happens from now on."""
    try:
        return ok(_order(the.faults.order(body.fault)))
    except BadFault as error:
        raise Invalid(f"body: fault: {error}") from error


@router.delete("/faults")
async def clear_faults(the: TheDesk) -> Envelope[None]:
    """Be well again."""
    the.faults.clear()
    return ok()


def _order(fault: Fault) -> dict[str, Any]:
    return {"fault": str(fault), "struck": fault.struck, "spent": fault.spent}


def _shown(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "mode": session.mode,
        "phase": session.phase,
        "end_reason": session.end_reason,
        "credits_consumed": session.credits_consumed,
        "log": session.log,
    }
