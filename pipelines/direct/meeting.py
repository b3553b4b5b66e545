"""A LiveKit room of the user's own that LiveAvatar joins itself."""

import aiohttp
import jwt
from loguru import logger
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.types import LiveKitRunnerArguments

from pipelines.avatar.heygen import build as relayed
from pipelines.media.publisher import Publisher
from pipelines.meeting import Meeting
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.transport.livekit import meeting, params

from .avatars import Avatars, Place
from .face import DirectFace
from .room import Camera, DirectTransport


def build_direct(
    settings: Settings,
    http: aiohttp.ClientSession,
    arguments: LiveKitRunnerArguments,
    size: tuple[int, int],
    persona: Persona,
) -> Meeting:
    """The transport, whose camera is published while something stands in for the avatar."""
    url, token, room = arguments.url, arguments.token, arguments.room_name
    transport = DirectTransport(url, token, room, params(size, camera=False))
    place = Place(url, room, _identity(token))
    avatars = Avatars(settings, place, lambda: transport.room, http)
    transport.follow(avatars)
    camera = Camera(Publisher(lambda: transport.room, size), size)
    return meeting(transport, camera, Faces(settings, persona, http, avatars))


class Faces:
    """Builds one face after the other: relayed ones, if none came and that is not ruled out."""

    def __init__(
        self, settings: Settings, persona: Persona, http: aiohttp.ClientSession, avatars: Avatars
    ) -> None:
        self._parts = settings, persona, http
        self._avatars = avatars
        self._former: DirectFace | None = None
        self._relays = False

    def __call__(self) -> FrameProcessor:
        """Another face."""
        settings, *_ = self._parts
        if self._former and self._former.kept_out and settings.liveavatar_room == "auto":
            self._relays = True
            logger.warning("LiveAvatar did not come into the room itself, so it is relayed.")
        if self._relays:
            return relayed(*self._parts)
        self._former = DirectFace(*self._parts, self._avatars)
        return self._former


def _identity(token: str) -> str:
    """Who the token of a room lets in."""
    return str(jwt.decode(token, options={"verify_signature": False}).get("sub", ""))
