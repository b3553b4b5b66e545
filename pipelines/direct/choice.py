"""Whether LiveAvatar joins the user's own LiveKit room itself, or is relayed into it.

Direct needs an address of the room that LiveAvatar can reach. As far as the address tells that it
cannot, what was only the default gives way to the relay, and what was asked for is refused.
"""

import ipaddress
from enum import IntEnum
from urllib.parse import urlsplit

from pipelines.errors import Incompatible
from pipelines.settings import Settings
from web.loopback import is_loopback

LOCAL_NAMES = (".local", ".internal", ".lan", ".home.arpa")


class Reach(IntEnum):
    """From where an address can be reached."""

    MACHINE = 0
    NETWORK = 1
    WORLD = 2


def reach(url: str) -> Reach:
    """From where the host of a URL can be reached, as far as its name tells."""
    host = urlsplit(url).hostname or ""
    if is_loopback(host):
        return Reach.MACHINE
    try:
        return Reach.WORLD if ipaddress.ip_address(host).is_global else Reach.NETWORK
    except ValueError:
        local = "." not in host or host.endswith(LOCAL_NAMES)
        return Reach.NETWORK if local else Reach.WORLD


def is_reached(settings: Settings) -> bool:
    """Whether LiveAvatar may reach the LiveKit server: it is known as widely as LiveAvatar is."""
    return reach(settings.livekit_url) >= reach(settings.liveavatar_base_url)


def is_direct(settings: Settings) -> bool:
    """Whether LiveAvatar joins the LiveKit room that users are in."""
    form = settings.liveavatar_room
    return form == "direct" or (form == "auto" and is_reached(settings))


def told(settings: Settings) -> str:
    """How LiveAvatar comes into a LiveKit room, and why.

    Raises:
        Incompatible: it is to join itself a room that it cannot reach.
    """
    if settings.liveavatar_room == "relay":
        return "relayed into the room, as you asked"
    if is_reached(settings):
        return "it joins the room itself"
    where = urlsplit(settings.livekit_url)
    server = f"LIVEKIT_URL={where.scheme}://{where.netloc.rpartition('@')[2]}"
    vendor = urlsplit(settings.liveavatar_base_url).hostname
    if settings.liveavatar_room == "direct":
        raise Incompatible(
            f"LIVEAVATAR_ROOM=direct lets LiveAvatar at {vendor} join {server}, an address that"
            f" {_who(settings)} can reach",
            "set LIVEKIT_URL to one that it reaches, as wss://name, or LIVEAVATAR_ROOM=relay",
        )
    return f"relayed into the room, for {_who(settings)} can reach {server}"


def _who(settings: Settings) -> str:
    near = reach(settings.livekit_url) is Reach.MACHINE
    return "only this machine" if near else "only this network"
