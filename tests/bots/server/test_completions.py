"""The mind that is lent, asked by OpenAI's own client; vendors are stand-ins on the wire."""

import asyncio
import contextlib
import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from starlette.requests import Request

from bots.server.casting import Casting
from bots.server.completion import Completion
from bots.server.completions import MOST, Completions
from pipelines import ledger
from pipelines.budget import today
from pipelines.errors import PartFailed
from pipelines.mind.thinkers import Thinkers
from pipelines.parts import choose
from pipelines.persona import Persona, load_persona
from pipelines.settings import load_settings
from sessions import metrics
from tests.lent import ACCESS, TOKEN, lending
from tests.standins.gemini import Gemini
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply

MIRA = load_persona("mira").filled({})
HELLO: list[Any] = [
    {"role": "system", "content": "Breakfast is at seven."},
    {"role": "assistant", "content": "Welcome!"},
    {"role": "user", "content": [{"type": "text", "text": "When is breakfast?"}]},
]
ASKED: list[Any] = [{"role": "user", "content": "Where?"}]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept on the developer's machine."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def ollama(vendor: Ollama, llm: str = "ollama") -> dict[str, Any]:
    """Settings that lead to a stand-in."""
    return {"llm": llm, "ollama_base_url": vendor.openai_url, "ollama_model": vendor.models[0]}


def gemini(vendor: Gemini, llm: str = "gemini") -> dict[str, Any]:
    """The same of Google's."""
    return {"llm": llm, "google_api_key": vendor.key, "google_base_url": vendor.url}


async def streamed(client: openai.AsyncOpenAI, messages: list[Any], model: str = "mira") -> str:
    """What is said to a question, in a stream."""
    said = ""
    async for chunk in await client.chat.completions.create(
        model=model, messages=messages, stream=True
    ):
        said += chunk.choices[0].delta.content or ""
    return said


async def test_a_persona_answers_as_a_model_in_pieces_and_as_a_whole():
    async with Ollama(replies=["At **seven**, here.", "At seven."]) as vendor:
        async with lending(**ollama(vendor)) as lent:
            client = lent.client()
            assert [model.id async for model in client.models.list()] == ["mira", "theo"]
            client.base_url = f"{lent.url}/v1/v1"  # as who adds /v1 to every address has it
            stream = await client.chat.completions.create(
                model="mira",
                messages=HELLO,
                stream=True,
                stream_options={"include_usage": True},
            )
            *pieces, last = [chunk async for chunk in stream]
            said = [piece.choices[0].delta.content for piece in pieces]
            assert "".join(filter(None, said)) == "At seven, here." and len(pieces) > 3
            assert pieces[-1].choices[0].finish_reason == "stop"
            assert not last.choices and last.usage and last.usage.completion_tokens == 3
            assert last.usage.total_tokens == last.usage.prompt_tokens + 3
            assert all(piece.usage is None for piece in pieces)

            whole = await client.chat.completions.create(model="theo", messages=HELLO)
            assert whole.choices[0].message.content == "At seven." and whole.model == "theo"
            assert whole.usage and whole.usage.completion_tokens == 2
        first, second = ([m["content"] for m in p["messages"]] for p in vendor.state.prompts)
        assert first[0].startswith(MIRA.prompt) and "Breakfast is at seven." in first[0]
        assert "Welcome!" in first[0] and first[1:] == ["When is breakfast?"]
        assert second[0].startswith(load_persona("theo").filled({}).prompt)


async def test_only_its_own_bearer_lets_in_and_every_refusal_is_openais():
    async with lending(llm="guide") as lent:
        for key in ("wrong", ACCESS):
            with pytest.raises(openai.AuthenticationError) as refused:
                await streamed(lent.client(key), ASKED)
            assert refused.value.code == "invalid_api_key"
        client = lent.client()
        with pytest.raises(openai.NotFoundError) as refused:
            await streamed(client, ASKED, "gpt-4o")
        assert refused.value.code == "model_not_found" and "mira, theo" in refused.value.message
        with pytest.raises(openai.BadRequestError) as refused:
            await streamed(client, [{"role": "tool", "content": "1", "tool_call_id": "1"}])
        assert refused.value.param == "messages[0].role"
        with pytest.raises(openai.APIStatusError, match="too large"):
            await streamed(client, [{"role": "user", "content": "x" * 2_000_000}])
        with pytest.raises(openai.APIStatusError, match="Not Found"):
            await client.embeddings.create(model="mira", input="x")
        wide = "x" * 500_000
        assert await streamed(client, [{"role": "system", "content": wide}, *ASKED])
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            async with http.get(f"{lent.url}/api/lineup") as answer:
                assert answer.status == 401, "it lets in nowhere else"


