"""Lends the mind to LiveAvatar when the server starts, and says how it is asked."""

from collections.abc import Callable, Sequence

import aiohttp

from liveavatar import LiveAvatar, LiveAvatarError
from pipelines.lent import Lender, bearer_file
from pipelines.redaction import redacted
from pipelines.settings import Settings

LENT = "mind: {persona} is LiveAvatar's LLM configuration {id}"
ASKED = "mind: asked at {url}, as {personas}, with {bearer} as bearer"
NOT_LENT = "mind: LiveAvatar does not take it. {why}"


async def lend(
    settings: Settings, lender: Lender, personas: Sequence[str], say: Callable[[str], None]
) -> None:
    """Store it at LiveAvatar, where there is a key; a failure is said, and ends nothing."""
    bearer = (
        "AVATAR_MIND_TOKEN"
        if settings.is_set("avatar_mind_token")
        else f"the text of {bearer_file()}"
    )
    say(ASKED.format(url=lender.base_url, personas=" or ".join(personas), bearer=bearer))
    if not settings.is_set("liveavatar_api_key"):
        return
    key = settings.liveavatar_api_key.get_secret_value()
    async with aiohttp.ClientSession() as http:
        live = LiveAvatar(http, key, settings.liveavatar_base_url)
        try:
            for persona in personas:
                say(LENT.format(persona=persona, id=await lender.configuration(live, persona)))
        except LiveAvatarError as error:
            say(NOT_LENT.format(why=redacted(str(error))))
