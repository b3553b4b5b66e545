"""Every error this application raises, drawn as a tree.

AvatarError                 anything that is not a bug
├── UserError               whoever runs it can fix it: printed without traceback, exit code 2
│   ├── BadSetting          a setting has a value that cannot be used
│   ├── MissingSetting      a chosen part needs a setting that is empty
│   ├── UnknownPart         a part that is not in the table
│   ├── MissingExtra        parts whose packages are not installed
│   ├── Incompatible        two choices that cannot work together
│   └── NotOffered          a persona or a face that a user cannot choose
├── PartFailed              a part that was built but could not do its job
│   └── Ended               it was ended before it had begun, and nothing has failed
└── Spent                   conversations have cost as much as they may today
"""

from collections.abc import Iterable, Sequence


class AvatarError(Exception):
    """Anything that goes wrong and is not a bug of this application."""

    exit_code = 1


class UserError(AvatarError):
    """Something whoever runs the application can fix; the message says how.

    Attributes:
        problem: what cannot be.
        fix: what to do about it.
    """

    exit_code = 2

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem}: {fix}." if fix else problem)
        self.problem = problem
        self.fix = fix


class BadSetting(UserError):
    """A setting whose value cannot be used."""

    def __init__(self, name: str, problem: str, fix: str) -> None:
        super().__init__(f"{name} {problem}", fix)


class MissingSetting(UserError):
    """A chosen part needs a setting that is empty."""

    def __init__(self, choice: str, names: Iterable[str], instead: str | None) -> None:
        listed = " and ".join(names)
        other = f", or use {instead}, which needs no key" if instead else ""
        super().__init__(f"{choice} needs {listed}", f"set it in .env{other}")


class UnknownPart(UserError):
    """A part that is not in the table."""

    def __init__(self, kind: str, value: str, known: Iterable[str]) -> None:
        super().__init__(f"Unknown {kind} '{value}'", f"choose one of {', '.join(known)}")


class MissingExtra(UserError):
    """Parts whose packages are not installed."""

    def __init__(self, choices: Sequence[str], install: str) -> None:
        are = "is" if len(choices) == 1 else "are"
        super().__init__(f"{' and '.join(choices)} {are} not installed", f"run `{install}`")


class Incompatible(UserError):
    """Two choices that cannot work together."""


class NotOffered(UserError):
    """A persona or a face that a user cannot choose."""

    def __init__(self, kind: str, asked: object, offered: Iterable[str]) -> None:
        listed = ", ".join(offered)
        fix = f"choose one of {listed}" if listed else "leave it out, there is nothing to choose"
        super().__init__(f"There is no {kind} {str(asked)[:40]!r} here", fix)


class PartFailed(AvatarError):
    """A part that was built but could not do its job."""


class Ended(PartFailed):
    """Somebody has ended it before it had begun: nothing has failed."""


class Spent(AvatarError):
    """Conversations have cost as much as they may today.

    Attributes:
        retry_s: in how many seconds it is another day.
    """

    def __init__(self, retry_s: int) -> None:
        super().__init__("The avatar has cost as much as it may today: call again tomorrow (UTC).")
        self.retry_s = retry_s
