"""Tokens: the session's JWT, and genuine LiveKit ones (liveavatar-protocol 2.4 and 7)."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from livekit import api

from sandbox.errors import NotAuthenticated
from sandbox.session import Session, shown

ALGORITHM = "HS256"
SLACK_S = 3600
# Time to follow the link; who is in the room stays.
VIEWER_TOKEN_S = 3600
TOLD_OF_REQUEST = {"mode", "is_sandbox", "avatar_id", "interactivity_type"}
CONNECTORS = {"elevenlabs_agent_config", "openai_realtime_config", "gemini_realtime_config"}


@dataclass(frozen=True)
class LiveKit:
    """A LiveKit server and how to be let in."""

    url: str
    key: str
    secret: str = field(repr=False)

    def token(self, room: str, identity: str, lifetime_s: float) -> str:
        """A token to join a room with, to publish, to subscribe and to send data."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_publish=True,
            can_subscribe=True,
            can_publish_data=True,
        )
        return self._signed(grants, identity, lifetime_s)

    def viewer_token(self, room: str) -> str:
        """A token to look into a room and do nothing there, not even be seen."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_publish=False,
            can_subscribe=True,
            can_publish_data=False,
            hidden=True,
        )
        return self._signed(grants, f"viewer-{secrets.token_hex(4)}", VIEWER_TOKEN_S)

    def _signed(self, grants: api.VideoGrants, identity: str, lifetime_s: float) -> str:
        token = api.AccessToken(self.key, self.secret).with_identity(identity).with_name(identity)
        return token.with_grants(grants).with_ttl(timedelta(seconds=lifetime_s)).to_jwt()


class SessionTokens:
    """Signs session tokens, and reads them back."""

    def __init__(self, key: str | None = None) -> None:
        self._key = key or secrets.token_hex(32)

    def sign(self, session: Session, lifetime_s: float) -> str:
        """The token of a session, with what the browser SDK reads from it."""
        claims = {
            "sub": session.id,
            "session_id": session.id,
            "iat": int(session.created_at),
            "exp": int(session.created_at + lifetime_s),
            "start_session_data": _start_session_data(session),
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def session_id(self, token: str) -> str:
        """Whose token it is; its age is for others to judge. Raises: NotAuthenticated."""
        # The clock is injected, so the library must not compare times with the machine's.
        options: Any = {"verify_exp": False, "verify_iat": False}
        try:
            return jwt.decode(token, self._key, [ALGORITHM], options=options)["sub"]
        except (jwt.PyJWTError, ValueError) as error:
            raise NotAuthenticated from error


def room_claims(token: str) -> dict[str, Any]:
    """What a LiveKit token of another server says, unverified; {} if it is none."""
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return {}


def _start_session_data(session: Session) -> dict[str, Any]:
    request = session.request
    told = request.model_dump(mode="json", include=TOLD_OF_REQUEST | CONNECTORS, exclude_none=True)
    connector = getattr(request, "connector", None)
    persona = request.avatar_persona
    return {
        **shown(told),
        "mode": session.mode.value,
        **({"agent_type": connector} if connector else {}),
        **({"voice_id": persona.voice_id} if persona and persona.voice_id else {}),
    }
