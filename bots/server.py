"""The server: Pipecat's runner with our page, our /start and an orderly end."""

import argparse
import asyncio
import gc
import signal
import sys
import time
import uuid
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from loguru import logger
from pipecat.runner import run as runner
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

import bots.avatar
from bots import log, page
from bots.origins import Guard, Origins
from bots.running import RUNNING
from pipelines.errors import AvatarError, PartFailed, UserError
from pipelines.meeting import HeyGenRunnerArguments, Invitation
from pipelines.offer import offered_faces, offered_personas, persona_asked
from pipelines.parts import Lineup, Part, load, part
from pipelines.settings import Settings, environment_names
from web.files import Folder, read

ROOM_TIMEOUT_S = 30.0
PICTURE_S = 3600
RUNNERS_OFFER = "/sessions/{session_id}/{path:path}"
REFUSED_OFFERS = {
    400: "This is no WebRTC offer: send its sdp and its type.",
    404: "This conversation is over, or was never started: begin another one.",
}
Say = Callable[..., None]


def warm_up(settings: Settings, lineup: Lineup, say: Say) -> None:
    """Import the chosen parts and load their models, so that the first conversation starts at once.

    Raises:
        UserError: a part cannot be loaded, or the persona cannot be used.
    """
    personas = [persona_asked(settings, name) for name in offered_personas(settings)]
    for choice in lineup.values():
        started_s = time.monotonic()
        module = load(choice.part)
        if hasattr(module, "warm_up"):
            say(f"loading {choice.part.value} …")
            for persona in personas:
                module.warm_up(settings, persona)
            logger.debug(f"{choice.part.value} loaded in {time.monotonic() - started_s:.2f} s")
    # What is loaded stays. Frozen, it makes the collection after each conversation ten times
    # shorter: 11 ms in which other conversations are not heard, not 100.
    gc.collect()
    gc.freeze()


def install(
    settings: Settings, lineup: Lineup, given: Mapping[str, str], say: Say, started_s: float
) -> None:
    """Put our page, our /start and our start and end in front of the runner's routes."""
    app = runner.app
    app.router.lifespan_context = _lifespan(settings, say, started_s)
    _install_page(app, settings, lineup)

    @app.post("/start")
    async def start(request: Request) -> Any:
        return await _start(request, settings, given)

    @app.api_route("/sessions/{session_id}/api/offer", methods=["POST", "PATCH"])
    async def offer(session_id: str, request: Request, tasks: BackgroundTasks) -> Any:
        answer = await _runners(RUNNERS_OFFER)(session_id, "api/offer", request, tasks)
        refused = isinstance(answer, Response) and answer.status_code
        return _refuse(refused, REFUSED_OFFERS[refused]) if refused in REFUSED_OFFERS else answer

    # The runner looks for the bot in the script that was started, which may be a console script.
    sys.modules["__main__"].__dict__.setdefault("bot", bots.avatar.bot)


def _install_page(app: FastAPI, settings: Settings, lineup: Lineup) -> None:
    """The page, its files, and what they are told.

    Plain functions, which run in threads: reading files holds no conversation up.
    """
    files, headers = Folder(), page.headers(settings)
    app.add_exception_handler(AvatarError, _fail)
    app.add_exception_handler(Exception, _break)
    app.router.routes.extend(files.routes(pages=headers))

    @app.get("/", include_in_schema=False)
    def index(request: Request) -> Response:
        return files.page(request, "pages/index.html", headers)

    @app.get("/view", include_in_schema=False)
    def view(request: Request) -> Response:
        return files.page(request, "pages/view.html", page.viewer_headers(settings))

    @app.get("/api/lineup")
    def show_lineup() -> Response:
        told = page.describe(settings, lineup)
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    @app.get("/api/faces/{name}", include_in_schema=False)
    def picture(name: str, request: Request) -> Response:
        face = offered_faces(settings, lineup).get(name)
        if not (face and face.picture):
            return _refuse(404, "There is no picture of such a face.")
        keep = {"Cache-Control": f"public, max-age={PICTURE_S}"}
        return read(face.picture).answer(request, keep)


def run(parser: Any) -> None:
    """Run until stopped."""
    runner.main(parser)


