"""Settings that are checked as they are read: addresses, and lists with commas between."""

import re
from ipaddress import ip_network
from urllib.parse import unquote, urlsplit

ORIGIN = re.compile(r"\*|https?://([\w.-]+|\[[0-9a-f:]+\])(:\d+)?")
HOME = re.compile(r"[!-~]+")
# A header's value of fewer characters lets nobody in, and stands in many a text.
SHORTEST_CREDENTIAL = 8


def split_list(listed: str) -> list[str]:
    """What is listed, in small letters."""
    return [part.strip().lower() for part in listed.split(",") if part.strip()]


def check_origins(listed: str) -> str:
    """The list as it is.

    Raises:
        ValueError: something in it is no origin.
    """
    for origin in split_list(listed):
        if not ORIGIN.fullmatch(origin):
            raise ValueError("write each as https://name or http://name:port, without a path")
    return listed


def check_home(url: str) -> str:
    """The address of a server, without a slash at its end.

    Raises:
        ValueError: it is none.
    """
    if not url:
        return url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(url):
        raise ValueError("write it as https://name or https://name/folder")
    if "@" in parts.netloc or "?" in url or "#" in url or not HOME.fullmatch(url):
        raise ValueError("write it without a password, a query and blanks")
    return url.rstrip("/")


def endpoint(url: str) -> str:
    """The address of an endpoint of OpenAI's protocol, whose path is /v1 if none is given."""
    whole = url if "://" in url else f"http://{url}"
    return whole if urlsplit(whole).path.strip("/") else f"{whole.rstrip('/')}/v1"


def check_networks(listed: str) -> str:
    """The list as it is.

    Raises:
        ValueError: something in it is no address and no network.
    """
    for each in split_list(listed):
        try:
            ip_network(each)
        except ValueError:
            raise ValueError(f"{each} is no address and no network") from None
    return listed


def headers(listed: str) -> dict[str, str]:
    """Headers as OpenTelemetry has them listed: name=value, with %20 for a space."""
    pairs = (pair.partition("=") for pair in listed.split(","))
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs if value.strip()}


def credentials(listed: str) -> list[str]:
    """What may let somebody in, of such headers: the last word of each value."""
    words = (value.rpartition(" ")[2] for value in headers(listed).values())
    return [word for word in words if len(word) >= SHORTEST_CREDENTIAL]


def _has_port(url: str) -> bool:
    """Whether the port of an address is one, or left out."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False
