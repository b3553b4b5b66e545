"""Replies of a language model, written beforehand and told word by word."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """One answer: `delay_s` before its first word, `word_delay_s` before each further one.

    `after` is something that has to happen before there is any word.
    With `letters` it comes in pieces of so many characters, as it is written; `thought` is what a
    reasoning model tells apart from its answer.
    """

    text: str
    delay_s: float = 0.0
    word_delay_s: float = 0.0
    letters: int = 0
    thought: str = ""
    after: asyncio.Event | None = None


def as_replies(replies: Iterable[Reply | str]) -> deque[Reply]:
    """The script as a queue; a bare string is a reply without delays."""
    return deque(Reply(reply) if isinstance(reply, str) else reply for reply in replies)


async def spoken_words(reply: Reply) -> AsyncIterator[str]:
    """The words in order, at the reply's pace, each with the space that precedes it."""
    if reply.after:
        await reply.after.wait()
    await asyncio.sleep(reply.delay_s)
    if reply.letters:
        for at in range(0, len(reply.text), reply.letters):
            yield reply.text[at : at + reply.letters]
        return
    for at, word in enumerate(reply.text.split()):
        if at:
            await asyncio.sleep(reply.word_delay_s)
        yield f" {word}" if at else word
