"""WebRTC's offers and candidates, as Pipecat's SmallWebRTC clients send them."""

import secrets

from pipecat.runner.types import SmallWebRTCRunnerArguments
from pipecat.transports.smallwebrtc.connection import IceServer, SmallWebRTCConnection
from pipecat.utils.file_storage import FileStorage
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bots.server import models
from bots.server.casting import Casting
from bots.server.doors import holder
from bots.server.peers import BadOffer, Offer, Peers, candidate
from bots.server.refusal import Refused, refuse
from bots.server.seats import admit
from bots.server.visits import Visits
from pipelines.errors import UserError
from pipelines.media import packets
from pipelines.media.encoder import vp8_first
from pipelines.parts import part

NO_OFFER = "This is no WebRTC offer: send its sdp and its type."
NO_CODEC = (
    "This browser shows no video that the avatar can send: it needs VP8, or H.264 in its baseline"
    " profile. Use another browser."
)
NO_CANDIDATES = "These are no WebRTC candidates: send a pc_id and the candidates."
# What aiortc says of an offer whose video it cannot encode.
NO_VIDEO = "remote video description"
HERE = part("transport", "webrtc")


class WebRtc:
    """Answers offers, for sessions that /start has opened and for who comes without one."""

    def __init__(self, casting: Casting, visits: Visits, storage: FileStorage | None) -> None:
        packets.install()
        settings = casting.settings
        self._casting = casting
        self._visits = visits
        self._storage = storage
        self._peers = Peers(
            [IceServer(**server) for server in settings.ice_servers],
            settings.avatar_host if settings.avatar_esp32 else "",
        )

    async def offer(self, request: Request) -> Response:
        """Answer an offer; the conversation begins with the first one of a connection."""
        session_id, visitor = request.path_params.get("session_id"), holder(request)
        visit = self._visits.find(session_id, visitor.id) if session_id else None
        offer, key = await _offer(request)
        if visit and visit.connection and key:
            self._take_up(
                visit.connection,
                offer,
                known=secrets.compare_digest(key.encode(), visit.key.encode()),
            )
        if visit and not offer.request_data:
            cast = visit.cast
        else:
            try:
                cast = self._casting.cast(HERE, offer.request_data, visitor.visit)
                await models.suit(cast)
                await admit(cast)
            except UserError as error:
                return refuse(400, str(error))

        async def begin(connection: SmallWebRTCConnection) -> None:
            known = session_id or self._visits.expect(cast, owner=visitor.id)
            arguments = SmallWebRTCRunnerArguments(
                connection,
                body=offer.request_data,
                session_id=known,
                file_storage=self._storage,
            )
            self._visits.receive(cast.request(arguments), known)
            self._visits.find(known).connection = connection

        try:
            answer = await self._peers.answer(offer, begin)
        except BadOffer as error:
            raise Refused(400, NO_CODEC if NO_VIDEO in str(error) else NO_OFFER) from error
        return JSONResponse(answer)

    def _take_up(self, connection: SmallWebRTCConnection, offer: Offer, *, known: bool) -> None:
        """Let an offer take the place of a session's connection, be that one closed or not."""
        if not known:
            raise Refused(403, "This is not the page that held the conversation.")
        offer.pc_id, offer.restart_pc = connection.pc_id, True
        self._peers.know(connection)

    async def candidates(self, request: Request) -> Response:
        """Add the browser's ways to be reached, as it finds them."""
        session_id = request.path_params.get("session_id")
        if session_id:
            self._visits.find(session_id, holder(request).id)
        try:
            asked = await request.json()
            found = [candidate(**each) for each in asked.get("candidates", [])]
            peer = self._peers.find(asked["pc_id"])
            for each in found:
                await peer.add_ice_candidate(each)
        except Refused:
            raise
        except Exception as error:  # WebRTC's parts raise anything for what they cannot read
            raise Refused(400, NO_CANDIDATES) from error
        return JSONResponse({"status": "success"})

    async def close(self) -> None:
        """Hang up on everybody."""
        await self._peers.close()


async def _offer(request: Request) -> tuple[Offer, str]:
    """The offer, and the key of a page that comes back."""
    try:
        asked = await request.json()
        offer = Offer(
            sdp=vp8_first(asked["sdp"]),
            type=asked["type"],
            pc_id=asked.get("pc_id"),
            restart_pc=asked.get("restart_pc"),
            request_data=asked.get("request_data") or asked.get("requestData"),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise Refused(400, NO_OFFER) from error
    if not isinstance(offer.sdp, str) or "m=" not in offer.sdp or offer.type != "offer":
        raise Refused(400, NO_OFFER)
    return offer, str(asked.get("return_key") or "")
