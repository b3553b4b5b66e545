"""`avatar`: starts the server and the page, on Pipecat's development runner."""

import argparse
import contextlib
import io
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from bots import log
from bots.beside import choose_with_sandbox, needs_sandbox, sandbox_beside
from bots.flags import chosen, settings_parser, variables
from pipelines.errors import BadSetting
from pipelines.parts import Lineup, first_model
from pipelines.settings import Settings, export_for_runner, load_settings
from pipelines.spelling import misspelt


class RunnerParser(argparse.ArgumentParser):
    """The parser handed to Pipecat's runner, which adds its own options to it.

    It parses the words our own flags left over. The runner's --transport does not know `heygen`,
    so the transport is put in afterwards.
    """

    def __init__(
        self,
        words: Sequence[str],
        settings: Settings,
        given: dict[str, str],
        understood: Callable[[], None],
    ) -> None:
        super().__init__("avatar", allow_abbrev=False)
        self._understood = understood
        self._words = [*words, "--host", settings.avatar_host, "--port", str(settings.avatar_port)]
        self._settings = settings
        self._given = given

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Parse what is left, whatever the process was started with; then models are loaded."""
        parsed = super().parse_args(self._words, namespace)
        parsed.transport = None if self._settings.transport == "auto" else self._settings.transport
        parsed.settings = self._settings
        parsed.variables = self._given
        self._understood()
        return parsed


def run(words: Sequence[str]) -> int:
    """Start the server; returns when it has been stopped.

    Raises:
        UserError: it cannot be started as the settings ask.
    """
    parser = settings_parser("avatar", "Talk face to face with an AI avatar.")
    arguments, rest = parser.parse_known_args(words)
    settings = load_settings(**_given_flags(arguments, rest))
    given = variables(arguments.var)
    lineup = choose_with_sandbox(settings)
    _say(*map(str, lineup.values()), *map(str, misspelt()))
    settings = _with_port(settings)
    with _liveavatar(_with_mind(settings, lineup)) as settings:
        _serve(rest, settings, lineup, given)
    return 0


def _with_mind(settings: Settings, lineup: Lineup) -> Settings:
    """The settings with the chosen mind: whether Ollama answers is asked once, here."""
    mind = lineup["llm"].part.value
    model = first_model(settings) if mind == "ollama" else settings.ollama_model
    return settings.model_copy(update={"llm": mind, "ollama_model": model})


def _liveavatar(settings: Settings) -> AbstractContextManager[Settings]:
    """LiveAvatar as the settings have it, or the sandbox."""
    if not needs_sandbox(settings):
        return contextlib.nullcontext(settings)
    _say("starting the sandbox …")
    return sandbox_beside(settings)


def _given_flags(arguments: argparse.Namespace, rest: list[str]) -> dict[str, object]:
    """Our flags; `-v` stays with the runner and makes our log talkative too."""
    given = chosen(arguments)
    if any(word in ("-v", "-vv", "--verbose") for word in rest):
        given["avatar_log_level"] = given["avatar_log_level"] or "DEBUG"
    return given


def _with_port(settings: Settings) -> Settings:
    """The settings with a port that is free; 0 becomes one.

    Raises:
        BadSetting: the port or the address cannot be used.
    """
    host, port = settings.avatar_host, settings.avatar_port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return settings.model_copy(update={"avatar_port": probe.getsockname()[1]})
    except socket.gaierror:
        raise BadSetting(f"AVATAR_HOST={host}", "is no address", "use localhost or an IP") from None
    except OSError as error:
        raise BadSetting(
            f"AVATAR_PORT={port}",
            f"cannot be used on {host} ({error.strerror})",
            "stop what uses it, or choose another with --port, 0 for any",
        ) from None


def _serve(rest: Sequence[str], settings: Settings, lineup: Lineup, given: dict[str, str]) -> None:
    started_s = time.monotonic()
    _say("loading Pipecat …")
    log.redact(settings)
    from bots import server  # imports Pipecat's runner, which reads .env into the environment

    export_for_runner(settings)
    server.install(settings, lineup, given, say=_say, started_s=started_s)
    parser = RunnerParser(rest, settings, given, lambda: server.warm_up(settings, lineup, _say))
    with contextlib.redirect_stdout(io.StringIO()):  # the runner's banner, before the server runs
        server.run(parser)


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.__stdout__, flush=True)
