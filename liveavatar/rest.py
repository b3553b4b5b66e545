"""LiveAvatar's REST API, as far as it is needed (liveavatar-protocol: sections 1 and 2)."""

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10)


class LiveAvatarError(Exception):
    """LiveAvatar answered with an error.

    Attributes:
        problem: what it said, without the fix.
        status: the HTTP status.
        code: the envelope's code, None without envelope.
    """

    def __init__(self, status: int, code: int | None, message: str) -> None:
        fix = ": check LIVEAVATAR_API_KEY" if status in (401, 403) else ""
        self.problem = f"{message} ({status})"
        super().__init__(f"{self.problem}{fix}.")
        self.status = status
        self.code = code


async def check_key(http: aiohttp.ClientSession, base_url: str, key: str) -> None:
    """Ask for the list of active sessions: the cheapest call that needs the key.

    Raises:
        LiveAvatarError: the key was refused.
        aiohttp.ClientError, TimeoutError: the server cannot be reached.
    """
    url = f"{base_url.rstrip('/')}/v1/sessions"
    query = {"type": "active", "page_size": "1"}
    async with http.get(url, params=query, headers={"X-API-KEY": key}, timeout=TIMEOUT) as response:
        if not response.ok:
            raise await _error_of(response)


async def stop_session(
    http: aiohttp.ClientSession, base_url: str, key: str, session_id: str
) -> None:
    """Stop a session, be it over already or not begun yet (2.6).

    Raises:
        LiveAvatarError: it may run still.
        aiohttp.ClientError, TimeoutError: the server cannot be reached.
    """
    url = f"{base_url.rstrip('/')}/v1/sessions/stop"
    body = {"session_id": session_id, "reason": "USER_CLOSED"}
    async with http.post(url, json=body, headers={"X-API-KEY": key}, timeout=TIMEOUT) as response:
        if not response.ok and response.status != 404:
            raise await _error_of(response)


async def _error_of(response: aiohttp.ClientResponse) -> LiveAvatarError:
    try:
        body = await response.json(content_type=None)
    except ValueError:
        body = {}
    envelope = body if isinstance(body, dict) else {}
    message = str(envelope.get("message") or response.reason or "no reason given")
    return LiveAvatarError(response.status, envelope.get("code"), message)
