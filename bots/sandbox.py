"""`avatar sandbox`: a LiveAvatar on this machine, for any client, without a key or credits."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bots import log, loop
from bots.flags import PORT_NUMBER, between
from bots.running import Stop, stop_on_signals
from pipelines.installation import command
from pipelines.settings import Settings, load_settings
from sandbox import Address, Limits, LiveKit, livekit_server, sandbox
from sandbox.faults import FAULTS
from sandbox.server import DEFAULT_KEY, HOST

PORT = 8190
DEFAULTS = Limits()
HELLO = """A LiveAvatar listens on {url}; its API key is {key}.
Rooms are on {livekit}. What it does not imitate: sandbox/README.md.

Point a client at it:
  this application    LIVEAVATAR_BASE_URL={url} LIVEAVATAR_API_KEY={key} {command} --avatar heygen
  Pipecat elsewhere   LiveAvatarApi.BASE_URL = "{url}/v1"
  web SDK             new LiveAvatarSession(token, {{ apiUrl: "{url}" }})
  LiveKit plugin      AvatarSession(api_url="{url}/v1/sessions", api_key="{key}", avatar_id="{avatar}")
  LiveKit starter     LIVEAVATAR_BASE_URL={url} LIVEAVATAR_API_KEY={key}
  Vision Agents       Avatar(base_url="{url}", api_key="{key}")
  curl                curl -H "X-API-KEY: {key}" {url}/v1/users/credits

Look into a session's room: {url}/_sandbox/view#key={key}
What clients did, and what shall go wrong: {url}/_sandbox/sessions and {url}/_sandbox/faults.
Stop it with Ctrl-C.
"""  # noqa: E501 — lines to be copied whole


def run(words: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    options = _parser().parse_args(words)
    settings = load_settings()
    log.show(settings)
    return loop.run(_serve(options, settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "avatar sandbox",
        description="A LiveAvatar on this machine: REST, WebSocket and a LiveKit room.",
        epilog=_faults(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default=HOST, help=f"address to listen on ({HOST}); others need --api-key")
    add(
        "--port",
        type=PORT_NUMBER,
        default=PORT,
        help=f"port to listen on ({PORT}), 0 for a free one",
    )
    add("--api-key", default="", help=f"the key clients must bring ({DEFAULT_KEY})")
    add("--json", action="store_true", help="print one line of JSON instead of a welcome")
    add("--with-parent", action="store_true", help="end when standard input is closed")
    add("--fail", action="append", default=[], metavar="FAULT", help="what shall go wrong; repeat")
    add("--state", type=Path, metavar="FILE", help="SQLite file that outlives the process")
    add("--credits", type=between(0), default=DEFAULTS.credits, help="credits of the account")
    add("--concurrency", type=between(1), default=DEFAULTS.concurrency, help="sessions at a time")
    add(
        "--max-duration",
        type=between(1),
        default=DEFAULTS.max_duration_s,
        help="seconds of a session",
    )
    return parser


def _faults() -> str:
    """The table of faults, as help."""
    rows = ["faults, written as 'place:name parameter=value', like 'speak:close-ws after=3':"]
    for kind in FAULTS.values():
        values = " ".join(f"{name}={value!r}" for name, value in kind.parameters.items())
        rows.append(f"  {kind.name} {values}\n      at {', '.join(kind.places)}: {kind.summary}")
    rows.append("A route is token, start, stop, keep-alive, or like 'GET /v1/voices'.")
    return "\n".join([*rows, "Every fault takes times=N, how often it strikes."])


async def _serve(options: argparse.Namespace, settings: Settings) -> int:
    limits = Limits(
        credits=options.credits,
        concurrency=options.concurrency,
        max_duration_s=options.max_duration,
    )
    async with (
        livekit_server(
            settings.livekit_url,
            settings.livekit_api_key.get_secret_value(),
            settings.livekit_api_secret.get_secret_value(),
        ) as livekit,
        sandbox(
            livekit,
            host=options.host,
            port=options.port,
            api_key=options.api_key,
            limits=limits,
            faults=options.fail,
            state=options.state,
            settings=settings,
        ) as address,
    ):
        stop = stop_on_signals()
        if options.with_parent:
            _stop_at_end_of_input(stop)
        print(_welcome(address, livekit, as_json=options.json), flush=True)
        await stop.wait()
    print("The sandbox is closed.", file=sys.stderr)
    return 0


def _welcome(address: Address, livekit: LiveKit, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"url": address.url, "key": address.key, "livekit_url": livekit.url})
    avatar_id = address.desk.shelves.avatars.all()[0]["id"]
    return HELLO.format(
        url=address.url,
        key=address.key,
        livekit=livekit.url,
        avatar=avatar_id,
        command=command(),
    )


def _stop_at_end_of_input(stop: Stop) -> None:
    """Stop when whoever started this process is gone, however it went."""

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            stop.ask()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), read)
    # uvloop makes it non-blocking, and a terminal would be so for everybody who shares it.
    os.set_blocking(sys.stdin.fileno(), True)
