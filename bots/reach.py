"""Where the page can be opened, and what others need to see and hear the avatar."""

from pathlib import Path
from typing import Any

from aioice.ice import get_host_addresses

from bots.server.page import can_meet
from pipelines.settings import Settings
from web.loopback import is_loopback
from web.port import EVERY_ADDRESS, url_of

CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
NO_MICROPHONE = (
    "Others open {urls}, where browsers give no microphone:"
    " put a proxy with a certificate in front."
)
NO_WAY_IN = (
    "This is a container, which alone can open that page:"
    " start with --host 0.0.0.0 and publish the port."
)
NO_TURN = (
    "Sound and picture travel by UDP, on ports of their own, which neither a container's published"
    " port nor most firewalls let through: run the container with --network host, or give a TURN"
    " server with --ice-servers."
)


def advice(settings: Settings, port: int, *, container: bool) -> list[str]:
    """What is to be said to who starts a server, beside its address; each is a sentence."""
    host = settings.avatar_host
    if is_loopback(host):
        return [NO_WAY_IN] if container else []
    urls = " or ".join(url_of(address, port) for address in _addresses(host))
    said = [NO_MICROPHONE.format(urls=urls)] if urls else []
    lacks_turn = can_meet(settings, "webrtc") and not any(map(_is_turn, settings.ice_servers))
    return [*said, NO_TURN] if lacks_turn else said


def in_container(root: Path = Path("/")) -> bool:
    """Whether this process runs in a container of Docker or Podman."""
    return any((root / mark.lstrip("/")).exists() for mark in CONTAINER_MARKS)


def _addresses(host: str) -> list[str]:
    """The addresses under which others find this machine."""
    return get_host_addresses(True, host == "::") if host in EVERY_ADDRESS else [host]


def _is_turn(server: dict[str, Any]) -> bool:
    urls = server["urls"]
    return any(url.startswith("turn") for url in ([urls] if isinstance(urls, str) else urls))
