"""Who thinks in a FULL session: the client's model, the operator's, or a script that says so."""

import asyncio
from typing import Any

import aiohttp
from pipecat.services.llm_service import LLMService
from pydantic import SecretStr

from guide import Notes
from pipelines.errors import MissingSetting
from pipelines.llm import ollama
from pipelines.llm.guide import GuideLLMService
from pipelines.llm.ollama import Ollama
from pipelines.mind.answer import whole
from pipelines.parts import Part, choose_one, load, missing, part
from pipelines.persona import Persona
from pipelines.redaction import REDACTION
from pipelines.settings import Settings
from sandbox.brief import Brief, CustomLLM

Minds = dict[LLMService[Any], Part]


class CustomMind(Ollama):
    """A model of the client's own: nothing is asked of it but answers."""

    async def _warm(self) -> None:
        """Open nothing: the first question is the first request."""

    async def is_well(self) -> bool:
        """Whether it works shows at the next question."""
        return True


async def minds_of(
    brief: Brief, settings: Settings, persona: Persona, http: aiohttp.ClientSession
) -> Minds:
    """The minds of a session, in order.

    Raises:
        UserError: one of the operator's cannot be built as the settings ask.
    """
    if brief.llm:
        return {_custom(brief.llm, settings, persona, http): part("llm", "ollama")}
    if brief.prompt is None:  # nobody is asked
        return {await _script(brief, persona): part("llm", "guide")}
    rows = (await asyncio.to_thread(choose_one, "llm", settings)).parts
    return {await _mind(row, brief, settings, persona, http): row for row in rows}


async def _mind(
    row: Part, brief: Brief, settings: Settings, persona: Persona, http: aiohttp.ClientSession
) -> LLMService[Any]:
    if row.value == "guide":
        return await _script(brief, persona)
    if lacking := missing(row, settings):
        raise MissingSetting(row.choice, lacking, "LLM=guide")
    return load(row).build(settings, persona, http)


async def _script(brief: Brief, persona: Persona) -> LLMService[Any]:
    """The script; to prepare it takes a quarter of a second, in which faces go on."""
    notes = whole(brief.notes, persona.language)
    return GuideLLMService(await asyncio.to_thread(Notes, notes, persona.name))


def _custom(
    llm: CustomLLM, settings: Settings, persona: Persona, http: aiohttp.ClientSession
) -> LLMService[Any]:
    own = {"ollama_model": llm.model, "ollama_base_url": llm.base_url}
    theirs = settings.model_copy(update={**own, "ollama_api_key": SecretStr(llm.key)})
    REDACTION.know(theirs)
    return ollama.build(theirs, persona, http, CustomMind)
