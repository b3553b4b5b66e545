"""Embeds: made with the key, and opened by anybody who has the address (section 5)."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from starlette.routing import BaseRoute

from liveavatar.wire import Envelope, VariableName, VariableValue
from puppet import load_pack
from sandbox.bodies import NewEmbed
from sandbox.desk import Desk, desk, need_key, ws_root
from sandbox.embeds import frame, lineup, pack_name, placeholders, wish_of
from sandbox.errors import BadRequest
from sandbox.routes.answers import ERRORS, ok
from sandbox.shelves import Record
from web.files import Folder, read
from web.policy import Reach, page_headers

PREFIX = "/embed"
OWN = Folder(Path(__file__).parents[1] / "page")
# Pages of any origin may show one in a frame: that is what they are for.
PAGE_HEADERS = page_headers(Reach(rooms=True, embedders=("*",)))
FRESH = {"Cache-Control": "no-store"}

router = APIRouter(responses=ERRORS, tags=["embeds"])
TheDesk = Annotated[Desk, Depends(desk)]


class Wishes(BaseModel):
    """What fills the variables of the embed's context."""

    variables: dict[VariableName, VariableValue] = Field(default_factory=dict, max_length=50)


class Visit(BaseModel):
    """What a page sends to begin."""

    body: Wishes = Field(default_factory=Wishes)


class Admission(BaseModel):
    """The room of a visitor's session, and what lets them in."""

    session_id: str = Field(serialization_alias="sessionId")
    url: str
    token: str = Field(repr=False)
    returns_s: float = Field(serialization_alias="returnS", description="seconds to come back in")


@router.post("/v2/embeddings", dependencies=[Depends(need_key)])
async def add(body: NewEmbed, request: Request, the: TheDesk) -> Envelope[Record]:
    """A page to embed. Its address is what lets people in."""
    if body.voice_agent_id and (body.voice_id or body.context_id):
        raise BadRequest("voice_agent_id and voice_id or context_id exclude each other")
    contexts = {context["id"]: context for context in the.shelves.contexts.all()}
    the.agency.brief(wish_of(body, placeholders(contexts.get(body.context_id or ""))))
    id_ = the.shelves.embeds.add(body.model_dump(mode="json"))["id"]
    url = str(request.url_for("page_of_embed", embed_id=id_))
    script = frame(url, body.type, body.orientation)
    return ok({"embed_id": id_, "url": url, "script": script, "orientation": body.orientation})


@router.get(f"{PREFIX}/v1/{{embed_id}}", include_in_schema=False)
async def page_of_embed(embed_id: str, request: Request, the: TheDesk) -> Response:
    """The page itself."""
    the.shelves.embeds.get(embed_id)
    return OWN.page(request, "embed.html", PAGE_HEADERS)


@router.get(f"{PREFIX}/v1/{{embed_id}}/portrait", include_in_schema=False)
async def portrait(embed_id: str, request: Request, the: TheDesk) -> Response:
    """What is seen before anybody begins."""
    pack = load_pack(pack_name(the.shelves.embeds.get(embed_id)))
    return read(pack.folder / "portrait.webp").answer(request, {"Cache-Control": "no-cache"})


@router.get(f"{PREFIX}/v1/{{embed_id}}/api/lineup")
async def lineup_of_embed(embed_id: str, response: Response, the: TheDesk) -> dict[str, Any]:
    """Whom the page shows."""
    embed = the.shelves.embeds.get(embed_id)
    response.headers.update(FRESH)
    return lineup(embed, the.shelves.avatars.all())


@router.post(f"{PREFIX}/v1/{{embed_id}}/start")
async def start(
    embed_id: str, request: Request, response: Response, the: TheDesk, visit: Visit | None = None
) -> Admission:
    """A FULL session for one visitor, which ends when they leave."""
    wish = wish_of(the.shelves.embeds.get(embed_id), visit.body.variables if visit else {})
    the.agency.brief(wish)
    if not the.theatre.has_rooms:
        raise BadRequest("This sandbox has no LiveKit server, so there is no room to meet in")
    session = the.account.open(wish, embed_id)
    session.note(the.account.clock(), "start", {"embed_id": embed_id})
    try:
        data = await the.theatre.open(session, ws_root(request.url))
    finally:
        if session.phase == "token":  # refused; nobody else has its token
            the.account.forget(session)
    response.headers.update(FRESH)
    return Admission(
        session_id=session.id,
        url=data.livekit_url,
        token=data.livekit_client_token,
        returns_s=the.account.limits.returns_s,
    )


@router.get(f"{PREFIX}/page/{{name}}", include_in_schema=False)
def part_of_page(name: str, request: Request) -> Response:
    """What only these pages are made of."""
    return OWN.page(request, name, PAGE_HEADERS)


def files() -> list[BaseRoute]:
    """The routes of what every page of ours is made of."""
    return Folder().routes(PREFIX, pages=PAGE_HEADERS)
