"""Where user and avatar meet: what a transport part builds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.types import RunnerArguments
from pipecat.transports.base_transport import BaseTransport

from liveavatar.wire import Quality

from .settings import Settings


@dataclass(frozen=True)
class Invitation:
    """What a browser needs to join a LiveKit room."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Meeting:
    """A transport, and the processors that carry the face's pictures into it.

    Attributes:
        face_visible: set when the first picture has been shown.
        brings_face: whether the place has a face of its own.
        room: opens the place and says where it is, for places that are made on demand.
        alive: whether the place still exists, for places that end without saying so.
        muted: whether the user has turned the microphone off, for places that know.
        occupied: whether a user is there besides the one of this id, for places that hold several.
    """

    transport: BaseTransport
    pictures: tuple[FrameProcessor, ...] = ()
    face_visible: asyncio.Event | None = None
    brings_face: bool = False
    room: Callable[[], Awaitable[Invitation]] | None = None
    alive: Callable[[], bool] | None = None
    muted: Callable[[], bool] | None = None
    occupied: Callable[[str], bool] | None = None


@dataclass
class HeyGenRunnerArguments(RunnerArguments):
    """Arguments of one conversation in LiveAvatar's room, which is made for it."""


def picture_size(settings: Settings, face: str) -> tuple[int, int]:
    """(width, height) in pixels of the pictures a face sends."""
    return Quality(settings.liveavatar_quality).size if face == "heygen" else settings.avatar_size


def media(size: tuple[int, int]) -> dict[str, Any]:
    """Transport parameters of a room in which the avatar has a microphone and a camera.

    The camera's size is the pictures': resizing costs more than sending them as they are.
    """
    return {
        "audio_in_enabled": True,
        "audio_out_enabled": True,
        "video_out_enabled": True,
        "video_out_width": size[0],
        "video_out_height": size[1],
        "video_out_framerate": 25,
    }