async def test_whatever_happens_to_the_mind_something_is_said():
    hangs, empty = Reply("Never.", delay_s=60), Reply("")
    async with Ollama(replies=[hangs, empty, "Rome."]) as vendor:
        async with lending(avatar_thinking_s=0.3, **ollama(vendor)) as lent:
            client = lent.client()
            assert await streamed(client, ASKED) == MIRA.lost
            assert await streamed(client, ASKED) == MIRA.lost
            assert await streamed(client, ASKED) == "Rome."
    async with Gemini(replies=[]) as vendor:
        vendor.fail("*", 400, "API key not valid. Please pass a valid API key.", lasts=True)
        async with lending(**gemini(vendor)) as lent:
            answer = await lent.client().chat.completions.create(model="mira", messages=ASKED)
            assert answer.choices[0].message.content in (MIRA.lost, MIRA.unable)


async def test_the_next_mind_answers_and_the_first_is_left_alone_while_it_is_ill():
    async with Ollama(replies=["Rome.", "Oslo."]) as vendor, Gemini() as first:
        first.fail("*", 503, lasts=True)
        models = {**gemini(first), **ollama(vendor, "gemini,ollama")}
        async with lending(**models) as lent:
            client = lent.client()
            assert await streamed(client, ASKED) == "Rome."
            asked = len(first.state.prompts)
            assert await streamed(client, ASKED) == "Oslo."
            assert len(first.state.prompts) == asked


