"""Ollama, or any other endpoint that speaks OpenAI's protocol."""

import asyncio
import functools
import re
from typing import Any

import aiohttp
from loguru import logger
from openai import APIConnectionError, APIStatusError, AsyncStream, OpenAIError
from openai.types.chat import ChatCompletionChunk
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.llm_service import LLMService
from pipecat.services.ollama.llm import OLLamaLLMService
from pipecat.utils.errors import ErrorCategory

from pipelines.errors import UserError
from pipelines.mind.endpoint import first_model, look, own_api
from pipelines.mind.history import History
from pipelines.mind.spoken import Habit, SpokenMind
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.warming import Warming

# Models whose template may begin the thought, so that nothing marks where it begins.
REASONING = re.compile(r"r1\b|qwq|qwen3|think|reason|magistral|glm-z1", re.IGNORECASE)
# A model may have to be loaded first.
ONE_WORD_S = 60.0
TRIAL_S = 10.0


class Ollama(SpokenMind, Warming, OLLamaLLMService):
    """Pipecat's service, with a history that every endpoint takes.

    Its model is loaded when the conversation begins, which can take many seconds.
    """

    adapter_class = History

    def __init__(
        self, *, http: aiohttp.ClientSession, base_url: str, window: int, **more: Any
    ) -> None:
        """`window` is how many tokens the model reads and writes together."""
        super().__init__(base_url=base_url, **more)
        # Who watches the minds asks again, or the next one.
        self._client = self._client.with_options(max_retries=0)
        self._http = http
        self._own_api = own_api(base_url)
        self.window = window
        self._history = self.get_llm_adapter()
        assert isinstance(self._history, History)
        self._history.window = window

    async def _warm(self) -> None:
        """Open the connection, and load the model by a request without a prompt."""
        if not await self.is_well():
            return
        try:
            body = {"model": self._settings.model}
            async with self._http.post(f"{self._own_api}/generate", json=body) as answer:
                logger.debug(f"{self._settings.model} is loaded: {answer.status}")
        except (OpenAIError, aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.debug(f"{self._own_api} could not be warmed up: {error!r}")

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        """A connection that fails."""
        lost = isinstance(exception, APIConnectionError)
        return ErrorCategory.CONNECTIVITY if lost else super()._classify_error(exception)

    async def is_well(self) -> bool:
        """Ask which models there are."""
        try:
            await self._client.models.list(timeout=TRIAL_S)
            return True
        except (OpenAIError, OSError, ValueError) as error:
            logger.debug(f"{self._own_api} does not answer: {error!r}")
            return False

    async def cleanup(self) -> None:
        """Close the connections."""
        await super().cleanup()
        await self._client.close()

    async def get_chat_completions(self, context: LLMContext) -> AsyncStream[ChatCompletionChunk]:
        """Ask; where the model's template knows no system message, ask without one from then on."""
        try:
            return await super().get_chat_completions(context)
        except APIStatusError as error:
            if not self._history.system or "system" not in error.message.lower():
                raise
        self._history.system = False
        return await super().get_chat_completions(context)


def build(
    settings: Settings,
    persona: Persona,
    http: aiohttp.ClientSession,
    kind: type[Ollama] = Ollama,
) -> LLMService[Any]:
    """The service, of one `kind` or another, with the persona's prompt as its instruction.

    Raises:
        MissingSetting: no model is set and the endpoint names none.
    """
    model = first_model(settings)
    return kind(
        http=http,
        persona=persona,
        habit=habit_of(settings.ollama_base_url, model),
        window=settings.ollama_window,
        base_url=settings.ollama_base_url,
        api_key=settings.ollama_api_key.get_secret_value() or "none",
        settings=OLLamaLLMService.Settings(model=model, system_instruction=persona.prompt),
    )


@functools.cache
def habit_of(base_url: str, model: str) -> Habit:
    """How a model of an endpoint answers, guessed from its name until it has done so."""
    return Habit(begins_with_thought=bool(REASONING.search(model)))


async def check(settings: Settings, http: aiohttp.ClientSession) -> str:
    """Ask the model for a word, and tell which one it is.

    Raises:
        UserError: it does not answer.
    """
    found = await asyncio.to_thread(look, settings)
    if found.problem:
        raise UserError(found.problem, "start it, or set OLLAMA_BASE_URL")
    body = {
        "model": found.model,
        "messages": [{"role": "user", "content": "Say yes."}],
        "stream": True,
    }
    key = settings.ollama_api_key.get_secret_value() or "none"
    async with http.post(
        f"{settings.ollama_base_url.rstrip('/')}/chat/completions",
        json=body,
        headers={"Authorization": f"Bearer {key}"},
        timeout=aiohttp.ClientTimeout(total=ONE_WORD_S),
    ) as answer:
        if not answer.ok:
            raise UserError(
                f"{found.model} does not answer: {_reason(await answer.text())}",
                "set OLLAMA_MODEL to a model that can talk",
            )
        await answer.content.readline()  # the first word is enough
    return f"{found.model} answers"


def _reason(told: str) -> str:
    """What an endpoint says of a request that it refuses, in short."""
    message = re.search(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)"', told)
    return (message[1] if message else told).replace('\\"', '"')[:200]
