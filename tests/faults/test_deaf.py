"""Deepgram's line dies just as somebody speaks, too shortly for its silence to tell."""

import asyncio
from pathlib import Path
from typing import Any

from tests.faults.asking import settings_of
from tests.faults.hall import LOST, Hall, open_hall
from tests.speech import say
from tests.standins.deepgram import Deepgram
from tests.standins.line import Line, line_to
from tests.standins.ollama import Ollama

WORD = "Where is it?"
# What still comes back of a line that is cut: the answer to a ping; what is heard first.
PONG = BEGINNING = 1
NOVA = "nova-3-general"
GREETED, FOUND = "Good morning.", "It is here."


def settings(deepgram: Deepgram, line: Line, mind: Ollama) -> dict[str, Any]:
    """What leads to the two, and to a voice of this machine."""
    env = settings_of("Deepgram", deepgram, line.url) | settings_of("Ollama", mind, mind.url)
    return env | {"llm": "ollama", "tts": "hibari"}


async def ask(hall: Hall) -> float:
    """Ask aloud; when that was over."""
    hall.place.microphone.say(say(WORD))
    await asyncio.wait_for(hall.place.microphone.quiet.wait(), 20)
    return hall.now_s


async def answered(hall: Hall, text: str, asked_s: float) -> float:
    """Seconds from a question to what is heard, which is this text."""
    await hall.until(lambda: hall.said.endswith(text), text, 10)
    await hall.hushed(asked_s)
    return (hall.first_sound(asked_s) or 0.0) - asked_s


async def cut(hall: Hall, deepgram: Deepgram, line: Line, after: int) -> None:
    """Wait until there is a connection, then cut it after so many pieces."""
    await hall.hushed(await hall.type("Hello."))
    await hall.until(lambda: deepgram.state.audio_bytes, "sound at Deepgram")
    line.cut("silent", after)


async def swallowed(home: Path, model: str, after: int, spare: str, heard: str) -> None:
    """Say a word into a line that dies; others hear it, or ask for it, and hear the next."""
    async with Deepgram() as deepgram, Ollama(replies=[GREETED, FOUND, FOUND]) as mind:
        async with line_to(deepgram.port, path="/listen") as line:
            env = settings(deepgram, line, mind) | {"stt": f"deepgram,{spare}"}
            async with open_hall(home, env | {"deepgram_model": model}) as hall:
                hall.place.microphone.listen()
                await cut(hall, deepgram, line, after)
                waited_s = await answered(hall, heard, await ask(hall))
                assert hall.notices() == [
                    f"The ears failed: deepgram cannot be reached; {spare} takes its place."
                ]
                await answered(hall, FOUND, await ask(hall))
                assert 1.5 < waited_s < 6.0


async def half_heard(home: Path) -> None:
    """Have Nova hear the beginning of what is said, which is answered."""
    async with Deepgram() as deepgram, Ollama(replies=[GREETED, FOUND]) as mind:
        deepgram.state.say(WORD, voiced_s=0.3)
        async with line_to(deepgram.port, path="/listen") as line:
            env = settings(deepgram, line, mind) | {"stt": "deepgram"}
            async with open_hall(home, env | {"deepgram_model": NOVA}) as hall:
                hall.place.microphone.listen()
                await cut(hall, deepgram, line, BEGINNING)
                await answered(hall, FOUND, await ask(hall))
                told = [m["text"] for m in hall.received("user-transcription") if m["final"]]
                assert told[-1] and WORD.startswith(told[-1])


async def test_what_a_dead_line_swallowed_is_heard_by_others_or_asked_for(tmp_path: Path) -> None:
    say(WORD)
    homes = [tmp_path / name for name in ("flux", "nova", "half")]
    for home in homes:
        home.mkdir()
    async with asyncio.TaskGroup() as talks:
        talks.create_task(swallowed(homes[0], "", PONG, "moonshine", FOUND))
        talks.create_task(swallowed(homes[1], NOVA, 0, "whisper", LOST))
        talks.create_task(half_heard(homes[2]))
