"""Settings that list several things, with commas between."""

import re
from ipaddress import ip_network
from urllib.parse import unquote

ORIGIN = re.compile(r"\*|https?://([\w.-]+|\[[0-9a-f:]+\])(:\d+)?")
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
