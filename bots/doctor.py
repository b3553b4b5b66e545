"""`avatar doctor`: finds what would spoil a conversation before it does."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Sequence
from dataclasses import asdict

import aiohttp

from bots import home, log
from bots.beside import choose_with_sandbox
from bots.finding import Finding
from bots.flags import chosen, settings_parser, variables
from pipelines import traces
from pipelines.errors import BadSetting, Incompatible, UnknownPart, UserError
from pipelines.guard.matching import own_turns
from pipelines.installation import adds
from pipelines.keeping import folder, kept
from pipelines.offer import every_persona, offered_personas, unvoiced
from pipelines.parts import KINDS, PARTS, Lineup, Part, choose_one, load, missing, part
from pipelines.persona import load_persona
from pipelines.settings import Settings, load_settings
from pipelines.spelling import misspelt
from web.port import listen

TIMEOUT = aiohttp.ClientTimeout(total=10)


def run(words: Sequence[str]) -> int:
    """Print the findings; 2 when something that is in use is bad, else 0."""
    parser = settings_parser("avatar doctor", "Check keys, models, ports and packs.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(words)
    settings = load_settings(**chosen(arguments))
    log.show(settings)
    findings = asyncio.run(examine(settings, variables(arguments.var)))
    print(_json(findings) if arguments.json else _table(findings))
    return 2 if any(finding.state == "bad" for finding in findings) else 0


async def examine(settings: Settings, given: dict[str, str]) -> list[Finding]:
    """Check everything."""
    findings = [*_lineup(settings), _persona(settings, given)]
    findings += [_port(settings), _folder(settings), *_traces(settings)]
    findings += [Finding("settings", "bad", name.problem, name.fix) for name in misspelt()]
    used = _used(settings)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
        parts = (examine_part(row, settings, http, row in used) for row in PARTS)
        findings += await asyncio.gather(*parts)
        findings += await home.examine(settings, http)
    return findings


def _lineup(settings: Settings) -> list[Finding]:
    try:
        lineup = choose_with_sandbox(settings)
    except UserError as error:
        return [Finding("line-up", "bad", error.problem, error.fix)]
    rows = (lineup[kind].parts for kind in KINDS)
    chosen = ", ".join(" or ".join(row.value for row in parts) for parts in rows)
    found = Finding("line-up", "ok", chosen)
    mismatched, unvoiced = _mismatched(settings, lineup), _unvoiced(settings, lineup)
    return [found, _conversations(settings, lineup), *mismatched, *unvoiced]


def _conversations(settings: Settings, lineup: Lineup) -> Finding:
    """How many are held at a time; that is measured by the start, which has loaded the models."""
    from bots.server import cost

    found = cost.told(settings, lineup)
    return Finding("conversations", "ok", str(found or "how many is measured by the first start"))


def _mismatched(settings: Settings, lineup: Lineup) -> list[Finding]:
    """The ears that cannot take each other's place."""
    try:
        for persona in every_persona(settings):
            own_turns(lineup["stt"].parts, settings, persona)
    except BadSetting:
        return []  # the persona or the part has a finding of its own
    except Incompatible as error:
        return [Finding("ears", "bad", error.problem, error.fix)]
    return []


def _unvoiced(settings: Settings, lineup: Lineup) -> list[Finding]:
    """The personas without a voice; that is bad when it leaves none to talk to."""
    try:
        lacking = unvoiced(settings, lineup).values()
        offered_personas(settings, lineup)
    except BadSetting:
        return []  # the persona has a finding of its own
    except Incompatible as error:
        return [Finding("voice", "bad", error.problem, error.fix)]
    return [Finding("voice", "off", why.problem, why.fix) for why in lacking]


def _persona(settings: Settings, given: dict[str, str]) -> Finding:
    try:
        persona = load_persona(settings.avatar_persona)
        persona.filled({**dict.fromkeys(settings.visitor_variables, "…"), **given})
    except UserError as error:
        return Finding("persona", "bad", error.problem, error.fix)
    asked = [name for name in persona.variables if name not in given]
    needs = f", /start has to send {', '.join(asked)}" if asked else ""
    return Finding("persona", "ok", f"{persona.name}, speaks {persona.language}{needs}")


