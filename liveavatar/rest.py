"""LiveAvatar's REST API: one way to ask, and what needs no more (liveavatar-protocol: 1 and 2)."""

import itertools
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
from yarl import URL

from liveavatar.answers import data_of, refusal, without
from liveavatar.errors import LiveAvatarError, NoAnswer
from liveavatar.records import Page, Record

TIMEOUT_S = 10.0
TIMEOUT = aiohttp.ClientTimeout(total=TIMEOUT_S)
ROOT = "https://api.liveavatar.com"
PAGE_SIZE = 100
UNSENDABLE = "LiveAvatar cannot be asked this: a key or a text has characters that cannot be sent"
T = TypeVar("T")
R = TypeVar("R", bound=Record)
Query = Mapping[str, Any]


class Rest:
    """Asks as the holder of a key; no call is made twice.

    A redirect is not followed, since the key would go with it.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        key: str,
        base_url: str = ROOT,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """An asker, for as long as `http` is open.

        Args:
            http: closed by who opened it.
            key: the account's.
            base_url: the root, without /v1.
            timeout_s: how long each call may take.
        """
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._key = key
        self.base_url = base_url.rstrip("/")

    async def ask(
        self,
        kind: type[T],
        method: str,
        path: str,
        body: Query | None = None,
        query: Query | None = None,
        token: str = "",
        hidden: str = "",
    ) -> T:
        """The data of an answer.

        Args:
            kind: what the data must be.
            method: of HTTP.
            path: from the root, made by `path_of()` where it holds an id.
            body: sent as JSON, without what is None.
            query: the same, for the address.
            token: of a session, to ask as its holder instead.
            hidden: a secret in the body, which no error may repeat.

        Raises:
            LiveAvatarError: it is refused, or not understood.
            NoAnswer: there is none.
        """
        secrets = (self._key, token, hidden)
        answer = await self._send(method, path, body, query, self._credential(token))
        try:
            return data_of(kind, *answer)
        except LiveAvatarError as error:
            raise without(error, secrets) from None

    async def tell(self, method: str, path: str, body: Query | None = None) -> None:
        """Ask for what has no data, or whose data tells nothing new. Raises: as `ask()`."""
        await self.ask(object, method, path, body)

    async def every(self, kind: type[Page[R]], path: str, query: Query | None = None) -> list[R]:
        """All there are, page by page. Raises: as `ask()`.

        A server that says that there is always another page is believed for as long as it brings
        anything new.
        """
        found: dict[str, R] = {}
        for number in itertools.count(1):
            paged = {**(query or {}), "page": number, "page_size": PAGE_SIZE}
            page = await self.ask(kind, "GET", path, query=paged)
            known = len(found)
            found.update((record.key, record) for record in page.results)
            if not page.next or len(found) == known:
                break
        return list(found.values())

    def _credential(self, token: str) -> dict[str, str]:
        if token:
            return {"Authorization": f"Bearer {token}"}
        return {"X-API-KEY": self._key} if self._key else {}

    async def _send(
        self,
        method: str,
        path: str,
        body: Query | None,
        query: Query | None,
        headers: dict[str, str],
    ) -> tuple[int, str | None, bytes]:
        try:
            async with self._http.request(
                method,
                URL(f"{self.base_url}{path}", encoded=True),
                json=None if body is None else _given(body),
                params=_given(query or {}),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return response.status, response.reason, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoAnswer(self.base_url, error) from None
        except ValueError as error:
            raise LiveAvatarError(None, None, f"{UNSENDABLE} ({type(error).__name__})") from None


def path_of(folder: str, id: str, *more: str) -> str:
    """The path of a thing by its id, whatever is in that.

    Raises:
        LiveAvatarError: it would be another path.
    """
    if id in ("", ".", ".."):
        raise LiveAvatarError(None, None, f"{id!r} is no id")
    return "/".join([folder, quote(id, safe=""), *more])


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


def _given(fields: Query) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


async def _error_of(response: aiohttp.ClientResponse) -> LiveAvatarError:
    return refusal(response.status, response.reason, await response.read())
