"""Whether LiveAvatar takes the key, and what is wrong if it does not say so."""

import aiohttp

from liveavatar.errors import LiveAvatarError, NoAnswer
from liveavatar.rest import check_key

from .errors import UserError
from .redaction import redacted
from .settings import Settings

REFUSED, TOO_OFTEN, BROKEN = (401, 403), 429, 500


async def check_account(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not, or LiveAvatar fails; says which.
        aiohttp.ClientError, TimeoutError: LiveAvatar cannot be reached.
    """
    key = settings.liveavatar_api_key.get_secret_value()
    try:
        await check_key(http, settings.liveavatar_base_url, key)
    except LiveAvatarError as error:
        raise fault(error) from None


def fault(error: LiveAvatarError) -> UserError:
    """What is wrong, and where to look, by what LiveAvatar has answered."""
    problem, status = redacted(error.problem), error.status or 0
    if isinstance(error, NoAnswer):
        return UserError(problem, "look at the network")
    if status in REFUSED:
        return UserError(problem, "check LIVEAVATAR_API_KEY")
    if status == TOO_OFTEN:
        return UserError(f"LiveAvatar was asked too often: {problem}", "ask again in a minute")
    if status >= BROKEN:
        return UserError(f"LiveAvatar has a failure of its own: {problem}", "try again later")
    return UserError(problem, "check LIVEAVATAR_BASE_URL")
