"""The WebRTC connections of a server, by the ids that their answers give.

As Pipecat's SmallWebRTCRequestHandler, which brings FastAPI for the sake of one exception, and only
logs what the beginning of a conversation raises.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp
from loguru import logger
from pipecat.transports.smallwebrtc.connection import IceServer, SmallWebRTCConnection

from bots.server.refusal import Refused

Begin = Callable[[SmallWebRTCConnection], Awaitable[None]]


class BadOffer(Exception):
    """An offer that WebRTC's parts cannot read; they say why in a text of their own."""


@dataclass
class Offer:
    """A browser's offer; `pc_id` is the connection that it is for, if there is one already."""

    sdp: str
    type: str
    pc_id: str | None = None
    restart_pc: bool | None = None
    request_data: Any = None


class Peers:
    """The connections that offers and candidates are taken for."""

    def __init__(self, ice_servers: list[IceServer], munged_host: str = "") -> None:
        """`munged_host` is the only address that an ESP32 is told."""
        self._ice_servers = ice_servers
        self._munged_host = munged_host
        self._known: dict[str, SmallWebRTCConnection] = {}

    async def answer(self, offer: Offer, begin: Begin) -> dict[str, str]:
        """Answer an offer; a connection that is not known is a new one, with which `begin` begins.

        Raises:
            BadOffer: it cannot be read. Beside that, what `begin` raises.
        """
        connection = self._known.get(offer.pc_id or "")
        if connection:
            logger.info(f"Reusing existing connection for pc_id: {offer.pc_id}")
            again = offer.restart_pc or False
            await _read(connection.renegotiate(offer.sdp, offer.type, again))
        else:
            connection = await self._meet(offer, begin)
        answer = connection.get_answer()
        if answer is None:
            raise RuntimeError("There is no answer to this offer.")
        if self._munged_host:
            from pipecat.runner.utils import smallwebrtc_sdp_munging

            answer["sdp"] = smallwebrtc_sdp_munging(answer["sdp"], self._munged_host)
        self.know(connection)
        return answer

    async def _meet(self, offer: Offer, begin: Begin) -> SmallWebRTCConnection:
        connection = SmallWebRTCConnection(ice_servers=self._ice_servers)

        @connection.event_handler("closed")
        async def closed(left: SmallWebRTCConnection) -> None:
            # Under each id that it has had: it has another one since its page came back.
            self._known = {id: each for id, each in self._known.items() if each is not left}

        try:
            await _read(connection.initialize(offer.sdp, offer.type))
            await begin(connection)
        except BaseException:
            await connection.disconnect()
            raise
        return connection

    def know(self, connection: SmallWebRTCConnection) -> None:
        """Take offers for this connection, though it be closed."""
        self._known[connection.pc_id] = connection

    def find(self, pc_id: str) -> SmallWebRTCConnection:
        """A connection by its id.

        Raises:
            Refused: there is none.
        """
        if not (found := self._known.get(pc_id)):
            raise Refused(404, "Peer connection not found")
        return found

    async def close(self) -> None:
        """Hang up on everybody."""
        await asyncio.gather(*(connection.disconnect() for connection in self._known.values()))
        self._known.clear()


async def _read(reading: Awaitable[None]) -> None:
    try:
        await reading
    except Exception as error:  # WebRTC's parts raise anything for an offer they cannot read
        raise BadOffer(str(error)) from error


def candidate(candidate: str, sdp_mid: str, sdp_mline_index: int) -> RTCIceCandidate | None:
    """A way to be reached, as browsers write it; None for the mark that there are no more."""
    if not candidate:
        return None
    found = candidate_from_sdp(candidate)
    found.sdpMid, found.sdpMLineIndex = sdp_mid, sdp_mline_index
    return found
