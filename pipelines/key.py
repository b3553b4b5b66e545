"""Whether a vendor accepts a key, asked with a request that costs nothing."""

from collections.abc import Mapping

import aiohttp

from .errors import UserError


async def check_key(
    http: aiohttp.ClientSession, url: str, headers: Mapping[str, str], name: str
) -> None:
    """Ask for something that only the key opens; `name` is what the user calls the key.

    Raises:
        UserError: the key was refused, or nothing of that kind is there.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    async with http.get(url, headers=headers) as response:
        if response.status in (400, 401, 403):
            raise UserError(f"the key was refused ({response.status})", f"check {name}")
        if not response.ok:
            raise UserError(f"{url} answered {response.status}", "check its base URL")
