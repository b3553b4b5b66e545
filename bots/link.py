"""`avatar link`: what lets one visitor in, once."""

import argparse
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from bots.flags import between, variables
from bots.server.passes import EVAL, LINK, Pass, Passes
from pipelines.errors import MissingSetting, NotOffered, UserError
from pipelines.offer import offered_personas
from pipelines.parts import choose
from pipelines.settings import Settings, load_settings
from web.port import own_url

HOURS = 24
EVAL_HOURS = 1


def run(words: Sequence[str]) -> int:
    """Print a link.

    Raises:
        UserError: there can be none; says why.
    """
    options = _parser().parse_args(words)
    settings = load_settings()
    passes = Passes.of(settings)
    if not passes:
        raise MissingSetting("avatar link", ["AVATAR_ACCESS_TOKEN"], None)
    home = _home(options.url, settings)
    if options.eval:
        made = Pass(time.time() + EVAL_HOURS * 3600)
        print(f"{_socket(home)}/ws/{passes.sign(EVAL, made)}")
        return 0
    persona = _offered(options.persona, settings) if options.persona else None
    made = Pass(time.time() + options.hours * 3600, persona, variables(options.var))
    print(_link(home, passes, made))
    return 0


def own_link(settings: Settings, url: str) -> str:
    """The page's address for who has started the server, with what lets them in."""
    passes = Passes.of(settings)
    return _link(url, passes, Pass(time.time() + 3600)) if passes else url


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "avatar link",
        description="Make a link that lets one visitor in, once; it is signed with"
        " AVATAR_ACCESS_TOKEN, and works without asking the server.",
        epilog="Its secret stands behind the #, which browsers keep to themselves.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--persona", default="", metavar="ID", help="the only persona that receives the visitor")
    add("--var", action="append", default=[], metavar="NAME=VALUE", help="fill ${NAME} in it")
    hours = between(1, 24 * 365)
    add("--hours", type=hours, default=HOURS, help=f"how long it can be opened ({HOURS})")
    add("--url", default="", help="address of the page, as https://host/avatar/ (this machine's)")
    add("--eval", action="store_true", help="print what `pipecat eval` takes as --bot-url, for 1 h")
    return parser


def _home(url: str, settings: Settings) -> str:
    home = (url or own_url(settings.avatar_host, settings.avatar_port)).rstrip("/")
    if urlsplit(home).scheme not in ("http", "https"):
        raise UserError(f"--url {url} is no address", "write it as https://name")
    return home


def _offered(persona: str, settings: Settings) -> str:
    offered = offered_personas(settings, choose(settings))
    if persona not in offered:
        raise NotOffered("persona", persona, offered)
    return persona


def _socket(home: str) -> str:
    return f"ws{home.removeprefix('http')}"


def _link(home: str, passes: Passes, made: Pass) -> str:
    return f"{home.rstrip('/')}/#link={passes.sign(LINK, made)}"
