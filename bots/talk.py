"""`avatar`: starts the server and the page."""

import argparse
import contextlib
import importlib
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bots import log, loop
from bots.beside import anticipated, choose_with_sandbox, needs_sandbox, sandbox_starting
from bots.browser import open_page
from bots.flags import chosen, settings_parser, variables
from bots.leaving import leave_at_once
from pipelines import ledger, lent, traces
from pipelines.errors import BadSetting, Incompatible
from pipelines.keeping import kept
from pipelines.mind.endpoint import Found, first_model, look
from pipelines.offer import unvoiced
from pipelines.parts import Lineup
from pipelines.settings import Settings, load_settings
from pipelines.spelling import misspelt
from web.loopback import is_loopback
from web.port import listen, own_url

if TYPE_CHECKING:
    from bots.server.app import Server

Led = Callable[[], Settings]


def run(words: Sequence[str]) -> int:
    """Start the server; returns when it has been stopped.

    Raises:
        UserError: it cannot be started as the settings ask.
    """
    started_s = time.monotonic()
    arguments = _parser().parse_args(words)
    settings = load_settings(**_given_flags(arguments))
    given = variables(arguments.var)
    lineup = choose_with_sandbox(settings)
    _say(*map(str, lineup.values()), *map(str, misspelt()))
    _say(*map(str, unvoiced(settings, lineup).values()))
    settings = _with_transcripts(_checked(settings))
    ledger.check(settings, lineup)
    traces.check(settings)
    if lent.is_lent(settings) and not needs_sandbox(settings):
        lent.check(settings)
    with contextlib.ExitStack() as stack:
        if not arguments.direct:
            _closed(settings)
        listeners = [] if arguments.direct else _listeners(settings)
        for listener in listeners:
            stack.enter_context(listener)
        settings = _with_mind(settings, lineup)
        led = stack.enter_context(_liveavatar(settings))
        log.show(settings)
        try:
            if arguments.direct:
                _wait(led, lineup, given)
                whole = True
            else:
                whole = _serve(anticipated(settings), led, lineup, given, listeners, started_s)
        finally:
            traces.TRACES.flush()
    return 0 if whole else leave_at_once(0)


def _parser() -> argparse.ArgumentParser:
    parser = settings_parser("avatar", "Talk face to face with an AI avatar.")
    add = parser.add_argument
    add("-v", "--verbose", action="count", default=0, help="log more, -vv everything")
    add("-d", "--direct", action="store_true", help="no server: go into a Daily room and wait")
    return parser


def _given_flags(arguments: argparse.Namespace) -> dict[str, object]:
    given = chosen(arguments)
    if arguments.verbose:
        level = "DEBUG" if arguments.verbose == 1 else "TRACE"
        given["avatar_log_level"] = given["avatar_log_level"] or level
    if arguments.direct:
        if given["transport"] not in (None, "daily"):
            raise Incompatible("--direct is for Daily's rooms", "leave out --transport")
        given["transport"] = "daily"
    return given


def _checked(settings: Settings) -> Settings:
    if settings.avatar_esp32 and settings.avatar_host == "localhost":
        raise Incompatible("--esp32 needs this machine's IP address, too", "give it with --host")
    return settings


def _closed(settings: Settings) -> None:
    """Nobody else than this machine's user is let in without a credential.

    Raises:
        BadSetting: others could be.
    """
    host = settings.avatar_host
    if not is_loopback(host) and not settings.is_set("avatar_access_token"):
        raise BadSetting(
            f"AVATAR_HOST={host}",
            "lets others in, so it needs AVATAR_ACCESS_TOKEN",
            "set it in .env to a long secret, as `openssl rand -hex 24` makes, and give each"
            " visitor a link that `avatar link` makes",
        )


def _with_transcripts(settings: Settings) -> Settings:
    """The settings, without transcripts where the default folder cannot be written; says so."""
    settings, why = kept(settings)
    if why:
        _say(why)
    return settings


