"""Listening on a port, and how its address is written."""

import errno
import socket
from typing import Any

BACKLOG = 512
EVERY_ADDRESS = ("0.0.0.0", "::")


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that queue connections already, one for every address of a host.

    Args:
        host: an address or a name; a name may have an IPv4 and an IPv6 address.
        port: 0 for a free one, the same on every address.

    Raises:
        socket.gaierror: there is no such host.
        OSError: the port cannot be used.
    """
    listeners: list[socket.socket] = []
    absent: OSError | None = None
    for family, *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        chosen = listeners[0].getsockname()[1] if listeners else port
        try:
            listeners.append(_listener(family, (address[0], chosen, *address[2:])))
        except OSError as error:
            # A name may stand for an address that this machine does not have.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                for listener in listeners:
                    listener.close()
                raise
            absent = error
    if absent and not listeners:
        raise absent
    return listeners


def url_of(host: str, port: int) -> str:
    """The address of a server, with the brackets that an IPv6 address needs."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def own_url(host: str, port: int) -> str:
    """The address of the page on this machine, which browsers trust with the microphone."""
    return url_of("localhost" if host in EVERY_ADDRESS else host, port)


def _listener(family: int, address: tuple[Any, ...]) -> socket.socket:
    # asyncio sends small messages without delay only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
