"""The puppet's packs, as settings, personas and pages speak of them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.cache import cache_folder
from pipelines.errors import BadSetting
from pipelines.offer import OfferedFace
from pipelines.once import once
from pipelines.persona import Persona
from pipelines.settings import Settings
from puppet import Pack, PackError, describe_pack, pack_names

if TYPE_CHECKING:
    from puppet import Player


@once
def pack(name: str) -> Pack:
    """A pack, shared by all conversations; its pictures are decoded when they are needed.

    Raises:
        BadSetting: no such pack, or it is damaged.
    """
    try:
        return describe_pack(name)
    except PackError as error:
        raise _bad(name, error) from error


def player(pack: Pack, size: tuple[int, int], seed: int = 0) -> "Player":
    """What draws a pack in (width, height) pixels; the cache folder keeps what it prepares.

    Raises:
        BadSetting: the pack is damaged.
        SizeError: nothing can be drawn in this size.
    """
    from puppet import Player  # numpy and OpenCV, which who only shows a still picture leaves alone

    try:
        return Player(pack, size, seed, cache_folder() / "faces")
    except PackError as error:
        raise _bad(str(pack.folder), error) from error


def _bad(name: str, error: PackError) -> BadSetting:
    return BadSetting(f"PUPPET_PACK={name}", f"cannot be shown ({error})", "use mira or theo")


def pack_name(settings: Settings, persona: Persona) -> str:
    """The pack to show: the one set, else the persona's, else mira."""
    return settings.puppet_pack or persona.avatar.get("puppet") or "mira"


def faces(settings: Settings, personas: Iterable[Persona]) -> dict[str, OfferedFace]:
    """The packs to choose from, by name: the packaged ones and the personas', or the one set.

    Raises:
        BadSetting: one cannot be shown.
    """
    own = [pack_name(settings, persona) for persona in personas]
    sources = own if settings.puppet_pack else [*pack_names(), *own]
    return {face.id: face for face in map(_face, dict.fromkeys(sources))}


def face_id(settings: Settings, persona: Persona) -> str:
    """The name of the pack that a persona has."""
    return pack(pack_name(settings, persona)).name


def _face(source: str) -> OfferedFace:
    """A face whose picture is the pack's portrait, 640x360."""
    shown = pack(source)
    portrait = shown.folder / "portrait.webp"
    return OfferedFace(shown.name, shown.title, source, portrait if portrait.is_file() else None)
