"""/v1: the mind for others, by OpenAI's protocol; a persona is a model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from loguru import logger
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bots.server.casting import Casting
from bots.server.completion import Completion, wrong
from bots.server.question import BadQuestion, Question, read
from pipelines.errors import AvatarError, Spent, UserError
from pipelines.lent import filled, told
from pipelines.mind.history import tokens
from pipelines.mind.thinker import Usage
from pipelines.mind.thinkers import Thinkers
from pipelines.offer import personas_by_id
from pipelines.parts import Lineup
from pipelines.persona import Persona

# Questions that are answered at the same time.
MOST = 32
STOPPING = "The mind is being updated: ask again in a minute."
BUSY = "The mind is asked more than it can answer at a time: ask again in a second."


class Completions:
    """The mind of a server, which says a sentence whatever happens: a voice waits for it."""

    def __init__(self, casting: Casting, lineup: Lineup) -> None:
        """Raises: BadSetting, when a persona cannot be read."""
        self._given = casting.given
        self._personas = personas_by_id(casting.settings)
        self._thinkers = Thinkers(casting.settings, lineup)
        self._asked, self._closed = 0, False

    @property
    def models(self) -> list[str]:
        """Who can be asked: ids of personas, the default first."""
        return list(self._personas)

    def offer(self, _request: Request) -> Response:
        """GET /v1/models."""
        facts = {"object": "model", "created": 0, "owned_by": "avatar"}
        return JSONResponse({"object": "list", "data": [{"id": id, **facts} for id in self.models]})

    async def complete(self, request: Request) -> Response | Completion:
        """POST /v1/chat/completions."""
        try:
            question = read(await request.body())
            if question.model not in self._personas:
                known = ", ".join(self.models)
                why = f"There is no model {question.model[:80]!r} here: ask for one of {known}."
                return wrong(404, why, "model", "model_not_found")
            prompt = told(self._personas[question.model], self._given, question.context)
        except BadQuestion as error:
            return wrong(400, str(error), error.field)
        except UserError as error:
            logger.error(f"The mind that is lent is not told all it needs. {error}")
            return wrong(400, str(error), "messages")
        if self._closed:
            return wrong(503, STOPPING)
        if self._asked >= MOST:
            return wrong(429, BUSY)
        # A place is taken here, before anybody else can ask, and not when the answer begins.
        self._asked += 1
        usage = Usage()
        return Completion(question, self._words(question, prompt, usage), usage, self._answered)

    async def close(self) -> None:
        """Take no question any more, and let those finish who answer, for a moment."""
        self._closed = True
        await self._thinkers.close()

    def _answered(self) -> None:
        self._asked -= 1

    async def _words(
        self, question: Question, prompt: str, usage: Usage
    ) -> AsyncGenerator[str, None]:
        persona = filled(self._personas[question.model], self._given)
        try:
            async with aclosing(self._thought(question, persona, prompt, usage)) as answer:
                async for words in answer:
                    yield words
        except Spent:
            yield persona.spent or Persona.spent
        except AvatarError as error:
            logger.error(f"The mind that is lent cannot be asked. {error}")
            yield persona.unable or Persona.unable

    async def _thought(
        self, question: Question, persona: Persona, prompt: str, usage: Usage
    ) -> AsyncGenerator[str, None]:
        said = ""
        async with self._thinkers.one(question.model, persona) as thinker:
            async with aclosing(thinker.ask(prompt, question.messages)) as answer:
                async for words in answer:
                    said += words
                    yield words
            # A mind that does not count is estimated.
            asked = [{"content": prompt}, *question.messages]
            usage.read = thinker.usage.read or sum(tokens(dict(each)) for each in asked)
            usage.written = thinker.usage.written or tokens({"content": said})
