"""Our mind as LiveAvatar's Custom LLM: what is stored of it there, and found again.

LiveAvatar keeps a secret and, for each persona, an LLM configuration that leads to this server
(liveavatar-protocol: 5). Names tell which server's they are, and of which bearer.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from web.loopback import is_loopback
from web.port import own_url

from .cache import state_folder
from .errors import BadSetting, Incompatible, MissingSetting, UserError
from .parts import has_mind
from .persona import Persona
from .redaction import REDACTION
from .settings import Settings

if TYPE_CHECKING:
    from liveavatar import LiveAvatar
    from liveavatar.records import LLM, Dated, Secret

PATH = "/v1"
NAME = "avatar's mind"
KIND = "LLM_API_KEY"
# Between the persona's prompt and the caller's, and where a variable stands.
ADDED = "Whoever asks you says about this conversation:"
GAP = "\0"
PUBLIC = "AVATAR_PUBLIC_URL"
# What LiveAvatar stores may be changed there by anybody, so it is looked at again after so long.
KNOWN_S = 300.0


def is_lent(settings: Settings) -> bool:
    """Whether this server answers others with its mind.

    Where LiveAvatar runs the conversation, a mind of ours is one that it asks.
    """
    return settings.avatar_lend_mind or (settings.transport == "full" and has_mind(settings))


def check(settings: Settings) -> None:
    """See to it that LiveAvatar would find this server.

    Raises:
        MissingSetting: it needs an address, since LiveAvatar is not on this machine.
        BadSetting: LiveAvatar cannot use the address that is set.
    """
    where = urlsplit(settings.liveavatar_base_url)
    url = urlsplit(settings.avatar_public_url)
    if is_loopback(where.hostname or "") or not settings.is_set("liveavatar_api_key"):
        return
    if not url.hostname:
        raise MissingSetting("A mind that is lent to LiveAvatar", [PUBLIC], None)
    if where.scheme == "https" and (url.scheme != "https" or is_loopback(url.hostname)):
        raise BadSetting(
            f"{PUBLIC}={settings.avatar_public_url}",
            "cannot be reached by LiveAvatar",
            "give an address of https that others can open, as a proxy or a tunnel has one",
        )


def bearer_file() -> Path:
    """Where the bearer is kept that is made on this machine, once."""
    return state_folder() / "mind" / "bearer"


def known_bearer(settings: Settings) -> str:
    """What lets into the mind, if there is such a thing yet."""
    given = settings.avatar_mind_token.get_secret_value()
    return given or (_kept(bearer_file(), "") if bearer_file().exists() else "")


def bearer(settings: Settings) -> str:
    """What lets into the mind, made if there is no such thing yet; no log shows it.

    Raises:
        UserError: what is made once cannot be kept.
    """
    given = settings.avatar_mind_token.get_secret_value()
    bearer = given or _kept(bearer_file(), secrets.token_urlsafe(32))
    REDACTION.hide(bearer)
    return bearer


class Lender:
    """Lends the mind of one server.

    Attributes:
        bearer: lets into it; no log shows it.
    """

    def __init__(
        self, settings: Settings, port: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`port` is where it listens; 0 for that of the settings.

        Raises:
            UserError: what is made for it once cannot be kept.
        """
        self._settings, self._port = settings, port or settings.avatar_port
        self._clock = clock
        self._mark = _kept(state_folder() / "mind" / "mark", secrets.token_hex(4))
        self.bearer = bearer(settings)
        self._lock = asyncio.Lock()
        # Of personas: what was stored last, and what is taken to be there as it should be, with the
        # time until when.
        self._ids: dict[str, str] = {}
        self._known: dict[str, tuple[str, float]] = {}
        self._doubts = 0

    def opened(self, port: int) -> None:
        """The server listens on this port."""
        self._port = port

    @property
    def base_url(self) -> str:
        """Where the mind is asked, as LiveAvatar finds it."""
        own = own_url(self._settings.avatar_host, self._port)
        return (self._settings.avatar_public_url or own) + PATH

    def doubt(self) -> None:
        """LiveAvatar may have lost what was stored, so it is looked at again before it is used."""
        self._doubts += 1
        self._known.clear()

    async def configuration(self, live: "LiveAvatar", persona: str) -> str:
        """The `llm_configuration_id` for the persona of an id, stored if it is not there yet.

        It is looked at, and then taken to be there for some minutes, or until there is a doubt.

        Raises:
            LiveAvatarError: LiveAvatar does not keep it.
        """
        if known := self._taken(persona):
            return known
        async with self._lock:
            if known := self._taken(persona):
                return known
            doubts, until_s = self._doubts, self._clock() + KNOWN_S
            id = await self._stored(live, persona)
            if doubts == self._doubts:
                self._known[persona] = id, until_s
            return id

    def _taken(self, persona: str) -> str:
        """What is taken to be there; "" if it has to be looked at."""
        id, until_s = self._known.get(persona, ("", 0.0))
        return id if self._clock() < until_s else ""

    async def _stored(self, live: "LiveAvatar", persona: str) -> str:
        secret, found = await asyncio.gather(self._secret(live), self._found(live, persona))
        known = found or await self._made(live, persona, secret)
        self._ids[persona] = known.id
        await self._mend(live, known, persona, secret)
        return known.id

    async def _found(self, live: "LiveAvatar", persona: str) -> "LLM | None":
        """The configuration of this server, or of one at the same public address."""
        ours = [each for each in await live.llms.all() if each.display_name.startswith(NAME)]
        ours = sorted((each for each in ours if each.model_name == persona), key=_age)
        for each in ours:
            if each.id == self._ids.get(persona) or each.display_name == self._name(persona):
                return await live.llms.get(each.id)
        for each in ours if self._settings.avatar_public_url else []:
            detail = await live.llms.get(each.id)
            if detail.base_url == self.base_url:
                return detail
        return None

    async def _made(self, live: "LiveAvatar", persona: str, secret: str) -> "LLM":
        """A new one; of several that processes make at once, all take the first."""
        made = await live.llms.add(persona, secret, self._name(persona), self.base_url)
        every = [each for each in await live.llms.all() if each.display_name == self._name(persona)]
        first = min(every, key=_age).id
        if first != made:
            await live.llms.delete(made)
        return await live.llms.get(first)

    async def _mend(self, live: "LiveAvatar", known: "LLM", persona: str, secret: str) -> None:
        """Let a configuration lead here, with our secret; forget the one before."""
        if (known.secret_id, known.base_url) == (secret, self.base_url):
            return
        await live.llms.change(known.id, persona, secret, base_url=self.base_url)
        before = known.secret_id
        if before == secret or any(each.secret_id == before for each in await live.llms.all()):
            return
        for each in await live.secrets.all():
            if each.id == before and each.secret_name.startswith(NAME):
                await live.secrets.delete(each.id)

    async def _secret(self, live: "LiveAvatar") -> str:
        """The id of the secret that holds our bearer, by a name that tells which bearer it is."""
        if found := await self._secrets(live):
            return found[0].id
        made = await live.secrets.add(self._secret_name, self.bearer, KIND)
        first = (await self._secrets(live))[0].id
        if first != made:
            await live.secrets.delete(made)
        return first

    async def _secrets(self, live: "LiveAvatar") -> "list[Secret]":
        every = await live.secrets.all()
        return sorted((each for each in every if each.secret_name == self._secret_name), key=_age)

    def _name(self, persona: str) -> str:
        return f"{NAME} {self._mark}-{self._port}: {persona}"

    @property
    def _secret_name(self) -> str:
        return f"{NAME} {hashlib.sha256(self.bearer.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class LentMind:
    """The mind that LiveAvatar asks in one conversation.

    Attributes:
        lender: stores it there.
        persona: the id of who is asked.
        given: the variables that are the same in every conversation of this server.
    """

    lender: Lender
    persona: str
    given: Mapping[str, str]

    async def configuration(self, live: "LiveAvatar") -> str:
        """The `llm_configuration_id` that leads to it. Raises: LiveAvatarError."""
        return await self.lender.configuration(live, self.persona)

    def forget(self) -> None:
        """What is stored of it is not there as it was."""
        self.lender.doubt()


