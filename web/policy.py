"""What browsers may do with our pages: the security headers of a page and of everything else."""

from collections.abc import Sequence
from dataclasses import dataclass

# Daily's client may only be had from its own network; the page pins it by an integrity hash.
DAILY_SCRIPT = "https://cdn.jsdelivr.net/npm/@daily-co/daily-js@0.92.2/"
# The first one shows the room; Daily's client tries the others when it cannot be reached.
DAILY_FRAMES = ("https://*.daily.co", "https://*.dailywebrtc.com", "https://*.dailywebrtc.net")
EVERYWHERE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True)
class Reach:
    """Where a page goes beyond its own server, and who may show it in a frame."""

    rooms: bool = False
    """LiveKit rooms, whose addresses are known only when they are joined."""
    daily: bool = False
    """Daily rooms, which show a page of Daily's in a frame."""
    embedders: Sequence[str] = ()
    """Origins whose pages may show this one, besides its own."""


def page_headers(reach: Reach) -> dict[str, str]:
    """The headers of a page that goes no further than `reach`."""
    return {
        **EVERYWHERE,
        "Content-Security-Policy": content_policy(reach),
        "Permissions-Policy": permissions(reach),
    }


def content_policy(reach: Reach) -> str:
    """The Content-Security-Policy of a page."""
    return "; ".join(
        (
            "default-src 'none'",
            _sources("script-src", "'self'", reach.daily and DAILY_SCRIPT),
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            _sources("connect-src", "'self'", *_connections(reach)),
            _sources("frame-src", *(DAILY_FRAMES if reach.daily else ("'none'",))),
            "base-uri 'none'",
            "form-action 'none'",
            frame_policy(reach.embedders),
        )
    )


def _connections(reach: Reach) -> list[str]:
    """Where a page sends requests: to Daily only to see whether it can be reached."""
    rooms = ["ws: wss: http: https:"] if reach.rooms else []
    return [*rooms, *DAILY_FRAMES[:1]] if reach.daily else rooms


def frame_policy(embedders: Sequence[str]) -> str:
    """Who may show an answer in a frame, as a directive of the Content-Security-Policy."""
    return _sources("frame-ancestors", "'self'", *embedders)


def permissions(reach: Reach) -> str:
    """The Permissions-Policy of a page: it listens, and does nothing else with the machine."""
    frames = "".join(f' "{frame}"' for frame in DAILY_FRAMES if reach.daily)
    denied = ("camera", "display-capture", "geolocation", "payment", "usb")
    return ", ".join([f"microphone=(self{frames})", *(f"{feature}=()" for feature in denied)])


def _sources(directive: str, *sources: str | bool) -> str:
    return " ".join([directive, *(str(source) for source in sources if source)])
