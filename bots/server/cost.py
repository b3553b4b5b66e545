"""How many conversations this machine carries: what one costs it, measured once and kept."""

import functools
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from loguru import logger

from pipelines.cache import cache_folder
from pipelines.installation import version
from pipelines.offer import persona_asked
from pipelines.parts import Lineup, load
from pipelines.settings import Settings
from pipelines.size import picture_size
from puppet.draft import drafted

from .cores import cores

SETTING = "AVATAR_MAX_CONVERSATIONS"
# How much of the time a kind of part works: the user speaks for half of it, and the avatar for the
# other half; a face is seen all the time.
SHARES = {"stt": 0.5, "tts": 0.5, "avatar": 1.0}
# Cores for what every conversation takes wherever its parts run: pipeline and transport. It is what
# `benchmarks.conversation` finds beside the work that is measured here.
BASE = 0.09
# Another one whenever a conversation costs something else than what was measured before.
REVISION = 3
# How much of the cores is planned for; a quarter is left for moments in which all need more.
FULL = 0.75


@dataclass(frozen=True)
class Cost:
    """How many cores a conversation keeps busy, and the day on which that was measured."""

    cores: float
    measured: str


@dataclass(frozen=True)
class Room:
    """How many conversations are held at a time, and why, in words."""

    most: int
    why: str

    def __str__(self) -> str:
        return f"{self.most} conversation{'s' * (self.most != 1)} at a time: {self.why}"


@dataclass(frozen=True)
class Work:
    """What is done for `share` of a conversation; `run` does so many seconds of it."""

    share: float
    run: Callable[[], float]


def room(settings: Settings, lineup: Lineup, rehearse: Callable[[], object] = lambda: None) -> Room:
    """For how many there is room; what one costs is measured once, with models that are loaded.

    Before that, `rehearse` has them do what takes longer for the first time.
    """
    if found := told(settings, lineup):
        return found
    rehearse()
    cost = Cost(measured(works(settings, lineup)), date.today().isoformat())
    keep(_file(), _key(settings, lineup), cost)
    return carried(cost, cores())


def told(settings: Settings, lineup: Lineup) -> Room | None:
    """For how many there is room, if that is set or was measured before."""
    if settings.avatar_max_conversations:
        return Room(settings.avatar_max_conversations, f"{SETTING} says so")
    found = kept(_file(), _key(settings, lineup))
    return found and carried(found, cores())


def carried(cost: Cost, cores: float) -> Room:
    """How many so many cores carry, at least one."""
    on = "1 core" if cores == 1 else f"{cores:.3g} cores"
    takes = f"one takes {cost.cores:.2f} of {on}, a quarter of which is kept free"
    why = f"{takes}, measured {cost.measured}; {SETTING} changes it"
    return Room(max(1, int(FULL * cores / cost.cores + 1e-9)), why)


def measured(works: Iterator[Work], clock_s: Callable[[], float] = time.process_time) -> float:
    """The cores that all of it keeps busy; the clock is of this process's time on all cores."""
    cores = BASE
    for work in works:
        began_s = clock_s()
        lasts_s = work.run()
        cores += work.share * (clock_s() - began_s) / lasts_s
    return cores


def works(settings: Settings, lineup: Lineup) -> Iterator[Work]:
    """What is done on this machine; of several parts of a kind, the first that works here."""
    persona = persona_asked(settings, lineup)
    for kind, share in SHARES.items():
        modules = [load(row) for row in lineup[kind].parts]
        if here := [module for module in modules if hasattr(module, "exercise")]:
            yield Work(share, functools.partial(here[0].exercise, settings, persona))
    face, place = lineup["avatar"].part.value, lineup["transport"].part.value
    if face != "none" and place not in ("heygen", "full"):  # whose pictures are not sent from here
        # Of a face whose pictures come from elsewhere, and in a room, each one is another.
        repeats = face == "puppet" and place == "webrtc"
        yield _encoding(picture_size(settings, face), repeats=repeats)


def _encoding(size: tuple[int, int], *, repeats: bool) -> Work:
    # Not at the top: both import what not every line-up needs.
    from pipelines.avatar import puppet
    from pipelines.media import encoder

    pictures = puppet.performance("mira", size)
    if not repeats:
        pictures = [bytes(memoryview(picture)) for picture in pictures]
    return Work(1.0, functools.partial(encoder.exercise, pictures, size))


def kept(file: Path, key: str) -> Cost | None:
    """What was measured before; None if nothing is known of it."""
    match _all(file).get(key):
        case {"cores": float(cores), "measured": str(day)} if cores > 0:
            return Cost(cores, day)
    return None


def keep(file: Path, key: str, cost: Cost) -> None:
    """Keep what was measured; where that cannot be, it is measured again next time."""
    every = json.dumps({**_all(file), key: asdict(cost)}, indent=2)
    try:
        with drafted(file) as draft:
            draft.write_text(every, encoding="utf-8")
    except OSError as error:
        logger.warning(f"What a conversation costs cannot be kept in {file}: {error.strerror}")


def _all(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _file() -> Path:
    return cache_folder() / "conversations.json"


def _key(settings: Settings, lineup: Lineup) -> str:
    """What the cost depends on."""
    parts = [row.value for choice in lineup.values() for row in choice.parts]
    size = picture_size(settings, lineup["avatar"].part.value)
    models = [settings.whisper_model, settings.piper_voice]
    machine = [version(), REVISION, processor(), cores()]
    return json.dumps([parts, size, models, machine])


def processor(about: Path = Path("/proc/cpuinfo")) -> str:
    """The model of this machine's processor, as far as it is told."""
    try:
        lines = about.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
