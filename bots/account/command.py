"""`avatar account`: lists, adds and deletes what is stored at LiveAvatar."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import aiohttp

from bots import log
from bots.account.adding import adding
from bots.account.kinds import KINDS, Kind, Listed, listed
from bots.account.parser import parser
from liveavatar import LiveAvatar, LiveAvatarError, NoAnswer
from liveavatar.answers import printable
from pipelines.errors import AvatarError, MissingSetting, PartFailed, UserError
from pipelines.settings import Settings, load_settings

Act = Callable[[LiveAvatar], Awaitable[str]]


def run(words: Sequence[str]) -> int:
    """Do what the words say, and print it.

    Raises:
        UserError: it cannot be done; says why.
        PartFailed: LiveAvatar does not do it now.
    """
    settings = load_settings()
    log.show(settings.model_copy(update={"avatar_log_level": "CRITICAL"}))
    print(asyncio.run(do(settings, words)))
    return 0


def do(settings: Settings, words: Sequence[str]) -> Coroutine[Any, Any, str]:
    """Do what the words say; what is to be printed. Raises: as `run()`.

    What it needs is read before any loop runs, so that Ctrl-C ends a prompt.
    """
    options = _parsed(words)
    if not settings.is_set("liveavatar_api_key"):
        raise MissingSetting("avatar account", ["LIVEAVATAR_API_KEY"], None)
    return _done(settings, options.kind, _act(options, settings))


async def _done(settings: Settings, kind: str | None, act: Act) -> str:
    async with aiohttp.ClientSession() as http:
        key = settings.liveavatar_api_key.get_secret_value()
        live = LiveAvatar(http, key, settings.liveavatar_base_url)
        try:
            return await act(live)
        except LiveAvatarError as error:
            raise _told(error, kind) from None


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """The words, none of which is repeated where it is not understood: it may be a secret."""
    options, rest = parser().parse_known_args(words)
    if rest:
        flags = [word.partition("=")[0] for word in rest if word.startswith("--")]
        what = " and ".join(flags) or ("a word" if len(rest) == 1 else f"{len(rest)} words")
        known = " ".join(filter(None, ("avatar account", options.kind, options.verb)))
        raise UserError(f"`{known}` does not know {what} of these", f"see `{known} --help`")
    return options


def _act(options: argparse.Namespace, settings: Settings) -> Act:
    """What is to be done, as a function of the account."""
    kind = KINDS[options.kind] if options.kind else None
    match kind, options.verb:
        case None, _:
            return lambda live: _summary(live, options)
        case kind, None:
            return lambda live: _list(live, kind, options)
        case kind, "show":
            return lambda live: _show(live, kind, options)
        case kind, "delete":
            return lambda live: _delete(live, kind, options)
    add = adding(options, settings)

    async def made(live: LiveAvatar) -> str:
        new = await add(live)
        return _written(new.fields) if options.json else new.text

    return made


async def _summary(live: LiveAvatar, options: argparse.Namespace) -> str:
    left = await live.credits()
    counts = {name: len(await kind.own(live)) for name, kind in KINDS.items()}
    if options.json:
        return _written({"credits_left": str(left), **counts})
    things = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{left} credits are left. There are {things}: list them with `avatar account KIND`."


async def _list(live: LiveAvatar, kind: Kind, options: argparse.Namespace) -> str:
    both = options.own == options.public
    found = await listed(live, kind, own=both or options.own, public=both or options.public)
    if options.json:
        return _written([each.told() for each in found])
    return "\n".join(_row(kind, each) for each in found) or f"There is no {kind.one}."


def _row(kind: Kind, each: Listed) -> str:
    whose = "" if each.public is None else "everybody's" if each.public else "own"
    details = ", ".join(filter(None, (whose, *kind.detail(each.record))))
    return printable(f"{each.record.key:36}  {kind.name(each.record)}  {details}".rstrip())


async def _show(live: LiveAvatar, kind: Kind, options: argparse.Namespace) -> str:
    found = await _found(live, kind, options)
    return _written(found.model_dump(mode="json"))


async def _delete(live: LiveAvatar, kind: Kind, options: argparse.Namespace) -> str:
    found = await _found(live, kind, options)
    if options.kind == "secrets" and not options.force:
        await _check_unused(live, options.id)
    await kind.delete(live, options.id)
    name = kind.name(found)
    if options.json:
        return _written({"kind": kind.one, "id": options.id, "name": name, "deleted": True})
    return printable(f"The {kind.one} {name!r} ({options.id}) is deleted.")


async def _found(live: LiveAvatar, kind: Kind, options: argparse.Namespace) -> Any:
    try:
        return await kind.find(live, options.id)
    except LiveAvatarError as error:
        # What is no UUID may be malformed to a server, and what is empty to us.
        if isinstance(error, NoAnswer) or error.status not in (None, 404, 422):
            raise
        raise UserError(
            f"There is no {kind.one} {options.id!r} here", f"see `avatar account {options.kind}`"
        ) from None


async def _check_unused(live: LiveAvatar, secret_id: str) -> None:
    """Raises: UserError when a configuration would fail from then on without a word."""
    users = [llm.id for llm in await live.llms.all() if llm.secret_id == secret_id]
    if users:
        raise UserError(
            f"The secret is used by LLM configuration {' and '.join(users)}",
            "delete that first, or give --force",
        )


def _told(error: LiveAvatarError, kind: str | None) -> AvatarError:
    """An error of LiveAvatar's as one of this application: whose fault it is, and what to do."""
    if isinstance(error, NoAnswer):
        return PartFailed(str(error))
    if error.status in (401, 403):
        return UserError(f"LiveAvatar refused the key: {error.problem}", "check LIVEAVATAR_API_KEY")
    if error.status is None or 400 <= error.status < 500:
        help_ = f"avatar account {kind or ''}".rstrip()
        return UserError(f"LiveAvatar refused: {error.problem}", f"see `{help_} --help`")
    if error.status < 400 and error.code is None:
        return UserError(error.problem, "check LIVEAVATAR_BASE_URL")
    return PartFailed(f"LiveAvatar failed: {error.problem}; try again later.")


def _written(value: Any) -> str:
    return json.dumps(value, indent=2)
