"""The front desk: everything a REST request or a WebSocket may need, in one place."""

from dataclasses import dataclass, field

from fastapi import Request, WebSocket
from starlette.datastructures import URL

from sandbox.account import Account
from sandbox.agency import Agency
from sandbox.errors import Invalid, NotAuthenticated, NotFound, Unauthorized
from sandbox.faults import Faults
from sandbox.session import Session
from sandbox.shelves import Shelves
from sandbox.theatre import Theatre
from sandbox.tokens import SessionTokens


@dataclass(frozen=True)
class Desk:
    """One sandbox, as its routes see it."""

    key: str = field(repr=False)
    account: Account
    shelves: Shelves
    faults: Faults
    theatre: Theatre
    agency: Agency
    tokens: SessionTokens

    def has_key(self, request: Request) -> bool:
        """Whether the request brings the API key."""
        return request.headers.get("X-API-KEY") == self.key

    def bearer(self, request: Request) -> Session | None:
        """The session whose token the request brings, None without one.

        Raises: NotAuthenticated when it is wrong.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        session_id = self.tokens.session_id(token.strip())
        try:
            return self.account.session(session_id)
        except NotFound:
            raise NotAuthenticated from None

    def named(self, request: Request, session_id: str | None) -> Session:
        """The session of a request that brings its token, or the key and an id.

        Raises: Unauthorized, NotAuthenticated, Invalid, NotFound.
        """
        if self.has_key(request) and session_id:
            return self.account.session(session_id)
        session = self.bearer(request)
        if session:
            return session
        if not self.has_key(request):
            raise Unauthorized
        raise Invalid("body: session_id: Field required")


async def desk(request: Request) -> Desk:
    """The desk of the application a request came to."""
    return request.app.state.desk


def desk_of(socket: WebSocket) -> Desk:
    """The desk of the application a WebSocket came to."""
    return socket.app.state.desk


async def need_key(request: Request) -> None:
    """Let in only who has the API key. Raises: Unauthorized."""
    if not (await desk(request)).has_key(request):
        raise Unauthorized


def ws_root(url: URL) -> str:
    """The server's root for WebSockets, as the client reached it."""
    return f"{'wss' if url.scheme == 'https' else 'ws'}://{url.netloc}"
