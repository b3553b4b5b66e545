"""Who failed is back once it is well."""

from tests.faults.hall import open_hall
from tests.standins.gemini import Gemini
from tests.standins.ollama import Ollama


async def test_the_first_mind_is_asked_again_once_it_is_well(tmp_path):
    async with Gemini(replies=["Paris it is."]) as first, Ollama(replies=["Rome it is."]) as spare:
        first.fail("/v1beta/models/*", 429, lasts=True)
        env = {
            **{"stt": "moonshine", "llm": "gemini,ollama", "tts": "hibari"},
            **{"google_api_key": first.key, "google_base_url": first.url},
            "google_model": first.models[0],
            **{"ollama_base_url": spare.openai_url, "ollama_model": spare.models[0]},
        }
        async with open_hall(tmp_path, env) as hall:
            await hall.hushed(await hall.type("Where?"))
            first.heal()
            (order, *_) = [o for o in hall.conversation.guards.orders if len(o.services) > 1]
            well = lambda: not order.is_ill(order.services[0])  # noqa: E731
            await hall.until(well, "cure of the first mind")
            await hall.hushed(await hall.type("And where?"))
            assert hall.said == "Rome it is. Paris it is."
        spare.assert_all_used()
