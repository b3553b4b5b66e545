"""A mind over OpenAI's protocol in a pipeline: what it is asked with, and what of it is said."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMMessagesAppendFrame,
    LLMThoughtTextFrame,
    TTSSpeakFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    AssistantTurnStoppedMessage,
    LLMContextAggregatorPair,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from pipelines.guard.mind import MindGuard
from pipelines.guard.news import News
from pipelines.guard.order import InOrder
from pipelines.llm import ollama
from pipelines.mind.memory import memory_of
from pipelines.parts import part
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.tts import hibari
from pipelines.turns.ahead import prepare_ahead
from sessions.transcript import Transcript
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.standins.stage import running

MIRA = Persona(prompt="You are Mira.", lost="Say that again?")
MARKDOWN = """# Two **ways**

- `uv run avatar`
- [the site](https://example.com/a?b=1) 👍

```sh
ls
```
"""


class Noting(hibari.Hibari):
    """A voice that tells what it is to prepare first."""

    def __init__(self) -> None:
        super().__init__(hibari.model(), hibari.DEFAULT_VOICE)
        self.first: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def prepare(self, text: str) -> None:
        super().prepare(text)
        self.first.set_result(text)


class Captions(FrameProcessor):
    """Notes the words that are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSTextFrame):
            self.words.append(frame.text)
        await self.push_frame(frame, direction)


class Talk:
    """A conversation with a mind, typed."""

    def __init__(self, server: Ollama, http: aiohttp.ClientSession, **settings: int) -> None:
        chosen = load_settings(
            ollama_base_url=server.openai_url, ollama_model=server.models[0], **settings
        )
        self.server = server
        self.context = LLMContext()
        self.mind = ollama.build(chosen, MIRA, http)
        self.voice = Noting()
        news = News(Transcript(), {self.mind: part("llm", "ollama")})
        self.guard = MindGuard([self.mind], InOrder([self.mind]), news, MIRA, 8.0)
        self.turns = LLMContextAggregatorPair(self.context, assistant_params=memory_of([self.mind]))
        self.captions = Captions()
        self.spoken: list[str] = []
        self.answers: asyncio.Queue[AssistantTurnStoppedMessage] = asyncio.Queue()
        self.voice.add_event_handler("on_tts_request", self._asked)
        self.turns.assistant().add_event_handler("on_assistant_turn_stopped", self._answered)

    async def _asked(self, _voice: object, _context: str, text: str) -> None:
        self.spoken.append(text.strip())

    async def _answered(self, _turns: object, message: AssistantTurnStoppedMessage) -> None:
        await self.answers.put(message)

    def stage(self):
        """The pipeline of it."""
        user, assistant = self.turns.user(), self.turns.assistant()
        return running(user, self.mind, self.voice, self.captions, assistant)

    async def answered(self) -> AssistantTurnStoppedMessage:
        """Wait for the end of the next answer."""
        return await asyncio.wait_for(self.answers.get(), 20)


def typed(text: str) -> LLMMessagesAppendFrame:
    return LLMMessagesAppendFrame([{"role": "user", "content": text}], run_llm=True)


@asynccontextmanager
async def talking(
    replies: Sequence[Reply | str], window: int = 4096, **server: object
) -> AsyncIterator[tuple[Talk, Ollama]]:
    """A conversation that is ready, and its endpoint."""
    async with Ollama(replies=replies, **server) as endpoint, aiohttp.ClientSession() as http:  # type: ignore[arg-type]
        yield Talk(endpoint, http, ollama_window=window), endpoint


@pytest.mark.parametrize("letters", [3, 10_000])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param("<think>Be brief.</think>\n\nHello there.", "Hello there.", id="thought"),
        pytest.param(MARKDOWN, "Two ways. uv run avatar. the site. Some code", id="Markdown"),
    ],
)
async def test_voice_captions_transcript_and_memory_have_the_words_alone(answer, words, letters):
    async with talking([Reply(answer, letters=letters)]) as (talk, _), talk.stage() as stage:
        await stage.play(typed("Hello"))
        written = (await talk.answered()).content
    assert " ".join(talk.spoken) == written == words
    assert talk.context.get_messages()[-1] == {"role": "assistant", "content": words}
    assert " ".join(talk.captions.words) == words


async def test_a_thought_that_is_told_apart_is_not_said():
    reply = Reply("Hello there.", thought="The user greets me.")
    async with talking([reply]) as (talk, _), talk.stage() as stage:
        await stage.play(typed("Hello"))
        assert (await talk.answered()).content == "Hello there."
    assert not stage.all(LLMThoughtTextFrame)


async def test_a_thought_that_the_template_begins_is_told_to_one_conversation_at_most():
    answers = ["The user greets me.</think>\n\nHello there."] * 2
    async with talking([Reply(answer, letters=4) for answer in answers]) as (talk, server):
        written: list[str] = []
        async with aiohttp.ClientSession() as http:
            for each in (talk, Talk(server, http)):
                async with each.stage() as stage:
                    await stage.play(typed("Hello"))
                    written.append((await each.answered()).content)
    assert written[0].endswith("Hello there.") and written[1] == "Hello there."