def _with_mind(settings: Settings, lineup: Lineup) -> Settings:
    """The settings with the chosen minds: whether Ollama answers is asked once, here.

    One that does not is left out if there are others. LiveAvatar's own is none of ours.
    """
    if lineup["llm"].part.value == "liveavatar":
        return settings
    minds = [part.value for part in lineup["llm"].parts]
    model = settings.ollama_model
    if "ollama" in minds and not model:
        found = look(settings) if len(minds) > 1 else Found(first_model(settings))
        model = found.model
        minds = [mind for mind in minds if model or mind != "ollama"]
        if not model:
            _say(f"{found.problem}: without ollama")
    if "ollama" in minds:
        _say(f"model: {model}")
    return settings.model_copy(update={"llm": ",".join(minds), "ollama_model": model})


def _liveavatar(settings: Settings) -> AbstractContextManager[Led]:
    """LiveAvatar as the settings have it, or the sandbox, which is waited for by who needs it."""
    if not needs_sandbox(settings):
        return contextlib.nullcontext(lambda: settings)
    _say("starting the sandbox …")
    return sandbox_starting(settings)


def _listeners(settings: Settings) -> list[socket.socket]:
    """Where browsers are heard.

    Raises:
        BadSetting: the port or the address cannot be used.
    """
    host, port = settings.avatar_host, settings.avatar_port
    try:
        return listen(host, port)
    except socket.gaierror:
        raise BadSetting(f"AVATAR_HOST={host}", "is no address", "use localhost or an IP") from None
    except OSError as error:
        raise BadSetting(
            f"AVATAR_PORT={port}",
            f"cannot be used on {host} ({error.strerror})",
            "stop what uses it, or choose another with --port, 0 for any",
        ) from None


def _serve(
    shown: Settings,
    led: Led,
    lineup: Lineup,
    given: dict[str, str],
    listeners: Sequence[socket.socket],
    started_s: float,
) -> bool:
    """Show the page, load the models behind it, then talk until stopped; whether it came to that.

    `shown` are the settings that the page is told of, `led` waits for those of conversations.
    """
    from bots.server.front import Front
    from bots.server.opening import serve

    port = listeners[0].getsockname()[1]
    url = own_url(shown.avatar_host, port)

    def there() -> None:
        took_s = time.monotonic() - started_s
        _say(f"The page is there after {took_s:.1f} s, and gets ready: {url}")
        if shown.avatar_open:
            from bots.link import own_link

            open_page(own_link(shown, url))

    def ready() -> None:
        from bots import reach

        took_s = time.monotonic() - started_s
        _say(f"Ready after {took_s:.1f} s: open {url} (Ctrl-C ends it)")
        _say(*reach.advice(shown, port, container=reach.in_container()))

    def load() -> "Server":
        return _loaded(led, lineup, given)

    def afterwards() -> None:
        from bots.server.models import rehearse

        rehearse(lineup)

    async def serving() -> bool:
        return await serve(Front(shown, lineup), listeners, load, there, ready, afterwards)

    return loop.run(serving())


def _loaded(led: Led, lineup: Lineup, given: dict[str, str]) -> "Server":
    """The server with everything that conversations need.

    Raises:
        UserError: something cannot be loaded as the settings ask.
    """
    from bots.server import models

    settings = led()
    traces.TRACES.begin(settings)
    models.warm_up(settings, lineup, _say, lambda: importlib.import_module("bots.server.app"))
    from bots.server import app, cost
    from bots.server.casting import Casting

    room = cost.room(settings, lineup, lambda: models.rehearse(lineup))
    _say(str(room))
    return app.Server(Casting(settings, given), lineup, room.most, _say)


def _wait(led: Led, lineup: Lineup, given: dict[str, str]) -> None:
    """Load the models, then wait in a Daily room."""
    _say("loading Pipecat …")
    from bots import direct
    from bots.server import models
    from bots.server.casting import Casting

    settings = led()
    traces.TRACES.begin(settings)
    models.warm_up(settings, lineup, _say)
    models.rehearse(lineup)
    loop.run(direct.wait(Casting(settings, given), _say))


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)
