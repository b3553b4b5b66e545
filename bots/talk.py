"""`avatar`: starts the server and the page."""

import argparse
import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from bots import log
from bots.beside import choose_with_sandbox, needs_sandbox, sandbox_beside
from bots.browser import open_page
from bots.flags import chosen, settings_parser, variables
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


def run(words: Sequence[str]) -> int:
    """Start the server; returns when it has been stopped.

    Raises:
        UserError: it cannot be started as the settings ask.
    """
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
        settings = stack.enter_context(_liveavatar(_with_mind(settings, lineup)))
        _talk(settings, lineup, given, listeners)
    return 0


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


def _liveavatar(settings: Settings) -> AbstractContextManager[Settings]:
    """LiveAvatar as the settings have it, or the sandbox."""
    if not needs_sandbox(settings):
        return contextlib.nullcontext(settings)
    _say("starting the sandbox …")
    return sandbox_beside(settings)


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


def _talk(
    settings: Settings, lineup: Lineup, given: dict[str, str], listeners: Sequence[socket.socket]
) -> None:
    """Load the models, then talk until stopped."""
    started_s = time.monotonic()
    _say("loading Pipecat …")
    log.show(settings)
    traces.TRACES.begin(settings)
    from bots import direct, reach
    from bots.link import own_link
    from bots.server import app, cost, models
    from bots.server.casting import Casting

    models.warm_up(settings, lineup, _say)
    casting = Casting(settings, given)

    def ready() -> None:
        port = listeners[0].getsockname()[1]
        url = own_url(settings.avatar_host, port)
        took_s = time.monotonic() - started_s
        _say(f"Ready after {took_s:.1f} s: open {url} (Ctrl-C ends it)")
        _say(*reach.advice(settings, port, container=reach.in_container()))
        if settings.avatar_open:
            open_page(own_link(settings, url))

    try:
        if listeners:
            room = cost.room(settings, lineup)
            _say(str(room))
            asyncio.run(app.serve(casting, lineup, room.most, listeners, ready, _say))
        else:
            asyncio.run(direct.wait(casting, _say))
    finally:
        traces.TRACES.flush()


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)
