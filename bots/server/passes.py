"""What lets somebody in: links for one visitor, and what a link is exchanged for.

All are signed with the access token, so whoever knows that can make them without the server, and a
new token ends them all. A link is used up by a file, which only one process can create.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipelines.cache import state_folder
from pipelines.settings import Settings

LINK, VISIT, EVAL = "avatar-link", "avatar-visit", "avatar-eval"
# As long as a Daily room lasts.
VISIT_S = 4 * 3600.0
LONGEST_PASS = 8192  # characters


@dataclass(frozen=True)
class Pass:
    """Whoever holds it may come, as one persona if that is named.

    Attributes:
        expires: seconds since the epoch.
        persona: id of the only one that is offered; None for those that all may choose.
        variables: what fills the persona's texts.
        id: what tells it from all others.
    """

    expires: float
    persona: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_hex(12))


class NoPass(Exception):
    """A link that lets nobody in; says why."""


class Passes:
    """Signs passes, and reads those that it has signed."""

    def __init__(
        self, token: str, used: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`used` is the folder that remembers links, `clock` gives seconds since the epoch."""
        self._key = hashlib.sha256(b"avatar's passes\n" + token.encode()).digest()
        self._used = used or state_folder() / "links"
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings) -> "Passes | None":
        """Those of the settings; None where no access token is set."""
        token = settings.avatar_access_token.get_secret_value()
        return cls(token) if token else None

    def sign(self, kind: str, made: Pass) -> str:
        """The text of a pass."""
        body = _encoded(json.dumps(asdict(made)).encode())
        return f"{kind}.{body}.{self._signature(kind, body)}"

    def read(self, kind: str, text: str) -> Pass | None:
        """A pass of this kind that is valid now; None where it is none."""
        named, _, rest = text[:LONGEST_PASS].partition(".")
        body, _, signature = rest.partition(".")
        if not text.isascii() or named != kind or not _same(signature, self._signature(kind, body)):
            return None
        try:
            found = Pass(**json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))
        except (ValueError, TypeError, binascii.Error):  # of another version
            return None
        return found if found.expires > self._clock() else None

    def exchange(self, link: str) -> tuple[str, Pass]:
        """What a link is worth, once: the text of a visit, and the visit.

        Raises:
            NoPass: it is none, has expired, or was used.
            OSError: it cannot be remembered that it was used.
        """
        found = self.read(LINK, link)
        if not found:
            raise NoPass("This link has expired, or is not whole: ask for another one.")
        if not self._use_up(found):
            raise NoPass("This link has been used: ask for another one.")
        visit = Pass(self._clock() + VISIT_S, found.persona, found.variables)
        return self.sign(VISIT, visit), visit

    def _use_up(self, link: Pass) -> bool:
        self._used.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget_expired()
        try:
            (self._used / f"{int(link.expires) + 1}-{link.id}").touch(0o600, exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _forget_expired(self) -> None:
        for file in self._used.iterdir():
            expires, _, _ = file.name.partition("-")
            if expires.isdecimal() and int(expires) < self._clock():
                file.unlink(missing_ok=True)

    def _signature(self, kind: str, body: str) -> str:
        made = hmac.new(self._key, f"{kind}.{body}".encode(), hashlib.sha256)
        return _encoded(made.digest())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