async def test_a_client_that_leaves_ends_the_work_and_the_next_has_an_answer_of_its_own():
    slow = Reply("One two three four five " * 9, word_delay_s=0.1)
    async with Gemini(replies=[slow, "Six.", slow]) as vendor, lending(**gemini(vendor)) as lent:
        client = lent.client()
        stream = await client.chat.completions.create(model="mira", messages=ASKED, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        await stream.close()
        await vendor.until(lambda: bool(vendor.state.withdrawn), 10)
        assert await streamed(client, ASKED) == "Six."
        whole = client.chat.completions.create(model="mira", messages=ASKED)
        waiting = asyncio.create_task(whole)
        await vendor.until(lambda: len(vendor.state.prompts) == 3, 10)
        waiting.cancel()
        await vendor.until(lambda: len(vendor.state.withdrawn) == 2, 10)


async def test_the_guide_knows_what_was_said_by_the_messages_alone_and_tells_tokens():
    ask: Any = lambda text: {"role": "user", "content": text}  # noqa: E731
    tell: Any = lambda text: {"role": "assistant", "content": text}  # noqa: E731
    async with lending(llm="guide") as lent:
        client = lent.client()
        first = await streamed(client, [ask("What can you do?")])
        again = [ask("What can you do?"), tell(first), ask("Say that again.")]
        assert first in await streamed(client, again)
        both = (streamed(client, [ask("What can you do?")]), streamed(client, again))
        assert (await asyncio.gather(*both))[0] == first
        counted = await client.chat.completions.create(model="mira", messages=again)
        assert counted.usage and counted.usage.prompt_tokens > 50
        assert counted.usage.completion_tokens > 3


async def test_tokens_are_paid_for_from_the_budget_of_the_day(tmp_path: Path):
    priced = {
        "avatar_ledger": str(tmp_path / "ledger"),
        "google_dollars_per_million_in": 1e6,
        "avatar_spend_limit_per_day": 1.0,
        "avatar_spend_limit_per_conversation": 0.5,
    }
    async with Gemini(replies=["Rome."]) as vendor:
        settings = gemini(vendor) | priced
        async with lending(**settings) as lent:
            assert await streamed(lent.client(), ASKED) == "Rome."
            read, _ = vendor.state.tokens()
            spent = await ledger.books(load_settings(**settings)).spent(today())
            assert spent == pytest.approx(read, rel=0.01), "it is written when it is answered"
        async with lending(**settings) as lent:
            assert await streamed(lent.client(), ASKED) == MIRA.spent
        assert len(vendor.state.prompts) == 1


async def test_who_stops_the_server_cuts_nobody_off_and_pays_for_what_is_cut_short(tmp_path: Path):
    last, hangs = Reply("At seven, here.", word_delay_s=0.1), Reply("Never.", delay_s=60)
    priced = {"avatar_ledger": str(tmp_path / "ledger"), "google_dollars_per_million_in": 1e6}
    async with Gemini(replies=[last, hangs]) as vendor, contextlib.AsyncExitStack() as stack:
        settings = gemini(vendor) | priced
        async with lending(avatar_thinking_s=60, **settings) as lent:
            client = openai.AsyncOpenAI(api_key=TOKEN, base_url=f"{lent.url}/v1", max_retries=0)
            await stack.enter_async_context(client)
            begun = await _begun(client)
            waiting = asyncio.create_task(streamed(client, ASKED))
            await vendor.until(lambda: len(vendor.state.prompts) == 2, 10)
        assert await waiting in (MIRA.lost, MIRA.unable)
        rest = [chunk.choices[0].delta.content or "" async for chunk in begun]
        assert "".join(rest).endswith("seven, here.")
        read, _ = vendor.state.tokens()
        spent = await ledger.books(load_settings(**settings)).spent(today())
        assert spent > read + len(MIRA.prompt.split()), "the question that hung is paid for"


async def test_nobody_waits_for_the_ledger_and_all_of_an_answer_is_written_once(tmp_path: Path):
    before, slow = _counted(), Reply("One two " * 90, word_delay_s=0.1)
    priced = {
        "avatar_ledger": str(tmp_path / "ledger"),
        "ollama_dollars_per_million_in": 1e6,
        "ollama_dollars_per_million_out": 1e6,
    }
    async with Ollama(replies=["Rome.", slow]) as vendor:
        settings = ollama(vendor) | priced
        kept = ledger.books(load_settings(**settings))
        async with lending(**settings) as lent:
            client = lent.client()
            with _hanging(tmp_path / "ledger"):
                assert await asyncio.wait_for(streamed(client, ASKED), 10) == "Rome."
                await (await _begun(client)).close()
        spent = await kept.spent(today())
        assert spent > 2 * len(MIRA.prompt.split()), "what is withdrawn is paid for"
        assert spent == pytest.approx(_counted() - before)


@contextmanager
def _hanging(folder: Path) -> Iterator[None]:
    """A ledger in a folder that nobody can write to until the block ends."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _counted() -> float:
    """The dollars that monitors know of."""
    found = re.search(rb"^avatar_spend_dollars_total (\S+)", metrics.text(), re.MULTILINE)
    assert found
    return float(found[1])


async def test_a_question_that_is_let_in_while_all_are_closed_begins_nothing(tmp_path: Path):
    settings = load_settings(
        llm="ollama",
        ollama_model="any",
        avatar_ledger=str(tmp_path / "ledger"),
        avatar_spend_limit_per_day=1.0,
        ollama_dollars_per_million_in=1e6,
    )
    await ledger.books(settings).spend(today(), 0.1)
    thinkers = Thinkers(settings, choose(settings))
    with _hanging(tmp_path / "ledger"):
        asking = asyncio.create_task(thinkers.one("mira", MIRA).__aenter__())
        await asyncio.sleep(0)
        closing = asyncio.create_task(thinkers.close())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closing.done(), "it is waited for from its admission on"
    with pytest.raises(PartFailed, match="the server stops"):
        await asking
    await closing


async def _begun(client: openai.AsyncOpenAI) -> openai.AsyncStream[Any]:
    """An answer of which the first word was heard."""
    stream = await client.chat.completions.create(model="mira", messages=ASKED, stream=True)
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    return stream


async def test_no_more_questions_are_taken_at_once_than_can_be_answered():
    settings = load_settings(llm="guide")
    mind = Completions(Casting(settings), choose(settings))
    body = json.dumps({"model": "mira", "messages": ASKED}).encode()
    request = Request({"type": "http"}, lambda: _received(body))
    taken = await asyncio.gather(*(mind.complete(request) for _ in range(MOST + 3)))
    refused = [each for each in taken if not isinstance(each, Completion)]
    assert [each.status_code for each in refused] == [429] * 3
    await mind.close()


async def _received(body: bytes) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": False}


async def test_a_prompt_that_visitors_fill_comes_from_the_caller_or_is_refused(tmp_path: Path):
    file = tmp_path / "ada.yaml"
    file.write_text(
        "name: Ada\nprompt: You talk to ${guest} of ${topic}.\nlost: Pardon, ${guest}?\n"
    )
    whole = [{"role": "system", "content": "You talk to Ann  of tea.\nShe is shy."}, *ASKED]
    async with Ollama(replies=["Tea.", ""]) as vendor:
        async with lending({"topic": "tea"}, avatar_persona=str(file), **ollama(vendor)) as lent:
            client = lent.client()
            with pytest.raises(openai.BadRequestError, match="leaves guest to each conversation"):
                await streamed(client, ASKED, "ada")
            assert await streamed(client, whole, "ada") == "Tea."
            assert await streamed(client, whole, "ada") == Persona(lost="Pardon, ?").lost
        [system, _] = vendor.state.prompts[0]["messages"]
        assert system["content"] == "You talk to Ann  of tea.\nShe is shy."