async def _start(request: Request, settings: Settings, given: Mapping[str, str]) -> Any:
    """Check the request in our words, then let the runner start the conversation."""
    try:
        asked = await request.json()
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("body") or {}, dict):
        return _refuse(400, 'The body of /start is a JSON object such as {"transport": "webrtc"}.')
    try:
        meeting = part("transport", str(asked.get("transport") or _default(settings)))
        lineup, body = bots.avatar.lineup_for(settings, meeting), asked.get("body") or {}
        bots.avatar.persona_for(settings, lineup, body, given)
        if meeting.value == "heygen":
            return await _start_heygen(body, settings, given)
        return await _runners_start(request, settings, meeting)
    except UserError as error:
        return _refuse(400, str(error))
    except AvatarError as error:
        return _refuse(502, str(error))


def _default(settings: Settings) -> str:
    return "webrtc" if settings.transport == "auto" else settings.transport


def _refuse(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


async def _fail(_request: Request, error: Exception) -> Response:
    return _refuse(500, str(error))


async def _break(_request: Request, _error: Exception) -> Response:
    return _refuse(500, "The server made a mistake. What it was is in the server's log.")


def _runners(path: str) -> Callable[..., Any]:
    """What the runner does on a path; its routes come after ours."""
    routes = [route for route in runner.app.routes if getattr(route, "path", "") == path]
    return routes[-1].endpoint  # type: ignore[attr-defined]


async def _runners_start(request: Request, settings: Settings, meeting: Part) -> Any:
    """The runner's own /start, which raises bare exceptions."""
    try:
        return await _runners("/start")(request)
    except HTTPException:
        raise
    except Exception as error:
        why = log.Redaction(settings).clean(str(error) or type(error).__name__)
        keys = ", ".join(environment_names(field)[0] for field in meeting.needs)
        raise PartFailed(f"No room at {meeting.value}: {why}. Check {keys}.") from error


async def _start_heygen(
    body: dict[str, Any], settings: Settings, given: Mapping[str, str]
) -> dict[str, str]:
    """Open a LiveAvatar session; answers with what the browser needs to join its room."""
    session_id = str(uuid.uuid4())
    room: asyncio.Future[Invitation] = asyncio.get_running_loop().create_future()
    arguments = HeyGenRunnerArguments(room=room, body=body, session_id=session_id)
    arguments.cli_args = _arguments(settings, given)
    conversation = asyncio.create_task(bots.avatar.bot(arguments))
    TASKS.add(conversation)
    conversation.add_done_callback(TASKS.discard)
    await asyncio.wait(
        [room, conversation], timeout=ROOM_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
    )
    if not room.done():
        conversation.cancel()
        (outcome,) = await asyncio.gather(conversation, return_exceptions=True)
        late = AvatarError(f"LiveAvatar gave no room within {ROOM_TIMEOUT_S:.0f} s.")
        raise outcome if isinstance(outcome, AvatarError) else late
    return {"url": room.result().url, "token": room.result().token, "sessionId": session_id}


TASKS: set[asyncio.Task[None]] = set()


def _arguments(settings: Settings, given: Mapping[str, str]) -> Any:
    return argparse.Namespace(settings=settings, variables=dict(given))


def _lifespan(settings: Settings, say: Say, started_s: float) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log.show(settings)
        _guard(app, Origins.of(settings))
        _end_conversations_on_signals()
        _announce(settings, say, started_s)
        yield
        await RUNNING.end_all()

    return lifespan


def _guard(app: FastAPI, origins: Origins) -> None:
    """Put our judgement of origins where the runner has put CORS for any page by now."""
    kept = [each for each in app.user_middleware if each.cls is not CORSMiddleware]
    app.user_middleware = [Middleware(Guard, origins), *kept]
    app.middleware_stack = app.build_middleware_stack()


def _announce(settings: Settings, say: Say, started_s: float) -> None:
    sys.stdout = sys.__stdout__
    url = f"http://{settings.avatar_host}:{settings.avatar_port}"
    say(f"Ready after {time.monotonic() - started_s:.1f} s: open {url} (Ctrl-C ends it)")
    if settings.avatar_open:
        asyncio.get_running_loop().call_later(0.2, webbrowser.open, url)


def _end_conversations_on_signals() -> None:
    """Close the conversations before the server waits for their connections to end."""
    loop = asyncio.get_running_loop()

    def chain(number: int) -> None:
        stop_server = signal.getsignal(number)

        def stop(received: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(lambda: TASKS.add(loop.create_task(RUNNING.end_all())))
            if callable(stop_server):
                stop_server(received, frame)

        signal.signal(number, stop)

    chain(signal.SIGINT)
    chain(signal.SIGTERM)
