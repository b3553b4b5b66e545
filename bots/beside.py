"""A sandbox beside the conversation, for those who ask for LiveAvatar and have no key."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pydantic import SecretStr

from pipelines.errors import UserError
from pipelines.parts import Choice, Lineup, choose, part
from pipelines.redaction import REDACTION
from pipelines.settings import Settings, environment_names

COMMAND = (sys.executable, "-m", "bots.cli", "sandbox", "--port", "0", "--json", "--with-parent")
KEY = environment_names("liveavatar_api_key")[0]
WHY = f"as you asked; without {KEY} it is the sandbox on this machine (a key in .env changes that)"
STOP_TIMEOUT_S = 15
HERE = "http://localhost"
VENDOR = part("avatar", "heygen").vendor


def needs_sandbox(settings: Settings) -> bool:
    """Whether LiveAvatar was asked for and there is no key for the real one."""
    asked = settings.avatar == "heygen" or settings.transport in ("heygen", "full")
    return asked and not settings.is_set("liveavatar_api_key")


def choose_with_sandbox(settings: Settings) -> Lineup:
    """The line-up, in which a LiveAvatar without a key is the sandbox.

    Raises:
        UserError: no such line-up can be had.
    """
    if not needs_sandbox(settings):
        return choose(settings)
    chosen = choose(anticipated(settings))
    return {kind: _explained(choice) for kind, choice in chosen.items()}


def _explained(choice: Choice) -> Choice:
    if choice.part.vendor != VENDOR:
        return choice
    why = WHY if choice.part.needs else choice.why
    return replace(choice, why=why, part=replace(choice.part, local=True))


def anticipated(settings: Settings) -> Settings:
    """The settings as they are told of before the sandbox is there, if it is to be one."""
    leads = {"liveavatar_api_key": SecretStr("sandbox"), "liveavatar_base_url": HERE}
    return settings.model_copy(update=leads) if needs_sandbox(settings) else settings


@contextmanager
def sandbox_beside(
    settings: Settings, command: Sequence[str] = COMMAND, stop_timeout_s: float = STOP_TIMEOUT_S
) -> Iterator[Settings]:
    """Run a sandbox in a process of its own; yields settings that lead to it.

    Raises:
        UserError: it cannot be started; says why.
    """
    with sandbox_starting(settings, command, stop_timeout_s) as led:
        yield led()


@contextmanager
def sandbox_starting(
    settings: Settings, command: Sequence[str] = COMMAND, stop_timeout_s: float = STOP_TIMEOUT_S
) -> Iterator[Callable[[], Settings]]:
    """The same, without waiting for it: yields what waits, and gives the settings.

    Its rendering would hold the event loop of the conversation. It ends with this process, however
    that ends, and not before: a terminal's Ctrl-C does not reach it, so conversations can close
    their sessions. What waits raises a UserError where it cannot be started, which says why.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield lambda: _led_to(settings, _told(process))
    finally:
        _end(process, stop_timeout_s)


def _told(process: subprocess.Popen[str]) -> dict[str, str]:
    """Where the sandbox listens, once it does.

    Raises:
        UserError: it ended before.
    """
    assert process.stdout
    try:
        line = process.stdout.readline()
    except BaseException:
        process.terminate()
        raise
    if not line:
        raise UserError(
            f"The sandbox did not start, so AVATAR=heygen and TRANSPORT=heygen or full need {KEY}",
            "set it in .env, or mend what is said above",
        )
    return json.loads(line)


def _end(process: subprocess.Popen[str], timeout_s: float) -> None:
    try:
        process.communicate(timeout=timeout_s)  # closes its standard input, which ends it
    except subprocess.TimeoutExpired:
        print(f"The sandbox did not end in {timeout_s:g} s: it is killed.", file=sys.stderr)
        process.kill()
        process.communicate()


def _led_to(settings: Settings, sandbox: dict[str, str]) -> Settings:
    leads = {
        "liveavatar_base_url": sandbox["url"],
        "liveavatar_api_key": SecretStr(sandbox["key"]),
        "liveavatar_dollars_per_minute": 0.0,
    }
    led = settings.model_copy(update=leads)
    REDACTION.know(led)
    return led
