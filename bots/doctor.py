"""`avatar doctor`: finds what would spoil a conversation before it does."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

from bots import log
from bots.beside import choose_with_sandbox
from bots.flags import chosen, settings_parser, variables
from liveavatar.rest import LiveAvatarError, check_key
from pipelines.errors import UserError
from pipelines.installation import adds
from pipelines.parts import KINDS, PARTS, Part, load, missing, why_no_ollama
from pipelines.persona import load_persona
from pipelines.settings import Settings, load_settings

TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True)
class Finding:
    """One checked thing: "ok", "off" (not used and not usable) or "bad", and the fix."""

    what: str
    state: str
    detail: str
    fix: str = ""


class Unused(Exception):
    """A part that cannot be used, and that nobody asked for; says why."""


def run(words: Sequence[str]) -> int:
    """Print the findings; 2 when something that is in use is bad, else 0."""
    parser = settings_parser("avatar doctor", "Check keys, models, ports and packs.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(words)
    settings = load_settings(**chosen(arguments))
    log.redact(settings)
    log.show(settings)
    findings = asyncio.run(examine(settings, variables(arguments.var)))
    print(_json(findings) if arguments.json else _table(findings))
    return 2 if any(finding.state == "bad" for finding in findings) else 0


async def examine(settings: Settings, given: dict[str, str]) -> list[Finding]:
    """Check everything."""
    findings = [_lineup(settings), _persona(settings, given), _port(settings), _folder(settings)]
    async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
        findings += await asyncio.gather(*(_part(row, settings, http) for row in PARTS))
    return findings


def _lineup(settings: Settings) -> Finding:
    try:
        lineup = choose_with_sandbox(settings)
    except UserError as error:
        return Finding("line-up", "bad", *_split(error))
    return Finding("line-up", "ok", ", ".join(lineup[kind].part.value for kind in KINDS))


def _persona(settings: Settings, given: dict[str, str]) -> Finding:
    try:
        persona = load_persona(settings.avatar_persona)
        persona.filled({**dict.fromkeys(persona.variables, "…"), **given})
    except UserError as error:
        return Finding("persona", "bad", *_split(error))
    asked = [name for name in persona.variables if name not in given]
    needs = f", /start has to send {', '.join(asked)}" if asked else ""
    return Finding("persona", "ok", f"{persona.name}, speaks {persona.language}{needs}")


def _port(settings: Settings) -> Finding:
    what, host, port = "port", settings.avatar_host, settings.avatar_port
    try:
        with socket.create_server((host, port)):
            return Finding(what, "ok", f"{port} is free on {host}")
    except OSError as error:
        return Finding(what, "bad", f"{port} on {host}: {error.strerror}", "set AVATAR_PORT")


def _folder(settings: Settings) -> Finding:
    what, folder = "transcripts", settings.avatar_transcripts
    if folder == "none":
        return Finding(what, "ok", "none are kept")
    path = Path(folder).expanduser().resolve()
    exists = next(p for p in (path, *path.parents) if p.exists())
    if exists.is_dir() and _writable(exists):
        return Finding(what, "ok", f"kept in {path}")
    return Finding(what, "bad", f"{path} cannot be written", "set AVATAR_TRANSCRIPTS")


def _writable(folder: Path) -> bool:
    probe = folder / ".avatar-doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


async def _part(row: Part, settings: Settings, http: aiohttp.ClientSession) -> Finding:
    """Whether a part could be used; it is bad only when it is asked for or its key is set."""
    if not row.installed:
        return Finding(row.choice, _severity(row, settings), "not installed", adds(row.extra))
    lacking = missing(row, settings)
    if lacking and row.value == "heygen" and _severity(row, settings) == "bad":
        return _sandbox(row, settings)
    if lacking:
        return Finding(row.choice, _severity(row, settings), "no key", f"set {', '.join(lacking)}")
    try:
        detail = await CHECKS.get(row.choice, _loads)(row, settings, http)
    except Unused as error:
        return Finding(row.choice, "off", str(error))
    except UserError as error:
        return Finding(row.choice, "bad", *_split(error))
    except LiveAvatarError as error:
        return Finding(row.choice, "bad", str(error), f"check {row.needs[0].upper()}")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Finding(
            row.choice, "bad", f"cannot be reached ({error or 'time-out'})", "check its base URL"
        )
    return Finding(row.choice, "ok", detail)


def _sandbox(row: Part, settings: Settings) -> Finding:
    """Whether a LiveAvatar without a key can be the sandbox, which needs a LiveKit server."""
    from sandbox.livekit_server import find_binary

    if settings.is_set("livekit_url") or find_binary():
        return Finding(row.choice, "ok", "no key: the sandbox on this machine is used")
    keys = " or ".join(missing(row, settings))
    fix = f"set {keys}, or put a `livekit-server` on PATH (scripts/livekit-server builds one)"
    return Finding(row.choice, "bad", "no key, and no LiveKit server for the sandbox", fix)


def _severity(row: Part, settings: Settings) -> str:
    return "bad" if getattr(settings, row.kind) == row.value else "off"


def _split(error: UserError) -> tuple[str, str]:
    problem, _, fix = str(error).rpartition(": ")
    return problem or str(error), fix.rstrip(".")


async def _loads(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    """Import the part and load its model, if it has one."""
    module = await asyncio.to_thread(load, row)
    if not hasattr(module, "warm_up"):
        return "installed"
    persona = load_persona(settings.avatar_persona)
    await asyncio.to_thread(module.warm_up, settings, persona)
    return "loads"


async def _accepted(
    http: aiohttp.ClientSession, row: Part, url: str, headers: dict[str, str]
) -> str:
    async with http.get(url, headers=headers) as response:
        if response.status in (400, 401, 403):
            raise UserError(
                f"the key was refused ({response.status}): check {row.needs[-1].upper()}."
            )
        if not response.ok:
            raise UserError(f"{url} answered {response.status}: check its base URL.")
    return "key accepted"


async def _deepgram(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    token = settings.deepgram_api_key.get_secret_value()
    url = f"{settings.deepgram_base_url.rstrip('/')}/v1/projects"
    return await _accepted(http, row, url, {"Authorization": f"Token {token}"})


async def _gemini(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    key = settings.google_api_key.get_secret_value()
    url = f"{settings.google_base_url.rstrip('/')}/v1beta/models?pageSize=1"
    return await _accepted(http, row, url, {"x-goog-api-key": key})


async def _cartesia(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    key = settings.cartesia_api_key.get_secret_value()
    url = f"{settings.cartesia_base_url.rstrip('/')}/voices?limit=1"
    return await _accepted(http, row, url, {"X-API-Key": key, "Cartesia-Version": "2025-04-16"})


async def _daily(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    key = settings.daily_api_key.get_secret_value()
    url = f"{settings.daily_base_url.rstrip('/')}/"
    return await _accepted(http, row, url, {"Authorization": f"Bearer {key}"})


async def _liveavatar(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    key = settings.liveavatar_api_key.get_secret_value()
    await check_key(http, settings.liveavatar_base_url, key)
    return "key accepted"


async def _livekit(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    from livekit import api

    secrets = (settings.livekit_api_key, settings.livekit_api_secret)
    key, secret = (value.get_secret_value() for value in secrets)
    async with api.LiveKitAPI(settings.livekit_url, key, secret, session=http) as livekit:
        try:
            await livekit.room.list_rooms(api.ListRoomsRequest())
        except api.TwirpError as error:
            raise UserError(
                f"the key was refused ({error.code}): check LIVEKIT_API_KEY and LIVEKIT_API_SECRET."
            ) from None
    return "key accepted"


async def _ollama(row: Part, settings: Settings, http: aiohttp.ClientSession) -> str:
    problem = await asyncio.to_thread(why_no_ollama, settings)
    if problem and settings.llm == "ollama":
        raise UserError(f"{problem}: start it, or set OLLAMA_BASE_URL.")
    if problem:
        raise Unused(problem)
    return "answers"


CHECKS: dict[str, Callable[[Part, Settings, aiohttp.ClientSession], Awaitable[str]]] = {
    "STT=deepgram": _deepgram,
    "LLM=gemini": _gemini,
    "LLM=ollama": _ollama,
    "TTS=cartesia": _cartesia,
    "AVATAR=heygen": _liveavatar,
    "TRANSPORT=heygen": _liveavatar,
    "TRANSPORT=daily": _daily,
    "TRANSPORT=livekit": _livekit,
}


def _json(findings: Sequence[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def _table(findings: Sequence[Finding]) -> str:
    marks = {"ok": "✓", "off": "·", "bad": "✗"}
    return "\n".join(
        f"{marks[f.state]} {f.what:18} {f.detail}{f'  → {f.fix}' if f.fix else ''}"
        for f in findings
    )
