"""What `avatar account` adds: each gives what to say of it, as JSON and as text."""

import argparse
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bots.account import value
from bots.account.parser import VENDORS
from liveavatar import LiveAvatar, LiveAvatarError, NoAnswer
from liveavatar.records import Link
from pipelines.errors import UserError
from pipelines.settings import Settings

TYPE = re.compile(r"[A-Z][A-Z_]{2,63}")
ON_THE_COMMAND_LINE = "A secret's value on the command line stands in the history of your shell"
IMPORTED = """Voice {id} of {vendor} is imported, and can be used at once:
  in a token request of FULL   "avatar_persona": {{"voice_id": "{id}"}}
  in Python                    AvatarPersona(voice_id="{id}")
Its key is secret {secret}: import more with --secret {secret}."""


@dataclass(frozen=True)
class Made:
    """Something new."""

    fields: dict[str, Any]
    text: str


Add = Callable[[LiveAvatar], Awaitable[Made]]


def adding(options: argparse.Namespace, settings: Settings) -> Add:
    """What is to be added, with all that it needs read before anything is asked.

    Raises:
        UserError: it cannot be; says why.
    """
    return {
        "avatars": _avatar,
        "voices": _voice,
        "contexts": _context,
        "llms": _llm,
        "secrets": _secret,
    }[options.kind](options, settings)


def _avatar(options: argparse.Namespace, settings: Settings) -> Add:
    raise UserError(
        "LiveAvatar has no call that makes an avatar",
        "make it on app.liveavatar.com, then see `avatar account avatars --own`",
    )


def _voice(options: argparse.Namespace, settings: Settings) -> Add:
    vendor = next(name for name in VENDORS if getattr(options, name) is not None)
    type = VENDORS[vendor]
    voice_id, secret_id = getattr(options, vendor).strip(), options.secret
    if not voice_id:
        raise UserError(f"--{vendor} is empty", "give the id of a voice")
    key = ""
    if not secret_id:
        has_key = settings.is_set(value.SETTINGS[type])
        key = value.of_setting(type, settings) if has_key else value.typed(f"Key of {vendor}")

    async def add(live: LiveAvatar) -> Made:
        secret = secret_id or await live.secrets.add(f"{vendor}, for voices", key, type)
        try:
            id = await live.voices.add(voice_id, secret, options.name)
        except NoAnswer as error:
            kept = "" if secret_id else f" Its key is secret {secret}."
            unknown = f"{error.problem}. Whether the voice is imported is not known.{kept}"
            raise UserError(unknown, "see `avatar account voices --own`") from None
        except LiveAvatarError as error:
            if not secret_id:
                await _forget(live, secret, error)
            raise
        fields = {"id": id, "provider_voice_id": voice_id, "secret_id": secret}
        return Made(fields, IMPORTED.format(id=id, vendor=vendor, secret=secret))

    return add


async def _forget(live: LiveAvatar, secret_id: str, why: LiveAvatarError) -> None:
    """Take back a secret of which nothing came. Raises: UserError when it stays."""
    try:
        await live.secrets.delete(secret_id)
    except LiveAvatarError:
        left = f"{why.problem}. What was stored for it is left there"
        raise UserError(left, f"run `avatar account secrets delete {secret_id}`") from None


def _context(options: argparse.Namespace, settings: Settings) -> Add:
    prompt = options.prompt if options.prompt is not None else _text(options.prompt_file)
    links = [Link(url=url) for url in options.link]

    async def add(live: LiveAvatar) -> Made:
        id = await live.contexts.add(options.name, prompt, options.opening, links)
        return Made({"id": id, "name": options.name}, f"Context {id} ({options.name}) is made.")

    return add


def _llm(options: argparse.Namespace, settings: Settings) -> Add:
    name = options.name or options.model

    async def add(live: LiveAvatar) -> Made:
        id = await live.llms.add(options.model, options.secret, name, options.base_url)
        fields = {"id": id, "display_name": name, "model_name": options.model}
        text = f'LLM configuration {id} ({name}) is made: "llm_configuration_id": "{id}".'
        return Made({**fields, "secret_id": options.secret}, text)

    return add


def _secret(options: argparse.Namespace, settings: Settings) -> Add:
    if options.bare_value is not None:
        raise UserError(ON_THE_COMMAND_LINE, "take it out of there, and give it on standard input")
    if not TYPE.fullmatch(options.type):
        known = ", ".join(value.TYPES)
        raise UserError("--type is no type of secret", f"choose one of {known}")
    kept = value.of_setting(options.type, settings) if options.setting else value.typed("The value")

    async def add(live: LiveAvatar) -> Made:
        id = await live.secrets.add(options.name, kept, options.type)
        fields = {"id": id, "secret_name": options.name, "secret_type": options.type}
        return Made(fields, f"Secret {id} ({options.name}) is stored.")

    return add


def _text(file: str) -> str:
    """The text of a file, or of standard input. Raises: UserError."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or "it is no text in UTF-8"
        raise UserError(
            f"--prompt-file {file} cannot be read ({why})", "name a text file"
        ) from None
