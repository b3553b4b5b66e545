"""`avatar join`: shows a LiveKit room in the page, unseen by who is in it."""

import argparse
import asyncio
import getpass
import socket
import sys
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bots.browser import open_page
from bots.flags import PORT_NUMBER
from bots.running import stop_on_signals
from pipelines.errors import MissingSetting, UserError
from pipelines.settings import Settings, environment_names, load_settings
from sandbox import LiveKit
from web.files import Folder
from web.policy import Reach, page_headers
from web.port import listen, url_of
from web.serving import serving

HOST = "127.0.0.1"
HINT = "(Ctrl-C ends it. Whoever has this link sees and hears the room.)"


def run(words: Sequence[str]) -> int:
    """Serve the page until Ctrl-C or SIGTERM.

    Raises:
        UserError: it is not said which room to show or how to be let in, or the port is taken.
    """
    options = _parser().parse_args(words)
    url, token = _invitation(options, load_settings())
    with _listener(options.port) as listener:
        link = f"{url_of(HOST, listener.getsockname()[1])}/view"
        # Browsers keep what follows the # to themselves.
        page = f"{link}#{urlencode({'url': url, 'token': token})}"
        asyncio.run(_show(page, listener, opened=options.open))
    return 0


def _listener(port: int) -> socket.socket:
    try:
        return listen(HOST, port)[0]
    except OSError as error:
        raise UserError(
            f"Cannot listen on {HOST}:{port} ({error.strerror or error})", "choose another --port"
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "avatar join",
        description="Show a LiveKit room in the page. You see and hear it; nobody there sees you.",
        epilog="Rooms of LIVEKIT_URL are shown by name, with LIVEKIT_API_KEY and"
        " LIVEKIT_API_SECRET. For any other one give --url, and its token in LIVEKIT_TOKEN or on"
        " standard input, so that it stays out of your shell's history.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("room", nargs="?", default="", metavar="ROOM", help="name of the room")
    add("--url", default="", help="address of its LiveKit server (LIVEKIT_URL), as wss://…")
    add("--port", type=PORT_NUMBER, default=0, help="port to show the page on (a free one)")
    add("--open", action=argparse.BooleanOptionalAction, default=True, help="open the page")
    return parser


def _invitation(options: argparse.Namespace, settings: Settings) -> tuple[str, str]:
    """Address of the room's server, and a token to look into the room with."""
    url = options.url or settings.livekit_url
    if not url:
        raise MissingSetting("avatar join", ["LIVEKIT_URL"], None)
    if urlsplit(url).scheme not in ("ws", "wss", "http", "https"):
        raise UserError(f"--url {url} is no address", "write it as wss://name, or ws://name:port")
    if options.room:
        return url, _own_token(options.room, url, settings)
    given = settings.livekit_token.get_secret_value() or (_read_token() if options.url else "")
    return url, _checked(given)


def _own_token(room: str, url: str, settings: Settings) -> str:
    keys = ("livekit_api_key", "livekit_api_secret")
    lacking = [environment_names(key)[0] for key in keys if not settings.is_set(key)]
    if lacking:
        raise MissingSetting(f"avatar join {room}", lacking, None)
    key, secret = (getattr(settings, name).get_secret_value() for name in keys)
    return LiveKit(url, key, secret).viewer_token(room)


def _checked(token: str) -> str:
    if token.count(".") != 2:
        raise UserError(
            "avatar join needs the name of a room, or --url and a token",
            "put it in LIVEKIT_TOKEN, or give it on standard input",
        )
    return token


def _read_token() -> str:
    """A token from standard input, unseen when it is typed."""
    if sys.stdin.isatty():
        return getpass.getpass("Token of the room: ").strip()
    return sys.stdin.readline().strip()


async def _show(page: str, listener: socket.socket, *, opened: bool) -> None:
    stop = stop_on_signals()
    async with serving(_application(), [listener], log_config=None, access_log=False):
        print(f"Open {page}\n{HINT}", flush=True)
        if opened:
            open_page(page)
        await stop.wait()


def _application() -> Starlette:
    files, headers = Folder(), page_headers(Reach(rooms=True))

    def view(request: Request) -> Response:
        return files.page(request, "pages/view.html", headers)

    return Starlette(routes=[Route("/view", view), *files.routes(pages=headers)])
