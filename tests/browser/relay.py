"""A network between browser and server that can be cut: every datagram passes through here."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

CANDIDATE = re.compile(r"(a=candidate:\S+ 1 udp \d+ )(\S+) (\d+)( typ host)", re.IGNORECASE)
OPUS = 111  # as Chromium numbers it
Address = tuple[str, int]


class Door(asyncio.DatagramProtocol):
    """One port that stands for a port of the server."""

    def __init__(self, server: Address, gets_through: Callable[[bytes], bool]) -> None:
        self._server = server
        self._gets_through = gets_through
        self._front: asyncio.DatagramTransport | None = None
        self._backs: dict[Address, Back] = {}
        self.port = 0

    async def open(self) -> None:
        """Listen, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._front, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("0.0.0.0", self.port)
        )
        self.port = self._front.get_extra_info("sockname")[1]

    def close(self) -> None:
        """Close every socket."""
        for back in self._backs.values():
            back.close()
        self._backs.clear()
        if self._front:
            self._front.close()
            self._front = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """From the browser."""
        if self._front:
            if addr not in self._backs:
                self._backs[addr] = Back(self._front, addr, self._gets_through)
            self._backs[addr].send(data, self._server)


class Back(asyncio.DatagramProtocol):
    """The way from a door to the server for one of the browser's addresses, and back."""

    def __init__(
        self,
        front: asyncio.DatagramTransport,
        browser: Address,
        gets_through: Callable[[bytes], bool],
    ) -> None:
        self._front = front
        self._browser = browser
        self._gets_through = gets_through
        self._socket: asyncio.DatagramTransport | None = None
        self._opening: asyncio.Task[Any] | None = None

    def send(self, data: bytes, server: Address) -> None:
        """To the server. What comes before the socket is open is lost, as on any network."""
        if self._socket:
            self._socket.sendto(data)
        elif not self._opening:
            loop = asyncio.get_running_loop()
            self._opening = asyncio.ensure_future(
                loop.create_datagram_endpoint(lambda: self, remote_addr=server)
            )

    def close(self) -> None:
        """Close the socket."""
        if self._opening:
            self._opening.cancel()
        if self._socket:
            self._socket.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._socket = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """From the server."""
        if not self._front.is_closing() and self._gets_through(data):
            self._front.sendto(data, self._browser)

    def error_received(self, exc: Exception) -> None:
        """The server has closed the port."""


def _is_picture(data: bytes) -> bool:
    """Whether a datagram is RTP (RFC 7983: 128 to 191; not RTCP) of anything but Opus."""
    is_rtp = 128 <= data[0] < 192 and not 192 <= data[1] < 224
    return is_rtp and data[1] & 0x7F != OPUS


class Network:
    """All ways from one page to the server: requests, and datagrams through doors."""

    def __init__(self) -> None:
        self._doors: dict[Address, Door] = {}
        self.is_cut = False
        self.shows_pictures = True
        """Whether the server's video gets through."""

    def cut(self) -> None:
        """Close every socket; requests fail."""
        self.is_cut = True
        for door in self._doors.values():
            door.close()

    async def restore(self) -> None:
        """Open the doors again; the server sees the browser come from new ports."""
        self.is_cut = False
        for door in self._doors.values():
            await door.open()

    async def move(self) -> None:
        """Be another network: requests get through, and what was open stays closed for ever."""
        self._doors.clear()
        self.is_cut = False

    async def pass_on(self, route: "Route") -> None:
        """Let a request of the page through, its connections only by our doors."""
        if self.is_cut:
            await route.abort("internetdisconnected")
        elif not route.request.url.endswith("/api/offer"):
            await route.continue_()
        elif route.request.method == "PATCH":
            # The server would find a way of its own to the browser's candidates.
            await route.fulfill(json={"status": "success"})
        else:
            await self._offer(route)

    async def _offer(self, route: "Route") -> None:
        offer = route.request.post_data_json
        assert offer
        offer["sdp"] = re.sub(r"a=candidate:.*\r\n", "", offer["sdp"])
        response = await route.fetch(post_data=offer)
        answer = await response.json() if response.ok else None
        if not answer or self.is_cut:
            return await route.abort() if self.is_cut else await route.fulfill(response=response)
        for _, host, port, _ in CANDIDATE.findall(answer["sdp"]):
            await self._door((host, int(port)))
        answer["sdp"] = CANDIDATE.sub(self._through_door, answer["sdp"])
        await route.fulfill(response=response, json=answer)

    async def _door(self, server: Address) -> None:
        if server not in self._doors:
            self._doors[server] = Door(server, self._gets_through)
            await self._doors[server].open()

    def _gets_through(self, data: bytes) -> bool:
        return self.shows_pictures or not _is_picture(data)

    def _through_door(self, found: re.Match[str]) -> str:
        before, host, port, after = found.groups()
        return f"{before}{host} {self._doors[host, int(port)].port}{after}"


@asynccontextmanager
async def network(page: "Page") -> AsyncIterator[Network]:
    """Put a network that can be cut under a page."""
    network = Network()
    await page.route("**/*", network.pass_on)
    try:
        yield network
    finally:
        network.cut()
        await page.unroute_all(behavior="ignoreErrors")
