"""Daily's REST API: rooms and meeting tokens. Its media servers are not imitated.

Room addresses end in `.invalid`, so joining one fails at once instead of reaching the vendor.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standins.server import Server, body_of

ERRORS = {400: "invalid-request-error", 401: "authentication-error", 404: "not-found"}
DOMAIN = "stand-in"


@dataclass
class DailyState:
    """Rooms by name, and the properties of each meeting token by its text."""

    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def open_room(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Create a room as a client asked for it; the room object."""
        name = wish.get("name") or f"room-{len(self.rooms) + 1}"
        self.rooms[name] = {
            "id": str(uuid.uuid4()),
            "name": name,
            "api_created": True,
            "privacy": wish.get("privacy", "public"),
            "url": f"https://{DOMAIN}.daily.invalid/{name}",
            "created_at": "2026-01-01T00:00:00.000Z",
            "config": wish.get("properties", {}),
        }
        return self.rooms[name]

    def grant(self, properties: dict[str, Any]) -> str:
        """Mint a meeting token with these properties."""
        token = f"fake-daily-token-{len(self.tokens) + 1}"
        self.tokens[token] = properties
        return token


class Daily(Server):
    """`/v1/rooms`, `/v1/meeting-tokens`, and `/v1/` as the cheapest call that checks a key."""

    def __init__(self, key: str = "fake-daily-key") -> None:
        super().__init__(
            [
                web.get("/v1", self._domain),
                web.get("/v1/", self._domain),
                web.post("/v1/rooms", self._create),
                web.get("/v1/rooms/{name}", self._read),
                web.delete("/v1/rooms/{name}", self._delete),
                web.post("/v1/meeting-tokens", self._grant),
            ]
        )
        self.key = key
        self.state = DailyState()

    @property
    def api_url(self) -> str:
        """What Daily's clients take as the API address."""
        return f"{self.url}/v1"

    def rooms_open(self) -> int:
        """How many rooms there are."""
        return len(self.state.rooms)

    def refuse(self, request: web.Request) -> web.Response | None:
        """400 without a bearer, 401 for a wrong one."""
        credential = request.headers.get("Authorization", "")
        if credential == f"Bearer {self.key}":
            return None
        if not credential.startswith("Bearer "):
            body = {"error": "authorization-header-error", "info": "missing bearer"}
            return web.json_response(body, status=400)
        return self.error(401, "invalid api key")

    def error(self, status: int, message: str) -> web.Response:
        """Daily's error body: a kind and a sentence."""
        body = {"error": ERRORS.get(status, "server-error"), "info": message}
        return web.json_response(body, status=status)

    async def _domain(self, _: web.Request) -> web.Response:
        return web.json_response({"domain_name": DOMAIN, "config": {}})

    async def _create(self, request: web.Request) -> web.Response:
        wish = await body_of(request) or {}
        if wish.get("name") in self.state.rooms:
            return self.error(400, f"a room named {wish['name']} already exists")
        return web.json_response(self.state.open_room(wish))

    async def _read(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.state.rooms:
            return self.error(404, f"room {name} not found")
        return web.json_response(self.state.rooms[name])

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if self.state.rooms.pop(name, None) is None:
            return self.error(404, f"room {name} not found")
        self.state.deleted.append(name)
        return web.json_response({"deleted": True, "name": name})

    async def _grant(self, request: web.Request) -> web.Response:
        token = self.state.grant((await body_of(request))["properties"])
        return web.json_response({"token": token})
