"""LiveAvatar hears, thinks, speaks and shows: a session of its mode FULL, in its own room.

Nothing of the conversation goes through this process, so there is no pipeline: `open_full()` in
`pipelines/full/conversation.py` holds it.
"""

import aiohttp

from liveavatar.errors import LiveAvatarError
from pipelines.account import check_account, fault
from pipelines.full.session import Session
from pipelines.full.wish import check_named
from pipelines.settings import Settings


def build(settings: Settings, http: aiohttp.ClientSession) -> Session:
    """A session that is not begun."""
    return Session(settings, http)


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted, and whether what the settings name is there.

    Raises:
        UserError: it is not, or LiveAvatar fails; says which.
        aiohttp.ClientError, TimeoutError: LiveAvatar cannot be reached.
    """
    await check_account(settings, http)
    try:
        await check_named(Session(settings, http).live, settings)
    except LiveAvatarError as error:
        raise fault(error) from None