def _port(settings: Settings) -> Finding:
    what, host, port = "port", settings.avatar_host, settings.avatar_port
    try:
        for listener in listen(host, port):
            listener.close()
        return Finding(what, "ok", f"{port} is free on {host}")
    except socket.gaierror:
        return Finding(what, "bad", f"{host} is no address", "set AVATAR_HOST")
    except OSError as error:
        return Finding(what, "bad", f"{port} on {host}: {error.strerror}", "set AVATAR_PORT")


def _folder(settings: Settings) -> Finding:
    what = "transcripts"
    try:
        settings, why = kept(settings)
    except UserError as error:
        return Finding(what, "bad", error.problem, error.fix)
    where = folder(settings)
    return Finding(what, "ok", f"kept in {where.absolute()}" if where else why or "none are kept")


def _traces(settings: Settings) -> list[Finding]:
    try:
        traces.check(settings)
    except UserError as error:
        return [Finding("traces", "bad", error.problem, error.fix)]
    return []


async def examine_part(
    row: Part, settings: Settings, http: aiohttp.ClientSession, is_used: bool = True
) -> Finding:
    """Whether a part could be used; it is bad only when it is in use or its key is set."""
    severity = "bad" if is_used else "off"
    if not row.installed:
        return Finding(row.choice, severity, "not installed", adds(row.extra))
    lacking = missing(row, settings)
    if lacking and row.value in ("heygen", "full") and is_used:
        return _sandbox(row, settings)
    if lacking:
        return Finding(row.choice, severity, "no key", f"set {', '.join(lacking)}")
    severity = "bad" if is_used or row.needs else "off"
    try:
        return Finding(row.choice, *await _try(row, settings, http))
    except UserError as error:
        return Finding(row.choice, severity, error.problem, error.fix)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        problem = f"cannot be reached ({error or 'time-out'})"
        return Finding(row.choice, severity, problem, "check its base URL")


def _used(settings: Settings) -> set[Part]:
    """What a conversation would use, as far as that can be said of each kind by itself."""
    used = set()
    for kind in KINDS:
        with contextlib.suppress(UnknownPart, Incompatible):
            used |= set(choose_one(kind, settings).parts)
    if part("transport", "heygen") in used:
        used = {row for row in used if row.kind != "avatar"} | {part("avatar", "heygen")}
    return used


def _sandbox(row: Part, settings: Settings) -> Finding:
    """Whether a LiveAvatar without a key can be the sandbox, which needs a LiveKit server."""
    from sandbox.livekit_server import find_binary

    if settings.is_set("livekit_url") or find_binary():
        return Finding(row.choice, "ok", "no key: the sandbox on this machine is used")
    keys = " or ".join(missing(row, settings))
    fix = f"set {keys}, or put a `livekit-server` on PATH (scripts/livekit-server builds one)"
    return Finding(row.choice, "bad", "no key, and no LiveKit server for the sandbox", fix)


async def _try(row: Part, settings: Settings, http: aiohttp.ClientSession) -> tuple[str, str]:
    """Load a part as the start does, and ask its vendor; the state and what was found.

    Raises:
        UserError: it cannot be used.
        aiohttp.ClientError, TimeoutError, OSError: its vendor cannot be reached.
    """
    module = await asyncio.to_thread(load, row)
    for persona in every_persona(settings) if hasattr(module, "warm_up") else []:
        await asyncio.to_thread(module.warm_up, settings, persona)
    if hasattr(module, "check"):
        found = await module.check(settings, http)
        return "ok", found or "key accepted"
    if row.needs:
        return "unchecked", "its key is set, and was not checked"
    return "ok", "loads" if hasattr(module, "warm_up") else "installed"


def _json(findings: Sequence[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def _table(findings: Sequence[Finding]) -> str:
    marks = {"ok": "✓", "off": "·", "unchecked": "?", "bad": "✗"}
    return "\n".join(
        f"{marks[f.state]} {f.what:18} {f.detail}{f'  → {f.fix}' if f.fix else ''}"
        for f in findings
    )
