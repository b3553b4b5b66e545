"""POST /start, as Pipecat's clients send it: who is met where, and how to get there."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from loguru import logger
from pipecat.runner.types import DailyRunnerArguments, LiveKitRunnerArguments
from pipecat.utils.file_storage import FileStorage
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bots.server import models, page
from bots.server.casting import Cast, Casting
from bots.server.client import left
from bots.server.doors import NOT_YOURS, holder
from bots.server.harness import Tickets
from bots.server.passes import Pass
from bots.server.refusal import Refused, refuse
from bots.server.rooms import daily_room, livekit_room
from bots.server.seats import admit
from bots.server.visits import Visits
from pipelines.errors import AvatarError, Incompatible, PartFailed, UserError
from pipelines.full.page import INTERACTIVITIES, FullRunnerArguments, wants_button
from pipelines.lent import Lender, LentMind
from pipelines.meeting import HeyGenRunnerArguments
from pipelines.parts import BROUGHT, HEADLESS, Part, part, values
from pipelines.race import done_before

FOLDER = re.compile(r"(/[\w.~-]+)+", re.ASCII)
# What costs money, or lets others in, is the operator's to decide.
ROOM_PROPERTIES = ("dailyRoomProperties", "dailyMeetingTokenProperties")
NOT_YOURS_TO_SET = f"A visitor may not set {' or '.join(ROOM_PROPERTIES)}: leave them out."
# To nobody: the client has closed the request, as nginx writes it down.
LEFT = 499
PUBLIC_STUN = [{"urls": ["stun:stun.l.google.com:19302"]}]


class Start:
    """Starts conversations."""

    def __init__(
        self,
        casting: Casting,
        visits: Visits,
        tickets: Tickets,
        storage: FileStorage | None,
        lender: Lender | None = None,
    ) -> None:
        """`lender` lends the mind, where there is one to be lent."""
        self._settings = casting.settings
        self._casting = casting
        self._visits = visits
        self._tickets = tickets
        self._storage = storage
        self._lender = lender
        self._starts = {
            "webrtc": self._webrtc,
            "daily": self._daily,
            "livekit": self._livekit,
            "heygen": self._heygen,
            "full": self._full,
        }

    def status(self, request: Request) -> Response:
        """Where users can be met."""
        met = [value for value in values("transport") if page.can_meet(self._settings, value)]
        return JSONResponse({"status": "ready", "transports": met})

    def ready(self, request: Request) -> Response:
        """Whether there is room for one more.

        Raises:
            Refused: there is none now.
        """
        if refusal := self._visits.refusal:
            raise refusal
        return JSONResponse({"status": "ready"})

    async def start(self, request: Request) -> Response:
        """Choose who takes part, and open the place where they meet."""
        try:
            asked = await _asked(request)
            visitor = holder(request)
            if asked.get("transport") == HEADLESS.value:
                return JSONResponse(self._ticket(request))
            meeting = self._meeting(asked)
            cast = await self._chosen(meeting, asked, visitor.visit)
            starting = self._starts[meeting.value](cast, asked, visitor.id)
            work = asyncio.create_task(starting)
            if not await done_before(left(request.receive), work):
                return Response(status_code=LEFT)
            answer = work.result()
            if sent_to := answer.get("fileUploadUrl"):
                answer["fileUploadUrl"] = _folder(request) + sent_to
            return JSONResponse(answer)
        except UserError as error:
            logger.info(f"A conversation is refused: {error}")
            return refuse(400, str(error))
        except PartFailed as error:
            return refuse(502, str(error))
        except AvatarError as error:
            return refuse(500, str(error))

    async def daily(self, request: Request) -> Response:
        """Start a conversation in a Daily room and lead the browser there."""
        try:
            cast = await self._chosen(self._meeting({"transport": "daily"}), {}, None)
            return RedirectResponse((await self._daily(cast, {}, ""))["dailyRoom"])
        except AvatarError as error:
            return refuse(400 if isinstance(error, UserError) else 502, str(error))

    async def _chosen(self, meeting: Part, asked: Mapping[str, Any], visit: Pass | None) -> Cast:
        """Who takes part, if there is room for them and for what they may cost.

        Raises:
            Refused: there is not, or the visitor asks for what is the operator's to decide.
            AvatarError: they cannot be had.
        """
        joined = self._visits.in_room(self._room_for_all(meeting.value))
        self._visits.look(joined)
        if visit and any(asked.get(name) for name in ROOM_PROPERTIES):
            raise Refused(403, NOT_YOURS_TO_SET)
        cast = self._casting.cast(meeting, asked.get("body"), visit)
        await models.suit(cast)
        if not joined:
            await admit(cast)
        return cast

    def _room_for_all(self, transport: str) -> str:
        """The one room that all users of a transport are led to; "" where each has their own."""
        rooms = {
            "daily": self._settings.daily_room_url,
            "livekit": self._settings.livekit_room_name,
        }
        return rooms.get(transport, "")

    def _meeting(self, asked: Mapping[str, Any]) -> Part:
        default = "daily" if asked.get("createDailyRoom") else self._settings.transport
        wanted = part("transport", str(asked.get("transport") or _unless_auto(default)))
        only = self._settings.transport
        if only not in ("auto", wanted.value):
            raise Incompatible(
                f"This server meets users over {only} only",
                f"ask for that, or start it with --transport {wanted.value}",
            )
        if wanted.value == "full" != only:
            raise Incompatible(
                "This server lets LiveAvatar run no conversation", "start it with --transport full"
            )
        return wanted

    def _ticket(self, request: Request) -> dict[str, Any]:
        if holder(request).visit:
            raise Refused(403, NOT_YOURS)
        # Only whoever asks is told, so a proxy's word is enough.
        proxied = request.headers.get("X-Forwarded-Proto", request.url.scheme)
        scheme = "wss" if proxied == "https" else "ws"
        home = f"{scheme}://{request.url.netloc}{_folder(request)}"
        return {"wsUrl": f"{home}/ws", "token": self._tickets.issue()}

    async def _webrtc(self, cast: Cast, asked: Mapping[str, Any], owner: str) -> dict[str, Any]:
        answer = self._session(self._visits.expect(cast, owner=owner), returns=True)
        default = PUBLIC_STUN if asked.get("enableDefaultIceServers") else None
        servers = self._settings.ice_servers or default
        return {**answer, "iceConfig": {"iceServers": servers}} if servers else answer

    async def _daily(self, cast: Cast, asked: Mapping[str, Any], owner: str) -> dict[str, Any]:
        for_all = self._room_for_all("daily")
        async with AsyncExitStack() as stack:
            room = await stack.enter_async_context(daily_room(self._settings, asked))
            session_id = self._visits.in_room(for_all)
            if not session_id:
                session_id = self._visits.expect(cast, for_all, owner)
                arguments = DailyRunnerArguments(
                    room.url,
                    room.token,
                    body=asked.get("body"),
                    session_id=session_id,
                    file_storage=self._storage,
                )
                await self._visits.open(cast.request(arguments), session_id)
            answer = self._session(session_id, returns=not for_all)
            if not for_all:
                self._visits.afterwards(session_id, stack.pop_all().aclose)
        return {"dailyRoom": room.url, "dailyToken": room.user_token, **answer}

    async def _livekit(self, cast: Cast, asked: Mapping[str, Any], owner: str) -> dict[str, Any]:
        url, for_all = self._settings.livekit_url, self._room_for_all("livekit")
        name, own_token, token = livekit_room(self._settings)
        session_id = self._visits.in_room(for_all)
        if not session_id:
            session_id = self._visits.expect(cast, for_all, owner)
            arguments = LiveKitRunnerArguments(
                name,
                url,
                own_token,
                body=asked.get("body"),
                session_id=session_id,
                file_storage=self._storage,
            )
            await self._visits.open(cast.request(arguments), session_id)
        return {"url": url, "token": token, **self._session(session_id, returns=not for_all)}

    async def _heygen(self, cast: Cast, asked: Mapping[str, Any], owner: str) -> dict[str, Any]:
        session_id = self._visits.expect(cast, owner=owner)
        arguments = HeyGenRunnerArguments(
            body=asked.get("body"), session_id=session_id, file_storage=self._storage
        )
        room = await self._visits.open(cast.request(arguments), session_id)
        assert room
        return {"url": room.url, "token": room.token, **self._session(session_id)}

    async def _full(self, cast: Cast, asked: Mapping[str, Any], owner: str) -> dict[str, Any]:
        session_id = self._visits.expect(cast, owner=owner)
        visit, mind = self._visits.find(session_id), self._mind(cast)
        arguments = FullRunnerArguments(body=asked.get("body"), session_id=session_id, mind=mind)
        visit.page = arguments.page
        room = await self._visits.open(cast.request(arguments), session_id)
        assert room
        button = wants_button(arguments.body)
        return {
            "url": room.url,
            "token": room.token,
            "sessionId": session_id,
            "relayKey": visit.key,
            "interactivity": INTERACTIVITIES[button],
        }

    def _mind(self, cast: Cast) -> LentMind | None:
        """Ours, if LiveAvatar is to ask that."""
        if not self._lender or cast.lineup["llm"].part in BROUGHT.values():
            return None
        return LentMind(self._lender, cast.persona_id, self._casting.given)

    def _session(self, session_id: str, *, returns: bool = False) -> dict[str, Any]:
        """The session's id and, where files can be sent, where to.

        A page that may come back is told for how many seconds, and with which key: none to a room
        for all, where another user would be taken for the one who dropped.
        """
        where = {"fileUploadUrl": f"/sessions/{session_id}/files"} if self._storage else {}
        limit_s = self._settings.avatar_return_s if returns else 0
        key = self._visits.find(session_id).key
        held = {"returnS": limit_s, "returnKey": key} if limit_s else {}
        return {"sessionId": session_id, **where, **held}


def _unless_auto(transport: str) -> str:
    return "webrtc" if transport == "auto" else transport


def _folder(request: Request) -> str:
    """The folder of another server in which a proxy shows this one, as "/avatar"; "" for none."""
    named = "/" + request.headers.get("X-Forwarded-Prefix", "").strip("/")
    return named if FOLDER.fullmatch(named) else ""


async def _asked(request: Request) -> dict[str, Any]:
    try:
        asked = await request.json()
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("body") or {}, dict):
        form = 'The body of /start is a JSON object such as {"transport": "webrtc"}.'
        raise Refused(400, form)
    return asked
