"""Conversations in which ears, mind and voice fail at random, and are well again at random."""

import asyncio
import functools
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, get_args

import numpy as np

from pipelines.text import has_sound
from tests.faults.hall import LOST, Hall, open_hall
from tests.pipelines.turns.played import words_in
from tests.pipelines.turns.sounds import speeches
from tests.speech import say
from tests.standins.cartesia import Cartesia
from tests.standins.deepgram import Deepgram
from tests.standins.gemini import Gemini
from tests.standins.line import Cut, line_to
from tests.standins.line import Line as Wire
from tests.standins.loudness import voiced_s
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.standins.script import Line

QUESTION = "Where is it?"
ANSWERS = {"gemini": "Paris is old. It has a river.", "ollama": "Rome is older. It has hills."}
STATUSES = (0, 401, 402, 429, 500, 503)
CUTS = tuple(cut for cut in get_args(Cut) if cut)
# A question has been answered, or told why not, after so long; two minds may each take their time.
LIMIT_S = 40.0


@dataclass
class Talk:
    """What came of one conversation: of each question, what failed and what was heard.

    Attributes:
        faults: what was at fault, a line for each question.
        waits_s: seconds until something was heard, of each question.
        silent: questions after which nothing was heard or shown.
        lost: words that count as said and were not heard, `doubled` those heard beside them.
        stuck: what the conversation waited for in vain, if it did.
    """

    faults: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: str = ""


@functools.cache
def _spoken(text: str) -> bytes:
    return b"".join(speech.pcm for speech in speeches(text))


@dataclass(frozen=True)
class Vendors:
    """Stand-ins, the lines to them, and the settings that lead there."""

    gemini: Gemini
    ollama: Ollama
    cartesia: Cartesia
    deepgram: Deepgram
    lines: Sequence[Wire]

    @property
    def env(self) -> dict[str, Any]:
        """The settings."""
        gemini, ollama, cartesia, deepgram = (line.url for line in self.lines)
        return {
            "stt": "deepgram,moonshine",
            "llm": "gemini,ollama",
            "tts": "cartesia",
            "google_api_key": self.gemini.key,
            "google_base_url": gemini,
            "google_model": self.gemini.models[0],
            "ollama_base_url": f"{ollama}/v1",
            "ollama_model": self.ollama.models[0],
            "cartesia_api_key": self.cartesia.key,
            "cartesia_base_url": cartesia,
            "deepgram_api_key": self.deepgram.key,
            "deepgram_base_url": deepgram,
            "avatar_thinking_s": 3.0,
            "avatar_idle_s": 300.0,
        }

    def draw(self, chance: random.Random) -> str:
        """Let each be well or at fault from now on; says how."""
        told = []
        servers = (self.gemini, self.ollama, self.cartesia, self.deepgram)
        for server, line in zip(servers, self.lines, strict=True):
            server.heal()
            line.mend()
            status, cut = chance.choice(STATUSES), chance.choice(CUTS)
            kind = chance.choice(("well", "well", "status", "cut"))
            if kind == "status" and status:
                server.fail("*", status, lasts=True)
                told.append(f"{type(server).__name__} {status}")
            elif kind == "cut":
                line.cut(cut, chance.randrange(5))
                told.append(f"{type(server).__name__} {cut}")
        return ", ".join(told) or "all well"


@asynccontextmanager
async def vendors(questions: int) -> AsyncIterator[Vendors]:
    """Running stand-ins with answers for so many questions."""
    replies = {
        name: [Reply(text, word_delay_s=0.02)] * (4 * questions) for name, text in ANSWERS.items()
    }
    line = Line(QUESTION, 0.95 * voiced_s(say(QUESTION), 16_000))
    async with AsyncExitStack() as stack:
        servers = (
            Gemini(replies=replies["gemini"]),
            Ollama(replies=replies["ollama"]),
            Cartesia(speak=_spoken, chunk_delay_s=0.02),
            Deepgram(lines=[line] * (4 * questions)),
        )
        paths = ("streamGenerateContent", "/chat/completions", "transcript", "/v2/listen")
        lines = []
        for server, path in zip(servers, paths, strict=True):
            await stack.enter_async_context(server)
            lines.append(await stack.enter_async_context(line_to(server.port, "", path)))
        yield Vendors(*servers, lines)