def told(persona: Persona, given: Mapping[str, str], context: str) -> str:
    """What the mind is told to be: the persona, then what the caller has told it in its own words.

    A caller may have the persona's prompt as its own, as LiveAvatar has whose context was made of
    it: then that is all, filled in as the caller has done.

    Raises:
        Incompatible: the prompt has a variable that nobody fills.
    """
    if context and _holds(context, persona):
        return context
    if lacking := untold(persona, given, context):
        raise Incompatible(
            f"{persona.name}'s prompt leaves {lacking} to each conversation",
            "send the prompt, filled in, as the system message, or start the server with --var",
        )
    prompt = filled(persona, given).prompt
    return f"{prompt}\n\n{ADDED}\n{context}" if context else prompt


def untold(persona: Persona, given: Mapping[str, str], context: str) -> str:
    """The variables of a prompt that nobody fills, "guest and topic"; "" if there are none.

    A caller whose context has the prompt in it has filled them.
    """
    if _holds(context, persona):
        return ""
    return " and ".join(sorted({*Template(persona.prompt).get_identifiers()} - {"name", *given}))


def filled(persona: Persona, given: Mapping[str, str]) -> Persona:
    """The persona with what is given; a variable of which nothing is known is left out."""
    return persona.filled({**dict.fromkeys(persona.variables, ""), **given})


def _holds(context: str, persona: Persona) -> bool:
    """Whether a text has a persona's prompt in it, whatever its variables stand for."""
    blank = {name: GAP for name in Template(persona.prompt).get_identifiers()}
    prompt = Template(persona.prompt).safe_substitute(blank | {"name": persona.name})
    text, at = " ".join(context.split()), 0
    for piece in (" ".join(piece.split()) for piece in prompt.split(GAP)):
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _kept(file: Path, new: str) -> str:
    """The word that is kept in a file, from the first start on; only its owner can read it.

    Raises:
        UserError: it cannot be.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _write_once(file, new)
        kept = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or "it is no text"
        raise UserError(f"{file} cannot be kept ({why})", "mend that, or delete it") from None
    if not kept:
        raise UserError(f"{file} is empty", "delete it")
    return kept


def _write_once(file: Path, text: str) -> None:
    """Write a file as a whole, unless another process was faster."""
    descriptor, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(descriptor, "w") as made:
            made.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        os.unlink(name)


def _age(thing: "Dated") -> tuple[float, str]:
    """What came first has the least."""
    made = thing.created_at
    return made.timestamp() if made else 0.0, thing.id
