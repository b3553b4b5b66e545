"""Where others find this server: what the doctor says of its public address."""

from urllib.parse import urlsplit

import aiohttp

from bots.finding import Finding
from pipelines import lent
from pipelines.errors import UserError
from pipelines.settings import Settings
from web.loopback import is_loopback

WHAT = "public url"
ALIVE = ({"status": "alive"}, {"status": "starting"})
FROM_HERE = "asked from this machine, which does not prove that LiveAvatar reaches it"
STRANGER = "let it lead to this server, its folder to this server's root"


async def examine(settings: Settings, http: aiohttp.ClientSession) -> list[Finding]:
    """Whether the address is one, and leads here, as far as that can be said from here."""
    url = settings.avatar_public_url
    try:
        if lent.is_lent(settings):
            lent.check(settings)
    except UserError as error:
        return [Finding(WHAT, "bad", error.problem, error.fix)]
    if not url:
        return []
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        return [Finding(WHAT, "bad", f"{url} is not encrypted", "give one of https")]
    try:
        return [await _asked(url, settings, http)]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return [_silent(url, str(error) or "time-out")]


async def _asked(url: str, settings: Settings, http: aiohttp.ClientSession) -> Finding:
    async with http.get(f"{url}/health", allow_redirects=False) as answer:
        if answer.status >= 500:
            return _silent(url, f"{answer.status} {answer.reason}")
        try:
            alive = answer.ok and await answer.json(content_type=None) in ALIVE
        except ValueError:
            alive = False
    if not alive:
        told = f"{url}/health answers, and not as an avatar ({answer.status})"
        return Finding(WHAT, "bad", told, STRANGER)
    bearer = lent.known_bearer(settings) if lent.is_lent(settings) else ""
    if not bearer:
        return Finding(WHAT, "ok", f"{url} answers as an avatar, {FROM_HERE}")
    key = {"Authorization": f"Bearer {bearer}"}
    async with http.get(f"{url}{lent.PATH}/models", headers=key, allow_redirects=False) as answer:
        if not answer.ok:
            told = f"{url} is an avatar that does not lend this mind ({answer.status})"
            return Finding(
                WHAT, "bad", told, "start this one with --lend-mind, or mend the address"
            )
    return Finding(WHAT, "ok", f"{url} answers as this avatar and lends its mind, {FROM_HERE}")


def _silent(url: str, why: str) -> Finding:
    return Finding(
        WHAT, "unchecked", f"{url} does not answer ({why})", "start avatar, and ask again"
    )
