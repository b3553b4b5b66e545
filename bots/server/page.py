"""What a page is told: who takes part, what can be chosen, what is kept, and its headers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bots.server.casting import narrowed
from bots.server.doors import holder
from pipelines.offer import OfferedFace, face_id, offered_faces, offered_personas, persona_asked
from pipelines.parts import Choice, Lineup, Part, missing, part
from pipelines.settings import Settings
from pipelines.size import picture_size
from web.files import Folder, read
from web.loopback import is_loopback
from web.policy import Reach, page_headers

# How long LiveAvatar's sessions without credits are.
LIVEAVATAR_SANDBOX_S = 60.0
PICTURE_S = 3600
HERE = "on this server's machine"


def describe(settings: Settings, lineup: Lineup, *, starting: bool = False) -> dict[str, Any]:
    """What the page may know; no secret and no path of this machine.

    `starting` says that nothing can begin yet: /status answers once it can.

    Raises:
        BadSetting: a persona or a face cannot be used.
    """
    personas = [_persona(settings, lineup, name) for name in offered_personas(settings, lineup)]
    faces = offered_faces(settings, lineup)
    default = faces.get(personas[0]["face"] or "")
    return {
        "transport": lineup["transport"].part.value,
        "parts": [
            {"kind": row.kind, "value": row.value, "local": row.local, "why": why}
            for choice in lineup.values()
            for row, why in _explained(choice)
        ],
        "persona": {key: personas[0][key] for key in ("id", "name")},
        "personas": personas,
        "faces": [_face(face) for face in faces.values()],
        "poster": default and _picture(default),
        "size": picture_size(settings, lineup["avatar"].part.value),
        "limits": {
            "max_duration_s": _longest_s(settings, lineup),
            "idle_s": settings.avatar_idle_s,
        },
        "kept": _kept(settings, lineup),
        **({"starting": True} if starting else {}),
    }


def _explained(choice: Choice) -> list[tuple[Part, str]]:
    """The parts of a choice, and why each is there."""
    before = choice.parts
    spares = [(row, f"if {before[at].value} fails") for at, row in enumerate(choice.spares)]
    return [(choice.part, choice.why), *spares]


def headers(settings: Settings) -> dict[str, str]:
    """The headers of our pages, which go no further than the meetings these settings allow."""
    rooms = any(can_meet(settings, value) for value in ("livekit", "heygen", "full"))
    reach = Reach(rooms, can_meet(settings, "daily"), settings.allowed_origins)
    return page_headers(reach)


def viewer_headers(settings: Settings) -> dict[str, str]:
    """The headers of the page that looks into a LiveKit room, wherever that is."""
    return page_headers(Reach(rooms=True, embedders=settings.allowed_origins))


def routes(
    settings: Settings, lineup: Lineup, starting: Callable[[], bool] = lambda: False
) -> list[BaseRoute]:
    """The page, its files, and what they are told; `starting` as in `describe()`.

    Plain functions, which run in threads: reading files holds no conversation up.
    """
    files, ours, viewers = Folder(), headers(settings), viewer_headers(settings)

    def index(request: Request) -> Response:
        return files.page(request, "pages/index.html", ours)

    def view(request: Request) -> Response:
        return files.page(request, "pages/view.html", viewers)

    def show_lineup(request: Request) -> Response:
        offered = narrowed(settings, lineup, holder(request).visit)
        told = describe(offered, lineup, starting=starting())
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    def picture(request: Request) -> Response:
        face = offered_faces(settings, lineup).get(request.path_params["name"])
        if not (face and face.picture):
            raise HTTPException(404, "There is no picture of such a face.")
        keep = {"Cache-Control": f"public, max-age={PICTURE_S}"}
        return read(face.picture).answer(request, keep)

    return [
        Route("/", index),
        Route("/view", view),
        Route("/api/lineup", show_lineup),
        Route("/api/faces/{name}", picture),
        *files.routes(pages=ours),
    ]


def _persona(settings: Settings, lineup: Lineup, name: str) -> dict[str, Any]:
    persona = persona_asked(settings, lineup, name)
    face = face_id(settings, lineup, persona)
    return {"id": name, "name": persona.name, "language": persona.language, "face": face}


def _face(face: OfferedFace) -> dict[str, Any]:
    return {"id": face.id, "name": face.name, "picture": _picture(face)}


def _picture(face: OfferedFace) -> str | None:
    """Where the picture of a face is; None without one."""
    return f"/api/faces/{quote(face.id, safe='')}" if face.picture else None


def _longest_s(settings: Settings, lineup: Lineup) -> float:
    """How long a conversation can be, in seconds: LiveAvatar's room may close before we do."""
    limits: list[float] = [settings.avatar_max_duration_s]
    if lineup["transport"].part.value in ("heygen", "full"):
        limits += [settings.liveavatar_max_duration_s or settings.avatar_max_duration_s]
        limits += [LIVEAVATAR_SANDBOX_S] if settings.liveavatar_sandbox else []
    return min(limits)


def _kept(settings: Settings, lineup: Lineup) -> dict[str, Any]:
    folder = settings.avatar_transcripts
    name = Path(folder).name.strip(".")
    keeps = folder != "none"
    where = f"{name}/ {HERE}" if name else f"a folder {HERE}"
    return {
        "transcripts": keeps,
        "where": where if keeps else "",
        "vendors": _vendors(settings, lineup),
    }


def _vendors(settings: Settings, lineup: Mapping[str, Any]) -> list[str]:
    """Who else receives what is said or shown, in talking order."""
    elsewhere = {"ollama": settings.ollama_base_url, "livekit": settings.livekit_url}
    found = []
    for chosen in (row for choice in lineup.values() for row in choice.parts):
        host = urlsplit(elsewhere.get(chosen.value, "")).hostname or "localhost"
        found += [chosen.vendor] if chosen.vendor and not chosen.local else []
        found += [] if is_loopback(host) else [host]
    return list(dict.fromkeys(found))


def can_meet(settings: Settings, transport: str) -> bool:
    """Whether users may be met there; where LiveAvatar runs the conversation, only if asked for."""
    anywhere = settings.transport == "auto" and transport != "full"
    asked, row = anywhere or settings.transport == transport, part("transport", transport)
    return asked and row.installed and not missing(row, settings)
