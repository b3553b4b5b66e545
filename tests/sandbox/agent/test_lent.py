"""The agent of a FULL session thinks with a mind that one of our servers lends."""

from typing import Any

import aiohttp
from pipecat.frames.frames import LLMContextFrame, LLMFullResponseEndFrame, LLMTextFrame
from pipecat.processors.aggregators.llm_context import LLMContext

from liveavatar import LiveAvatar
from liveavatar.wire import AvatarPersona, FullRequest
from pipelines.lent import Lender
from pipelines.settings import load_settings
from sandbox.agent.mind import minds_of
from sandbox.agent.pipeline import persona_of
from sandbox.brief import brief_of
from tests.lent import TOKEN, lending
from tests.sandbox.caller import FULL
from tests.sandbox.conftest import serving
from tests.standins.ollama import Ollama
from tests.standins.stage import running

PROMPT = "The guest is ${guest}."


async def test_the_agent_asks_the_mind_that_is_lent_as_liveavatar_would(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with Ollama(replies=["In the garden."]) as vendor, serving(None) as caller:
        model: dict[str, Any] = {"ollama_base_url": vendor.openai_url}
        model |= {"ollama_model": vendor.models[0], "liveavatar_base_url": caller.url}
        key = caller.key["X-API-KEY"]
        async with (
            lending(llm="ollama", liveavatar_api_key=key, **model) as lent,
            aiohttp.ClientSession() as http,
        ):
            live = LiveAvatar(http, key, caller.url)
            settings = load_settings(avatar_mind_token=TOKEN, avatar_host="127.0.0.1")
            port = int(lent.url.rpartition(":")[2])
            llm = await Lender(settings, port).configuration(live, "theo")
            context = await live.contexts.add("Hotel", PROMPT)
            asked = FullRequest(
                **FULL,
                avatar_persona=AvatarPersona(context_id=context),
                llm_configuration_id=llm,
                dynamic_variables={"guest": "Matilda"},
            )
            brief = brief_of(asked, caller.desk.shelves, caller.desk.account)
            [mind] = await minds_of(brief, load_settings(), persona_of(brief), http)
            async with running(mind) as stage:
                question = LLMContext([{"role": "user", "content": "Where may my dog be?"}])
                await stage.play(LLMContextFrame(question))
                await stage.first(LLMFullResponseEndFrame)
                said = "".join(frame.text for frame in stage.all(LLMTextFrame))
        assert said == "In the garden."
        assert f"mind: theo is LiveAvatar's LLM configuration {llm}" in lent.said
        system = vendor.state.prompts[0]["messages"][0]["content"]
        assert "Theo" in system and "The guest is Matilda." in system
