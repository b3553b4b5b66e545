"""`avatar sessions`: what is open and paid for, also after a crash, and its end."""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import aiohttp

from bots import log
from bots.flags import chosen, settings_parser
from pipelines.ending import end
from pipelines.errors import UserError
from pipelines.ledger import bad_ledger, books
from pipelines.settings import Settings, load_settings
from sessions.ledger import Entry, LedgerError


def run(words: Sequence[str]) -> int:
    """List what is open, or end it; 1 when an end is not confirmed.

    Raises:
        UserError: the ledger cannot be read, or it is not said what to end.
    """
    options = parser().parse_args(words)
    settings = load_settings(**chosen(options))
    log.show(settings.model_copy(update={"avatar_log_level": "CRITICAL"}))
    return asyncio.run(do(settings, options))


async def do(settings: Settings, options: argparse.Namespace) -> int:
    """List what is open, or end it, as `run()` does."""
    try:
        return await (_stop if options.verb else _list)(settings, options)
    except LedgerError as error:
        raise bad_ledger(settings, f"cannot be used: {error}") from None


def parser() -> argparse.ArgumentParser:
    parser = settings_parser(
        "avatar sessions", "Show what is open and paid for; `stop` ends one by its id, or --all."
    )
    add = parser.add_argument
    add("verb", nargs="?", choices=["stop"], help="end it; without, what is open is listed")
    add("id", nargs="?", default="", metavar="ID", help="what to end")
    add("--all", action="store_true", help="end everything, also of a server that runs")
    add("--json", action="store_true", help="print JSON")
    return parser


async def _list(settings: Settings, options: argparse.Namespace) -> int:
    entries = await books(settings).entries()
    rows = [{**asdict(entry.paid), "held": entry.held} for entry in entries]
    table = "\n".join(map(_row, entries)) or "Nothing is open."
    print(json.dumps(rows, indent=2) if options.json else table)
    return 0


def _row(entry: Entry) -> str:
    paid = entry.paid
    since = datetime.fromtimestamp(paid.opened_at).isoformat(" ", "seconds")
    left_s = max(0.0, paid.ends_at - time.time())
    whose = "of a running process" if entry.held else "left open"
    return f"{paid.kind:10} {paid.id:36}  since {since}, {left_s / 60:.0f} min at most  {whose}"


async def _stop(settings: Settings, options: argparse.Namespace) -> int:
    if bool(options.id) == options.all:
        raise UserError("It is not said what to end", "give an id of `avatar sessions`, or --all")
    entries = await books(settings).entries()
    asked = [entry.paid for entry in entries if options.all or entry.paid.id == options.id]
    if options.id and not asked:
        raise UserError(f"{options.id} is not open", "see `avatar sessions`")
    async with aiohttp.ClientSession() as http:
        failures = await asyncio.gather(*(end(paid, settings, http) for paid in asked))
    ends = list(zip(asked, failures, strict=True))
    rows = [{"kind": p.kind, "id": p.id, "ended": not why, "why": why} for p, why in ends]
    told = "\n".join(why or f"{p.kind} {p.id} is ended." for p, why in ends)
    print(json.dumps(rows, indent=2) if options.json else told or "Nothing is open.")
    return 1 if any(failures) else 0
