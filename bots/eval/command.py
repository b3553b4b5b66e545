"""`avatar eval`: holds conversations from YAML files, and looks at the face."""

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bots import log
from bots.eval.face import KEYS
from bots.flags import chosen, flags, settings_parser
from pipelines.errors import UserError
from pipelines.settings import load_settings

if TYPE_CHECKING:  # what holds conversations takes seconds to import, which `--help` does not need
    from contextlib import AbstractAsyncContextManager

    from bots.eval.holding import Outcome
    from bots.eval.scenarios import Scenario
    from bots.eval.server import Address

STOPPED = 130
EVALS = Path(__file__).parents[2] / "evals"


def run(words: Sequence[str]) -> int:
    """Hold the conversations; 0 when all passed, 1 when one did not, 130 when it was stopped.

    Raises:
        UserError: a scenario cannot be read, or the avatar cannot be met.
    """
    options = parser().parse_args(words)
    own = server_flags(options)
    _check(options, own)
    settings = load_settings(**chosen(options))
    log.show(settings.model_copy(update={"avatar_log_level": "CRITICAL"}))
    from bots.eval import report
    from bots.eval.scenarios import read_scenarios
    from bots.eval.server import own_server, running_server

    scenarios = read_scenarios(options.files or [EVALS, EVALS / "face"])
    token = settings.avatar_access_token.get_secret_value()
    place = running_server(options.bot_url) if options.bot_url else own_server(own, token)
    try:
        outcomes = asyncio.run(_hold_all(place, scenarios, quiet=options.json))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return STOPPED
    print(report.as_json(outcomes) if options.json else report.summary(outcomes))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


async def _hold_all(
    place: "AbstractAsyncContextManager[Address]", scenarios: "list[Scenario]", *, quiet: bool
) -> "list[Outcome]":
    """Hold one after the other, and tell of each unless `quiet`."""
    from bots.eval import report
    from bots.eval.holding import hold

    # A server of its own ends with it.
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    outcomes = []
    async with place as address:
        for scenario in scenarios:
            outcomes.append(await hold(scenario, address))
            if not quiet:
                print(report.line(outcomes[-1]), flush=True)
    return outcomes


def parser() -> argparse.ArgumentParser:
    """The command's options: its own, and those of a server."""
    made = settings_parser(
        "avatar eval",
        "Hold the conversations of Pipecat's eval scenarios over WebRTC, and look at the face: the"
        f" block `face:` of a scenario wants {', '.join(KEYS)}.",
    )
    add = made.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="scenarios, or folders (evals)")
    add("--bot-url", default="", metavar="URL", help="a server that runs, or a link to it")
    add("--json", action="store_true", help="print the result as JSON")
    return made


def _check(options: argparse.Namespace, own: list[str]) -> None:
    """Raises: UserError for what cannot be given to the server that is met."""
    if options.bot_url and own:
        raise UserError(
            f"--bot-url names a server that runs already, to which {own[0]} cannot be given",
            "give it to that server, or leave out --bot-url",
        )
    if options.transport not in (None, "webrtc"):
        raise UserError(
            f"--transport {options.transport}: a viewer of scenarios comes over WebRTC",
            "leave it out",
        )
    if options.avatar_host is not None or options.avatar_port is not None:
        raise UserError(
            "A server of its own is on a free port of this machine", "leave out --host and --port"
        )


def server_flags(options: argparse.Namespace) -> list[str]:
    """The flags that were given for the server, as words."""
    words: list[str] = []
    for flag, name in flags().items():
        match getattr(options, name):
            case None:
                pass
            case bool(on):
                words.append(flag if on else f"--no-{flag.removeprefix('--')}")
            case list(values):
                words += [flag, *values]
            case value:
                words += [flag, str(value)]
    return words + [word for pair in options.var for word in ("--var", pair)]
