"""The connections of a server: known as long as they are there, under every id they have had."""

import pytest
from aiortc import RTCPeerConnection
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection

from bots.server.peers import BadOffer, Offer, Peers
from bots.server.refusal import Refused
from pipelines.errors import PartFailed
from tests.talk.app import until


async def offered(pc_id: str | None = None) -> Offer:
    """What a page sends that comes, or that comes back to a connection."""
    page = RTCPeerConnection()
    page.addTransceiver("audio")
    await page.setLocalDescription(await page.createOffer())
    offer = Offer(page.localDescription.sdp, "offer", pc_id, bool(pc_id))
    await page.close()
    return offer


async def test_who_came_back_and_has_left_is_forgotten():
    peers, begun = Peers([]), list[SmallWebRTCConnection]()

    async def begin(connection: SmallWebRTCConnection) -> None:
        begun.append(connection)

    first = (await peers.answer(await offered(), begin))["pc_id"]
    second = (await peers.answer(await offered(first), begin))["pc_id"]
    assert first != second and peers.find(first) is peers.find(second) is begun[0]
    await begun[0].disconnect()

    def forgotten(pc_id: str) -> bool:
        try:
            return not peers.find(pc_id)
        except Refused:
            return True

    assert await until(lambda: forgotten(first) and forgotten(second), 5)
    assert len(begun) == 1


async def test_what_a_beginning_raises_is_no_bad_offer():
    peers, met = Peers([]), list[SmallWebRTCConnection]()

    async def begin(connection: SmallWebRTCConnection) -> None:
        met.append(connection)
        raise PartFailed("There is no room for it.")

    with pytest.raises(PartFailed):
        await peers.answer(await offered(), begin)
    assert met[0].pc.connectionState == "closed"
    with pytest.raises(BadOffer):
        await peers.answer(Offer("v=0\r\nm=nothing", "offer"), begin)
    assert len(met) == 1
