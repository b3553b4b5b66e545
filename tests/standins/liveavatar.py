"""LiveAvatar: the REST life of a session and a bare LITE WebSocket, enough to prove no leaks.

There is no room behind `livekit_url`, no playback and no acknowledgement of speech. Field names,
codes and statuses follow sections 1 to 3 of the wire protocol reference.
"""

import base64
import json
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.standins.server import Server, body_of

OK = 1000
ERROR_CODES = {403: 4003, 422: 4000, 400: 4000}
Phase = Literal["token", "open", "stopped"]


@dataclass
class Session:
    """One session: paid for while `phase` is "open"; `messages` came over its WebSocket."""

    wish: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    phase: Phase = "token"
    stop_reason: str | None = None
    keep_alives: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def token(self) -> str:
        """The session token: JWT-shaped, decodable, signed with nothing."""
        claims = {"sub": self.id, "start_session_data": {"mode": self.wish["mode"]}}
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
        return b".".join([*(part.rstrip(b"=") for part in encoded), b"unsigned"]).decode()

    @property
    def audio(self) -> bytes:
        """All speech received so far: s16le mono, 24 kHz."""
        speech = (said["audio"] for said in self.messages if said["type"] == "agent.speak")
        return b"".join(base64.b64decode(audio) for audio in speech)


@dataclass
class LiveAvatarState:
    """All sessions in order of their token requests."""

    sessions: list[Session] = field(default_factory=list)

    @property
    def open_sessions(self) -> list[Session]:
        """Those that cost money now."""
        return [session for session in self.sessions if session.phase == "open"]

    def by_token(self, token: str) -> Session | None:
        """The session a bearer token belongs to."""
        return next((session for session in self.sessions if session.token == token), None)

    def by_id(self, session_id: str | None) -> Session | None:
        """The session with this id."""
        return next((session for session in self.sessions if session.id == session_id), None)


class LiveAvatar(Server):
    """Session token, start, stop, keep-alive, list, and a WebSocket for each LITE session."""

    def __init__(
        self,
        key: str = "fake-liveavatar-key",
        livekit_url: str = "ws://livekit.invalid",
        max_session_duration_s: int = 600,
    ) -> None:
        super().__init__(
            [
                web.post("/v1/sessions/token", self._token),
                web.post("/v1/sessions/start", self._start),
                web.post("/v1/sessions/stop", self._stop),
                web.post("/v1/sessions/keep-alive", self._keep_alive),
                web.get("/v1/sessions", self._list),
                web.get("/v1/lite", self._lite),
            ]
        )
        self.key = key
        self.livekit_url = livekit_url
        self.max_session_duration_s = max_session_duration_s
        self.state = LiveAvatarState()
        self._lite_sockets: dict[str, web.WebSocketResponse] = {}

    @property
    def api_url(self) -> str:
        """The root with `/v1`, as Pipecat's client has it."""
        return f"{self.url}/v1"

    def refuse(self, request: web.Request) -> web.Response | None:
        """The key for token and list, the bearer for start, either for the rest."""
        if request.path == "/v1/lite":
            session = self.state.by_token(request.query.get("token", ""))
            open_now = session is not None and session.phase == "open"
            return None if open_now else self.error(401, "Unauthorized")
        by_key = request.headers.get("X-API-KEY") == self.key
        by_token = self._bearer(request) is not None
        if request.path == "/v1/sessions/start":
            return None if by_token else self.error(403, "Not authenticated")
        if request.path in ("/v1/sessions", "/v1/sessions/token"):
            by_token = False
        return None if by_key or by_token else self.error(401, "Unauthorized")

    def error(self, status: int, message: str) -> web.Response:
        """LiveAvatar's envelope with no data."""
        body = {"code": ERROR_CODES.get(status, status), "data": None, "message": message}
        return web.json_response(body, status=status)

    def _bearer(self, request: web.Request) -> Session | None:
        credential = request.headers.get("Authorization", "")
        return self.state.by_token(credential.removeprefix("Bearer "))

    async def _named(self, request: web.Request) -> Session | None:
        body = await body_of(request) or {}
        return self._bearer(request) or self.state.by_id(body.get("session_id"))

    async def _token(self, request: web.Request) -> web.Response:
        wish = await body_of(request) or {}
        for name in ("mode", "avatar_id"):
            if name not in wish:
                return self.error(422, f"Request validation errors. body: {name}: Field required")
        session = Session(wish)
        self.state.sessions.append(session)
        return _success({"session_id": session.id, "session_token": session.token})

    async def _start(self, request: web.Request) -> web.Response:
        session = self._bearer(request)
        if session is None or session.phase == "stopped":
            return self.error(400, "Session is not startable")
        session.phase = "open"
        self.notify()
        data = {
            "session_id": session.id,
            "livekit_url": self.livekit_url,
            "livekit_client_token": "fake-livekit-client-token",
            "livekit_agent_token": "fake-livekit-agent-token",
            "max_session_duration": self.max_session_duration_s,
        }
        if session.wish["mode"] == "LITE":
            data["ws_url"] = f"{self.ws_url}/v1/lite?token={session.token}"
        return _success(data, status=201)

    async def _stop(self, request: web.Request) -> web.Response:
        session = await self._named(request)
        if session is None:
            return self.error(404, "Session not found")
        body = await body_of(request) or {}
        session.phase = "stopped"
        session.stop_reason = body.get("reason", "UNKNOWN" if body else "USER_CLOSED")
        self.notify()
        if session.id in self._lite_sockets:
            await self._lite_sockets[session.id].close()
        return _success(None)

    async def _keep_alive(self, request: web.Request) -> web.Response:
        session = await self._named(request)
        if session is None:
            return self.error(404, "Session not found")
        session.keep_alives += 1
        self.notify()
        return _success(None)

    async def _list(self, request: web.Request) -> web.Response:
        wanted: Phase = "open" if request.query.get("type") == "active" else "stopped"
        results = [
            {"id": session.id, "mode": session.wish["mode"], "source": "API", "duration": 0}
            for session in self.state.sessions
            if session.phase == wanted
        ]
        page = {"count": len(results), "next": None, "previous": None, "results": results}
        return _success(page)

    async def _lite(self, request: web.Request) -> web.WebSocketResponse:
        session = self.state.by_token(request.query["token"])
        assert session is not None, "refuse() lets in only tokens of open sessions"
        async with self.accept(request) as socket:
            self._lite_sockets[session.id] = socket
            await socket.send_json({"type": "session.state_updated", "state": "connected"})
            async for frame in socket:
                session.messages.append(json.loads(frame.data))
                self.notify()
        return socket


def _success(data: Any, status: int = 200) -> web.Response:
    return web.json_response({"code": OK, "data": data, "message": "ok"}, status=status)
