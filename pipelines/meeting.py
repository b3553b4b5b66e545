"""Where user and avatar meet: what a transport part builds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pipecat.frames.frames import OutputTransportMessageUrgentFrame
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.types import RunnerArguments
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import BaseTransport

from sessions.spend import Stay

from .pulse import Tell


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
        face: builds what stands for the face that the place has of its own, if it has one.
        room: opens the place and says where it is, for places that are made on demand.
        alive: whether the place still exists, for places that end without saying so.
        muted: whether the user has turned the microphone off, for places that know.
        occupied: whether a user is there when the one of this id has left, for places that hold
            several.
        reached: whether the user is reached now, for places that tell so late.
        unmet: what may keep who has knocked from coming in, for places that one knocks at.
        unread: what may keep their page from sending a word.
        tell: sends everybody a message past the pipeline, for places that others keep open.
        stay: for how long the place is there, for places that are paid for by the minute.
        look: takes in how many device pixels the page shows the picture, (width, height), for
            places where there is one page.
    """

    transport: BaseTransport
    pictures: tuple[FrameProcessor, ...] = ()
    face_visible: asyncio.Event | None = None
    face: Callable[[], FrameProcessor] | None = None
    room: Callable[[], Awaitable[Invitation]] | None = None
    alive: Callable[[], bool] | None = None
    muted: Callable[[], bool] | None = None
    occupied: Callable[[str], bool] | None = None
    reached: Callable[[], bool] | None = None
    unmet: str = ""
    unread: str = ""
    tell: Tell | None = None
    stay: Stay | None = None
    look: Callable[[int, int], Awaitable[None]] | None = None


@dataclass
class HeyGenRunnerArguments(RunnerArguments):
    """Arguments of one conversation in LiveAvatar's room, which is made for it."""


def telling(transport: BaseTransport) -> Tell:
    """How a transport of Pipecat's sends everybody a message."""

    async def tell(message: dict[str, Any]) -> None:
        output = transport.output()
        assert isinstance(output, BaseOutputTransport)
        await output.send_message(OutputTransportMessageUrgentFrame(message))

    return tell


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
