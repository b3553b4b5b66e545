"""The words that `avatar account` takes."""

import argparse
import re
from collections.abc import Callable
from typing import NoReturn

from bots.account.kinds import KINDS
from bots.account.value import SETTINGS, TYPES, WHY, setting_of

# Where argparse repeats what it does not understand, which may be a secret.
REPEATED = re.compile(r"""(invalid choice: |ignored explicit argument )(['"]).*?\2""")
# The vendors whose voices can be taken over, and the type of their keys.
VENDORS = {"elevenlabs": "ELEVENLABS_API_KEY", "cartesia": "CARTESIA_API_KEY"}
EPILOG = """Without more words: what is left of the credits, and how many things there are. It asks
LIVEAVATAR_BASE_URL with LIVEAVATAR_API_KEY, which may be those of `avatar sandbox`."""


class Parser(argparse.ArgumentParser):
    """One that repeats no word."""

    def error(self, message: str) -> NoReturn:
        """End with what is wrong."""
        super().error(REPEATED.sub(r"\1•••", message))


def parser() -> Parser:
    """A parser whose result has `kind`, `verb` and what that takes; both are None if not said."""
    root = Parser(
        "avatar account",
        description="Show and change what is stored at LiveAvatar: for FULL sessions, embeds and"
        " vendors' agents.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    root.set_defaults(verb=None, json=False, own=False, public=False)
    root.set_defaults(force=False, setting=False)
    _json(root)
    kinds = root.add_subparsers(dest="kind", metavar="KIND", title="kinds")
    for name, kind in KINDS.items():
        text = f"List, add and delete: each {kind.one} has an id."
        each = kinds.add_parser(name, help=f"each {kind.one}", description=text, allow_abbrev=False)
        _json(each)
        if kind.public:
            _flag(each, "--own", "only those of the account")
            _flag(each, "--public", "only those that everybody has")
        verbs = each.add_subparsers(dest="verb", metavar="VERB", title="verbs")
        _add_verbs(verbs, name, kind.one)
    return root


def _add_verbs(verbs: "argparse._SubParsersAction[Parser]", name: str, one: str) -> None:
    def verb(word: str, text: str, more: str = "") -> Parser:
        made = verbs.add_parser(
            word, help=text, description=f"{text}. {more}".strip(), allow_abbrev=False
        )
        _json(made)
        return made

    ADDING[name](verb)
    show = verb("show", f"print one {one} whole, as JSON")
    show.add_argument("id", metavar="ID")
    delete = verb("delete", f"delete one {one}")
    delete.add_argument("id", metavar="ID")
    if name == "secrets":
        _flag(delete, "--force", "also when an LLM configuration uses it")


Verb = Callable[..., Parser]


def _add_avatar(verb: Verb) -> None:
    verb("add", "say how an avatar is made")


def _add_voice(verb: Verb) -> None:
    text = "take over a voice of ElevenLabs or Cartesia, to be used at once"
    names = " or ".join(setting_of(type) for type in VENDORS.values())
    made = verb("import", text, f"Its key is taken from {names}, else from standard input. {WHY}")
    vendors = made.add_mutually_exclusive_group(required=True)
    for vendor in VENDORS:
        vendors.add_argument(f"--{vendor}", metavar="VOICE_ID", help="the voice's id there")
    made.add_argument("--secret", metavar="ID", help="a secret that holds the key already")
    made.add_argument("--name", metavar="NAME", help="what the voice is called here")


def _add_context(verb: Verb) -> None:
    made = verb("add", "make a context", "${name} in its texts is filled by each session.")
    made.add_argument("--name", required=True, help="which no other context has")
    prompts = made.add_mutually_exclusive_group(required=True)
    prompts.add_argument("--prompt", metavar="TEXT", help="what the avatar knows and does")
    prompts.add_argument("--prompt-file", metavar="FILE", help="the same from a file, or from -")
    made.add_argument("--opening", default="", metavar="TEXT", help="what it says first")
    made.add_argument("--link", action="append", default=[], metavar="URL", help="may be repeated")


def _add_llm(verb: Verb) -> None:
    made = verb("add", "make an LLM configuration", "Its endpoint speaks OpenAI's protocol.")
    made.add_argument("--model", required=True, help="as the endpoint calls it")
    made.add_argument("--secret", required=True, metavar="ID", help="the secret with its key")
    made.add_argument("--name", help="what it is called here (the model)")
    made.add_argument("--base-url", metavar="URL", help="of the endpoint (OpenAI's)")


def _add_secret(verb: Verb) -> None:
    made = verb("add", "store a secret", WHY)
    made.add_argument("--name", required=True, help="what it is called here")
    made.add_argument("--type", required=True, help=" or ".join(TYPES))
    names = ", ".join(map(setting_of, SETTINGS))
    _flag(made, "--setting", f"take the value from the setting of its type: {names}")
    made.add_argument("--value", dest="bare_value", help=argparse.SUPPRESS)


ADDING = {
    "avatars": _add_avatar,
    "voices": _add_voice,
    "contexts": _add_context,
    "llms": _add_llm,
    "secrets": _add_secret,
}


def _json(parser: Parser) -> None:
    _flag(parser, "--json", "print JSON")


def _flag(parser: Parser, name: str, text: str) -> None:
    # A parser within another one would else take back what was said before it.
    parser.add_argument(name, action="store_true", default=argparse.SUPPRESS, help=text)
