"""The application: routes, envelopes for every error, CORS, and the faults of routes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.desk import Desk, desk
from sandbox.errors import Invalid, Refusal
from sandbox.routes import control, embeds, resources, sessions, socket
from sandbox.routes.answers import refused
from web.files import Folder
from web.policy import Reach, page_headers

PRIVATE = "/_sandbox"
PAGE = Path(__file__).with_name("page")
CODES = {404: 4004, 405: 4005}
Handler = Callable[[Request], Awaitable[Response]]


def build_app(the: Desk) -> FastAPI:
    """The application in front of a desk."""
    app = FastAPI(title="LiveAvatar sandbox", version="1", docs_url=None, redoc_url=None)
    app.state.desk = the
    # /v1/avatars/public comes before /v1/avatars/{avatar_id}.
    app.include_router(resources.open_router)
    for part in (sessions, resources, embeds, control, socket):
        app.include_router(part.router)
    app.router.routes.extend(embeds.files())
    _include_viewer(app)
    app.middleware("http")(_with_faults)
    app.add_middleware(PublicCors)
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_body)
    app.add_exception_handler(HTTPException, _refuse_route)
    app.add_exception_handler(Exception, _break)
    return app


def _include_viewer(app: FastAPI) -> None:
    """A page that looks into the rooms, and its files; the key is asked for by what it asks."""
    files, own, headers = Folder(), Folder(PAGE), page_headers(Reach(rooms=True))
    app.router.routes.extend(files.routes(PRIVATE, pages=headers))

    @app.get(f"{PRIVATE}/view", include_in_schema=False)
    def view(request: Request) -> Response:
        return own.page(request, "rooms.html", headers)

    @app.get(f"{PRIVATE}/page/{{name}}", include_in_schema=False)
    def part_of_it(name: str, request: Request) -> Response:
        return own.page(request, name, headers)


class PublicCors:
    """CORS for any origin, as the browser SDK needs it; none for the control plane."""

    def __init__(self, app: ASGIApp) -> None:
        self._bare = app
        self._open = CORSMiddleware(
            app,
            allow_origin_regex=".*",
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["*"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        private = scope.get("path", "").startswith(PRIVATE)
        await (self._bare if private else self._open)(scope, receive, send)


async def _with_faults(request: Request, handle: Handler) -> Response:
    """Let the faults of a route come true, the control plane's excepted."""
    path = request.url.path
    if path.startswith(PRIVATE):
        return await handle(request)
    faults = (await desk(request)).faults
    delay = faults.strike_route(request.method, path, "delay")
    if delay:
        await asyncio.sleep(delay.number("by"))
    answer = faults.strike_route(request.method, path, "answer")
    if answer:
        status, code = int(answer.number("status")), int(answer.number("code"))
        return refused(status, code, str(answer.parameters["message"]))
    return await handle(request)


async def _refuse(request: Request, error: Any) -> Response:
    return refused(error.status, error.code, error.message)


async def _refuse_body(request: Request, error: Any) -> Response:
    refusal = Invalid(_problem(error.errors()))
    return refused(refusal.status, refusal.code, refusal.message)


async def _refuse_route(request: Request, error: Any) -> Response:
    answer = refused(error.status_code, CODES.get(error.status_code, 4000), error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def _break(request: Request, error: Exception) -> Response:
    return refused(500, 5000, "Internal server error")


def _problem(errors: Sequence[Any]) -> str:
    """The first problem as `body: mode: Field required`."""
    where = [str(part) for part in errors[0]["loc"]]
    field = ".".join(where[1:])
    return f"{where[0]}: {field + ': ' if field else ''}{errors[0]['msg']}"
