"""Google Gemini, which answers without thinking first where the model allows it."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from google.genai.errors import APIError, ClientError
from google.genai.types import GenerateContentResponse, HttpOptions, HttpRetryOptions
from loguru import logger
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.google.llm import _THINKING_DEFAULTS as LISTED
from pipecat.services.google.llm import GoogleLLMService, GoogleThinkingConfig, _can_think
from pipecat.services.google.llm import _model_name as plain_name
from pipecat.services.llm_service import LLMService
from pipecat.utils.errors import ErrorCategory

from pipelines.key import check_key
from pipelines.mind.spoken import SpokenMind
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.warming import Warming

TRIAL_S = 10.0
# Google's client would wait for up to ten seconds before it asks again.
ONCE = HttpRetryOptions(attempts=1)


class Gemini(SpokenMind, Warming, GoogleLLMService):
    """Thinks as little as its model can; one that refuses to think so little thinks as it likes.

    Its answers are spoken.
    """

    def __init__(self, *, settings: GoogleLLMService.Settings, **kwargs: Any) -> None:
        settings.thinking = least_thinking(str(settings.model))
        super().__init__(settings=settings, **kwargs)

    async def _stream_response(self, context: LLMContext) -> AsyncIterator[GenerateContentResponse]:
        """Stream the answer; a refusal comes before its first word, so it can be asked again."""
        while True:
            try:
                async for chunk in super()._stream_response(context):
                    yield chunk
                return
            except ClientError as error:
                if error.code != 400 or "API key" in str(error) or not self._think_more():
                    raise

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        """A connection that fails."""
        lost = isinstance(exception, aiohttp.ClientConnectionError)
        return ErrorCategory.CONNECTIVITY if lost else super()._classify_error(exception)

    def _think_more(self) -> bool:
        """Ask for the next more thinking from now on; whether there is any."""
        thinking = self._settings.thinking
        if not thinking:
            return False
        low = isinstance(thinking, GoogleThinkingConfig) and thinking.thinking_level == "minimal"
        logger.debug(f"{self._settings.model} cannot be asked to think as little as {thinking}")
        self._settings.thinking = GoogleThinkingConfig(thinking_level="low") if low else None
        self._settings.use_provider_thinking_default = not low
        return True

    async def _warm(self) -> None:
        """Open the connection."""
        await self.is_well()

    async def is_well(self) -> bool:
        """Ask what is known of the model, which costs nothing."""
        assert self._client
        try:
            async with asyncio.timeout(TRIAL_S):
                await self._client.aio.models.get(model=str(self._settings.model))
            return True
        except (APIError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            logger.debug(f"Gemini does not answer: {error!r}")
            return False


def least_thinking(model: str) -> GoogleThinkingConfig | None:
    """The least thinking that a model is likely to take; None where it takes no such wish.

    Pipecat has a list of models; any other is judged by its family.
    """
    name = plain_name(model)
    if name in LISTED:
        return GoogleThinkingConfig(**LISTED[name])
    if not _can_think(name):
        return None
    if re.match(r"gemini-2\.5", name):
        return GoogleThinkingConfig(thinking_budget=128 if "-pro" in name else 0)
    return GoogleThinkingConfig(thinking_level="minimal")


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> LLMService[Any]:
    """The service, with the persona's prompt as its instruction."""
    return Gemini(
        persona=persona,
        api_key=settings.google_api_key.get_secret_value(),
        http_options=HttpOptions(
            base_url=settings.google_base_url, aiohttp_client=http, retry_options=ONCE
        ),
        settings=GoogleLLMService.Settings(
            model=settings.google_model, system_instruction=persona.prompt
        ),
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    url = f"{settings.google_base_url.rstrip('/')}/v1beta/models?pageSize=1"
    key = settings.google_api_key.get_secret_value()
    await check_key(http, url, {"x-goog-api-key": key}, "GOOGLE_API_KEY")
