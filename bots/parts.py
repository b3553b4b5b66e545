"""`avatar parts`: every part, and which ones a conversation would use now."""

import argparse
import json
from collections.abc import Sequence

from bots.beside import choose_with_sandbox
from bots.flags import chosen, settings_parser
from pipelines.errors import UserError
from pipelines.installation import adds
from pipelines.offer import unvoiced
from pipelines.parts import KINDS, PARTS, SPOKEN, Lineup, Part, missing
from pipelines.settings import Settings, load_settings


def run(words: Sequence[str]) -> int:
    """Print the table; also when no line-up can be had, for that is when one looks at it.

    Raises:
        UserError: no line-up can be had; the table is printed all the same.
    """
    arguments = _parser().parse_args(words)
    settings = load_settings(**chosen(arguments))
    show = _as_json if arguments.json else _table
    try:
        print(show(settings, choose_with_sandbox(settings)))
    except UserError:
        print(show(settings, {}))
        raise
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = settings_parser("avatar parts", "Show every part, and which ones are chosen now.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _table(settings: Settings, lineup: Lineup) -> str:
    lines = []
    for kind in KINDS:
        lines.append(f"{SPOKEN[kind]} (--{kind})")
        lines += [_row(row, settings, lineup) for row in _rows(lineup) if row.kind == kind]
    lines += map(str, unvoiced(settings, lineup).values()) if lineup else []
    return "\n".join(lines)


def _rows(lineup: Lineup) -> list[Part]:
    """Every part, and those that LiveAvatar brings, where it runs the conversation."""
    return [*PARTS, *(choice.part for choice in lineup.values() if choice.part.home)]


def _row(row: Part, settings: Settings, lineup: Lineup) -> str:
    why = _why(row, lineup)
    mark, note = (" ", _lacks(row, settings)) if why is None else ("→", f"  [{why}]")
    return f"  {mark} {row.value:9} {row.summary}{note}"


def _why(row: Part, lineup: Lineup) -> str | None:
    """Why a part was chosen; None if it was not."""
    choice = lineup.get(row.kind)
    if not choice or row.value not in [part.value for part in choice.parts]:
        return None
    return choice.why if choice.part.value == row.value else f"if {choice.part.value} fails"


def _lacks(row: Part, settings: Settings) -> str:
    if not row.installed:
        return f"  [not installed: {adds(row.extra)}]"
    lacking = missing(row, settings)
    return f"  [needs {', '.join(lacking)}]" if lacking else ""


def _as_json(settings: Settings, lineup: Lineup) -> str:
    rows = [
        {
            "kind": row.kind,
            "value": row.value,
            "summary": row.summary,
            "local": row.local,
            "installed": row.installed,
            "missing": missing(row, settings),
            "chosen": _why(row, lineup) is not None,
            "why": _why(row, lineup) or "",
        }
        for row in _rows(lineup)
    ]
    return json.dumps(rows, indent=2)