async def test_a_model_known_for_its_thoughts_tells_none_and_is_believed_when_it_has_none():
    answers = ["The user greets me.</think>\n\nHello.", "Yes.", "So it is."]
    replies = [Reply(answer, letters=4) for answer in answers]
    async with talking(replies, models=("deepseek-r1:8b",)) as (talk, _), talk.stage() as stage:
        for answer in ("Hello.", "Yes.", "So it is."):
            await stage.play(typed("Hello"))
            assert (await talk.answered()).content == answer


async def test_who_answers_nothing_says_so_as_often_as_it_happens():
    nothing = ["", "   \n", "…", "👍", "<think>I wonder", "---"]
    replies = [Reply(text, letters=1) for text in nothing]
    async with talking(replies) as (talk, _), talk.stage() as stage:
        for _ in nothing:
            await stage.play(typed("Hello"))
            assert (await talk.answered()).content == MIRA.lost
    assert talk.spoken == [MIRA.lost] * len(nothing)
    assert talk.voice.is_usable and not stage.all(ErrorFrame)


async def test_who_is_cut_off_before_the_first_word_has_not_answered_nothing():
    slow = Reply("Too late.", delay_s=20)
    async with talking([slow, "Yes."]) as (talk, server), talk.stage() as stage:
        await stage.play(typed("Hello?"))
        await server.until(lambda: bool(server.state.read))
        await stage.play(InterruptionFrame(), typed("Are you there?"))
        while (written := (await talk.answered()).content) == "":
            pass
    assert written == "Yes." and talk.spoken == ["Yes."]


async def test_an_endpoint_that_fails_for_once_is_not_met_with_silence():
    async with talking(["Here I am."]) as (talk, server), talk.stage() as stage:
        for _ in range(2):  # it is asked again once
            server.fail("/v1/chat/completions", 500)
        await stage.play(typed("Hello?"))
        assert (await talk.answered()).content == MIRA.lost
        await stage.play(typed("Hello?"))
        assert (await talk.answered()).content == "Here I am."


@pytest.mark.parametrize("roles", ["turns", "no system"])
async def test_the_history_is_one_that_every_template_takes(roles):
    replies = [Reply("Too late.", delay_s=20), "Paris.", "Rome."]
    async with talking(replies, roles=roles) as (talk, server), talk.stage() as stage:
        await stage.play(TTSSpeakFrame("Hi, I am Mira!"))
        await talk.answered()
        await stage.play(typed("The capital of France?"))
        await server.until(lambda: bool(server.state.read))
        await stage.play(InterruptionFrame(), typed("Quick!"))
        while not (written := (await talk.answered()).content):
            pass
        await stage.play(typed("And of Italy?"))
        assert [written, (await talk.answered()).content] == ["Paris.", "Rome."]
    assert not stage.all(ErrorFrame)
    asked = server.state.read[-1]
    assert "You are Mira." in asked[0]["content"] and "Hi, I am Mira!" in asked[0]["content"]
    assert [message["content"] for message in asked[-3:-1]][1] == "Paris."
    assert asked[-3]["content"].endswith("The capital of France?\nQuick!")


async def test_a_long_talk_never_costs_the_mind_its_prompt():
    turns = 30
    question = "What do you think of the weather, the mountains and the sea today, dear Mira?"
    replies = [f"Answer {n}: " + "I think well of all of them. " * 6 for n in range(2 * turns)]
    async with talking(replies, window=1024, roles="turns") as (talk, server):
        server.window = 1024 * 3 // 4  # in words, which are more than one token each
        async with talk.stage() as stage:
            for _ in range(turns):
                await stage.play(typed(question))
                await talk.answered()
    assert not stage.all(ErrorFrame)
    for body, read in zip(server.state.prompts, server.state.read, strict=True):
        assert body["messages"] == read, "the endpoint had to cut nothing"
        assert sum(len(str(message["content"])) for message in read) < 1024 * 4
    asked = zip(server.state.prompts, server.state.read, strict=True)
    spoken_to = [read for body, read in asked if body.get("stream")]
    assert len(spoken_to) == turns < len(server.state.read) < 1.5 * turns, "and for summaries"
    assert all(read[0]["content"].startswith(MIRA.prompt) for read in spoken_to)
    assert any("Conversation summary: Answer" in str(read) for read in spoken_to)


async def test_the_first_sentence_is_prepared_as_the_voice_will_be_asked_for_it():
    answer = Reply("<think>Hm.</think>**Yes**, [gladly](https://a.org). It is so.", letters=4)
    async with talking([answer]) as (talk, _), talk.stage() as stage:
        prepare_ahead(talk.turns, [talk.mind], [talk.voice])
        await stage.play(UserStartedSpeakingFrame())
        context = LLMContext([{"role": "user", "content": "May I?"}])
        await stage.play(LLMContextFrame(context, speculation=True))
        assert await asyncio.wait_for(talk.voice.first, 20) == "Yes, gladly."
        assert not talk.spoken
        await stage.play(UserStoppedSpeakingFrame())
        assert (await talk.answered()).content == "Yes, gladly. It is so."
    assert talk.spoken == ["Yes, gladly.", "It is so."]
