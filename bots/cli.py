"""The command `avatar`: finds the verb, and turns errors into exit codes."""

import importlib
import sys
from collections.abc import Sequence

from bots.leaving import leave
from bots.memory import return_large
from pipelines.errors import AvatarError, MissingExtra
from pipelines.installation import adds, version
from pipelines.parts import part
from pipelines.settings import calculate_in_one_thread

VERBS = {
    "talk": "bots.talk",
    "parts": "bots.parts",
    "doctor": "bots.doctor",
    "sandbox": "bots.sandbox",
    "eval": "bots.eval.command",
    "join": "bots.join",
    "link": "bots.link",
    # A module of the verb's name would hide the package from bots/avatar.py, started as a file.
    "sessions": "bots.ledger",
    "account": "bots.account.command",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `avatar [verb] [options]`; without a verb it talks."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        print(version())
        return
    verb = words.pop(0) if words and words[0] in VERBS else "talk"
    return_large()
    calculate_in_one_thread()  # what numpy and OpenCV, imported later, are asked for is small
    try:
        _check_installed(verb)
        sys.exit(importlib.import_module(VERBS[verb]).run(words))
    except AvatarError as error:
        from pipelines.redaction import redacted  # which a command that only helps does not need

        print(f"avatar: {redacted(str(error))}", file=sys.stderr)
        leave(error.exit_code)


def _check_installed(verb: str) -> None:
    """LiveKit rooms, where the sandbox meets its clients, come with an extra."""
    rooms = part("transport", "livekit")
    if verb in ("sandbox", "join") and not rooms.installed:
        raise MissingExtra([f"avatar {verb}"], adds(rooms.extra))


if __name__ == "__main__":
    main()
