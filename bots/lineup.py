"""`avatar parts`: every part, and which ones a conversation would use now."""

import argparse
import json
from collections.abc import Sequence

from bots.beside import choose_with_sandbox
from bots.flags import chosen, settings_parser
from pipelines.parts import KINDS, PARTS, SPOKEN, Lineup, Part, missing
from pipelines.settings import Settings, load_settings


def run(words: Sequence[str]) -> int:
    """Print the table."""
    arguments = _parser().parse_args(words)
    settings = load_settings(**chosen(arguments))
    lineup = choose_with_sandbox(settings)
    print(
        json.dumps(_as_json(settings, lineup), indent=2)
        if arguments.json
        else _table(settings, lineup)
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = settings_parser("avatar parts", "Show every part, and which ones are chosen now.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _table(settings: Settings, lineup: Lineup) -> str:
    lines = []
    for kind in KINDS:
        lines.append(f"{SPOKEN[kind]} (--{kind})")
        lines += [_row(row, settings, lineup) for row in PARTS if row.kind == kind]
    return "\n".join(lines)


def _row(row: Part, settings: Settings, lineup: Lineup) -> str:
    choice = lineup[row.kind]
    mark, why = (
        ("→", f"  [{choice.why}]")
        if choice.part.value == row.value
        else (" ", _lacks(row, settings))
    )
    return f"  {mark} {row.value:9} {row.summary}{why}"


def _lacks(row: Part, settings: Settings) -> str:
    if not row.installed:
        return f"  [not installed: uv sync {row.install}]"
    lacking = missing(row, settings)
    return f"  [needs {', '.join(lacking)}]" if lacking else ""


def _as_json(settings: Settings, lineup: Lineup) -> list[dict[str, object]]:
    return [
        {
            "kind": row.kind,
            "value": row.value,
            "summary": row.summary,
            "local": row.local,
            "installed": row.installed,
            "missing": missing(row, settings),
            "chosen": lineup[row.kind].part.value == row.value,
            "why": lineup[row.kind].why if lineup[row.kind].part.value == row.value else "",
        }
        for row in PARTS
    ]
