"""Who takes part in the face: the one that was asked for, and what stands in for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp
from pipecat.processors.frame_processor import FrameProcessor

from pipelines.avatar import puppet
from pipelines.packs import pack, pack_name, player
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.trouble import FACE_LEAVES

from .portrait import Portrait

Build = Callable[[], FrameProcessor]


@dataclass(frozen=True)
class Cast:
    """How faces are built, anew for each time.

    Attributes:
        face: the one that was asked for.
        stand_ins: what takes its place, and what takes theirs, in order; voice alone is the last.
        rolls_over: whether a session that ends is followed by another one.
        leaving: what the user is told before one that is not.
    """

    face: Build
    stand_ins: Sequence[Build] = ()
    rolls_over: bool = True
    leaving: str = FACE_LEAVES


def cast(
    asked: str,
    face: Build,
    settings: Settings,
    persona: Persona,
    http: aiohttp.ClientSession,
    size: tuple[int, int],
) -> Cast:
    """The faces of a conversation.

    Args:
        asked: the avatar part that was asked for.
        face: builds it.
        settings: what stands in for it, by AVATAR_FALLBACK.
        persona: whose face it is.
        http: what parts are built with.
        size: (width, height) in pixels of every picture.
    """
    same_size = settings.model_copy(update={"avatar_size": size})

    def drawn() -> puppet.PuppetVideoService:
        return puppet.build(same_size, persona, http)

    def portrait() -> Portrait:
        return Portrait(pack(pack_name(settings, persona)), size)

    every: Sequence[Build] = (drawn, portrait)
    first = {"puppet": 0, "portrait": 1, "none": 2}[settings.avatar_fallback]
    # A puppet that fails would fail again.
    stand_ins = every[max(first, asked == "puppet") :]
    return Cast(face, stand_ins, settings.liveavatar_roll_over)


def warm_up(settings: Settings, persona: Persona, size: tuple[int, int]) -> None:
    """Prepare what stands in, so that it does so at once.

    Raises:
        BadSetting: the puppet's pack cannot be shown.
    """
    if settings.avatar_fallback != "none":
        player(pack(pack_name(settings, persona)), size)
