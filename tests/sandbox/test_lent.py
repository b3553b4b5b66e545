"""A FULL session thinks with a mind that one of our servers lends."""

from typing import Any

import aiohttp

from liveavatar import LiveAvatar
from pipelines.lent import Lender
from pipelines.settings import load_settings
from tests.lent import TOKEN, lending
from tests.sandbox.caller import Caller
from tests.sandbox.test_full import greeted
from tests.standins.ollama import Ollama


async def test_the_avatar_says_what_the_lent_mind_answers(roomy: Caller, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with Ollama(replies=["In the garden."]) as vendor:
        model: dict[str, Any] = {
            "ollama_base_url": vendor.openai_url,
            "ollama_model": vendor.models[0],
        }
        account: dict[str, Any] = {
            "liveavatar_api_key": roomy.key["X-API-KEY"],
            "liveavatar_base_url": roomy.url,
        }
        async with lending(llm="ollama", **model, **account) as lent:
            async with aiohttp.ClientSession() as http:
                live = LiveAvatar(http, account["liveavatar_api_key"], roomy.url)
                port = int(lent.url.rpartition(":")[2])
                settings = load_settings(avatar_mind_token=TOKEN, avatar_host="127.0.0.1")
                llm = await Lender(settings, port).configuration(live, "theo")
                guest = await greeted(roomy, llm_configuration_id=llm)
                before = len(guest.events)
                await guest.order("avatar.speak_response", text="Where may my dog be?")
                assert await guest.answered(before) == "In the garden."
                assert f"mind: theo is LiveAvatar's LLM configuration {llm}" in lent.said
        system = vendor.state.prompts[0]["messages"][0]["content"]
        assert "Theo" in system and "The name of the guest is Matilda." in system
