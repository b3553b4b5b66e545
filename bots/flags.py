"""The command line of a conversation: one flag for every setting that is no secret."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import SecretStr

from pipelines.errors import UserError
from pipelines.settings import Settings

EPILOG = """Every option can also be set in the environment or in .env; keys only there (see
.env.example)."""
# Other names of flags: those that Pipecat's runner has, too.
ALSO = {
    "transport": ["-t"],
    "avatar_uploads_folder": ["-u"],
    "avatar_downloads_folder": ["-f", "--folder"],
}
VERBS = (
    "Other commands: avatar parts, doctor, sandbox, join, link, eval, sessions, account (each"
    " with --help); avatar --version."
)


def flags() -> dict[str, str]:
    """Every flag and the setting it sets."""
    fields = Settings.model_fields.items()
    return {_flag(n): n for n, field in fields if field.annotation is not SecretStr}


def _flag(field: str) -> str:
    """The flag of a field: `avatar_port` is `--port`, `tts` is `--tts`."""
    return "--" + field.removeprefix("avatar_").replace("_", "-")


def settings_parser(prog: str, description: str) -> argparse.ArgumentParser:
    """A parser with one flag per setting; a flag that is not given is None."""
    parser = argparse.ArgumentParser(
        prog, description=f"{description} {VERBS}", epilog=EPILOG, allow_abbrev=False
    )
    for flag, name in flags().items():
        _add(parser, flag, name)
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="fill ${NAME} in the persona; may be repeated",
    )
    return parser


def _add(parser: argparse.ArgumentParser, flag: str, name: str) -> None:
    field = Settings.model_fields[name]
    help_ = (field.description or "").replace("%", "%%")
    names = [*ALSO.get(name, []), flag]
    if name == "avatar_ice_servers":
        parser.add_argument(*names, dest=name, nargs="*", metavar="SERVER", help=help_)
    elif field.annotation is bool:
        parser.add_argument(*names, dest=name, action=argparse.BooleanOptionalAction, help=help_)
    else:
        parser.add_argument(*names, dest=name, metavar=_metavar(name), help=help_)


def _metavar(name: str) -> str:
    return name.rsplit("_", 1)[-1].upper()


def chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings among parsed arguments, None where a flag was not given."""
    return {name: getattr(arguments, name) for name in flags().values()}


def variables(pairs: Sequence[str]) -> dict[str, str]:
    """The persona's variables, from NAME=VALUE pairs.

    Raises:
        UserError: a pair is not NAME=VALUE.
    """
    split = [pair.partition("=") for pair in pairs]
    for name, equals, _ in split:
        if not (equals and name.isidentifier()):
            raise UserError(f"--var {name} is no variable", "write it as --var NAME=VALUE")
    return {name: value for name, _, value in split}


def between(least: int, most: int = 10**9) -> Callable[[str], int]:
    """An option's type: whole numbers of a range."""

    def read(text: str) -> int:
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")

    return read


PORT_NUMBER = between(0, 65_535)