async def hold(seed: int, questions: int = 3) -> Talk:
    """Hold one conversation, in which chance is as the seed has it."""
    chance, talk = random.Random(seed), Talk()
    with tempfile.TemporaryDirectory() as folder:
        async with vendors(questions) as these, open_hall(Path(folder), these.env) as hall:
            hall.place.microphone.listen()
            for _ in range(questions):
                talk.faults.append(these.draw(chance))
                await _ask(hall, talk, aloud=chance.random() < 0.5)
                if hall.over.done():
                    break
            said, heard = hall.said.split(), _heard(hall)
    _compare(said, heard, talk)
    return talk


async def _ask(hall: Hall, talk: Talk, *, aloud: bool) -> None:
    if aloud:
        hall.place.microphone.say(say(QUESTION))
        over = lambda: hall.place.microphone.quiet.is_set() or hall.over.done()  # noqa: E731
        await hall.until(over, "end of the question", LIMIT_S)
    asked_s = hall.now_s if aloud else await hall.type(QUESTION)
    before = len(hall.notices("unheard")) + len(hall.notices("failed"))
    shown = lambda: len(hall.notices("unheard")) + len(hall.notices("failed")) > before  # noqa: E731
    ended = lambda: hall.over.done() or hall.first_sound(asked_s) or shown()  # noqa: E731
    try:
        await hall.until(ended, "answer", LIMIT_S)
    except AssertionError:
        talk.silent.append(talk.faults[-1])
        return
    if first_s := hall.first_sound(asked_s):
        talk.waits_s.append(first_s - asked_s)
        await hall.hushed(asked_s, lasting_s=4.0)


def _heard(hall: Hall) -> list[str]:
    """The words that came out of the loudspeaker, with whatever voice."""
    heard = np.concatenate([pcm for _, pcm in hall.place.loudspeaker.sounds] or [np.zeros(0)])
    return words_in(heard.astype(np.int16), [s for text in _texts() for s in speeches(text)])


@functools.cache
def _texts() -> list[str]:
    """Every text that a voice may be given: what is left of a sentence may be, or its beginning."""
    whole = [*ANSWERS.values(), LOST, "One moment please.", "I am not well today."]
    words = [sentence.split() for text in whole for sentence in _sentences(text)]
    rests = [" ".join(w[at:]) for w in words for at in range(len(w))]
    begun = [" ".join(w[:at]) + "…" for w in words for at in range(1, len(w))]
    return list(dict.fromkeys([*rests, *begun]))


def _sentences(text: str) -> list[str]:
    return [f"{each.strip()}." if not each.strip().endswith("?") else each.strip()
            for each in text.split(".") if each.strip()]  # fmt: skip


def _compare(said: Sequence[str], heard: Sequence[str], talk: Talk) -> None:
    matcher = SequenceMatcher(None, said, heard, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            talk.lost += filter(has_sound, said[a:b])
            talk.doubled += filter(has_sound, heard[c:d])


async def hold_many(seeds: Sequence[int], at_once: int, questions: int = 3) -> list[Talk]:
    """Hold a conversation for each seed, so many at a time; one that is stuck ends no other."""
    room = asyncio.Semaphore(at_once)

    async def held(seed: int) -> Talk:
        async with room:
            try:
                return await hold(seed, questions)
            except (AssertionError, TimeoutError) as error:
                return Talk(stuck=f"seed {seed}: {error}")

    return list(await asyncio.gather(*map(held, seeds)))
