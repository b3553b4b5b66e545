"""After a turn that failed, silence is noticed as ever."""

from dataclasses import replace

import pytest

from tests.faults.hall import BRIEF, LOST, open_hall
from tests.standins.ollama import Ollama

IDLE_S = 1.0


@pytest.mark.parametrize("lost", [LOST, ""], ids=["said", "not said"])
async def test_who_is_not_answered_is_asked_whether_they_are_there(tmp_path, lost):
    persona = replace(BRIEF, lost=lost)
    async with Ollama() as mind:
        mind.fail("/v1/chat/completions", 500, lasts=True)
        env = {
            **{"stt": "moonshine", "llm": "ollama", "tts": "hibari", "avatar_idle_s": IDLE_S},
            **{"ollama_base_url": mind.openai_url, "ollama_model": mind.models[0]},
        }
        async with open_hall(tmp_path, env, persona) as hall:
            await hall.type("Where is it?")
            asks = lambda: hall.said.endswith(persona.still_there)  # noqa: E731
            await hall.until(asks, "question whether somebody is there", 20)
            assert hall.notices("notice") or hall.notices("failed")
            assert hall.said == f"{lost} {persona.still_there}".strip()
