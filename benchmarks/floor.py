"""Who has the floor, word by word: `python -m benchmarks.floor`.

Single words while the avatar is silent: is each heard and answered, and how long after its end?
Signs of listening while it speaks: does it go on? Commands and whole sentences while it speaks: how
long after their first sound is it lowered, how long until it is silent? Real ears in a real
pipeline, in a room whose time stands still while models think (`tests/pipelines/turns/room.py`),
so times here are those of the rules, without the models' own; `benchmarks.turns` has these too.

The voices are synthetic: the test's, and Hibari's at several pitches. Real words, of the recordings
that `benchmarks.recordings` fetches, are added where they are there.
"""

import argparse
import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import soxr
from hibari import SAMPLE_RATE
from loguru import logger

from benchmarks.labels import load, trimmed
from benchmarks.recordings import CACHE
from benchmarks.report import Report, options_parser
from pipelines.media import phonemes
from pipelines.media.timbre import Timbre
from pipelines.tts.hibari import model
from tests.pipelines.turns.clock import RoomLoop
from tests.pipelines.turns.played import LOUD
from tests.pipelines.turns.room import LONG, Room, open_room
from tests.pipelines.turns.sounds import RATE
from tests.speech import say

WORDS = (
    "Yes.", "No.", "Sure.", "Okay.", "Right.", "Thanks.", "Yeah.", "Stop.", "Wait.", "What?",
    "Hello.", "Goodbye.", "Tomorrow.",
)  # fmt: skip
LISTENING = ("Mm-hm.", "Uh-huh.", "Yeah.", "Right.", "Okay.", "I see.", "Oh, really.")
COMMANDS = ("Stop.", "Wait.", "No.")
SENTENCES = (
    "I would rather hear about the sea.",
    "Can you tell me how much it costs?",
    "We have talked about this before.",
    "My brother lives in Canada.",
)
REAL_WORDS = {
    "Goodbye.": "goodbye.wav", "Hello.": "hello.wav", "Tomorrow.": "tomorrow.wav",
    "Today.": "today.wav", "Yesterday.": "yesterday.wav", "Sorry.": "sorry.wav",
}  # fmt: skip
TIMBRES = {
    "Hibari": Timbre(), "Hibari, low": Timbre(0.58, 0.86), "Hibari, high": Timbre(1.25, 1.1),
    "Hibari, alto": Timbre(0.8, 0.95), "Hibari, bass": Timbre(0.48, 0.8),
}  # fmt: skip
ANSWER = "Certainly, here you are."
QUESTION = "What can you do?"
INTO_ANSWER_S = 1.5
OUTPUT_S = 0.1  # in which what was on its way is still heard
LEVEL = 0.25 * 32768
Say = Callable[[str], np.ndarray]


def voices() -> Mapping[str, Say]:
    """How each speaker says a text: samples of 16 bits at 16 kHz, with nothing around them."""
    found: dict[str, Say] = {"Joe": lambda text: _level(np.frombuffer(say(text), np.int16))}
    for name, timbre in TIMBRES.items():
        found[name] = lambda text, timbre=timbre: _level(_spoken(text, timbre))
    return found


def _spoken(text: str, timbre: Timbre) -> np.ndarray:
    pcm = b"".join(speech.pcm for speech in phonemes.speak(model(), timbre, text))
    return soxr.resample(np.frombuffer(pcm, np.int16).astype(np.float32), SAMPLE_RATE, RATE)


def _level(samples: np.ndarray) -> np.ndarray:
    sound = trimmed(samples.astype(np.float32) / 32768, before_s=0.02)
    return sound / np.abs(sound).max() * LEVEL


def real_words() -> Mapping[str, np.ndarray]:
    """Words that a person said, where they are there."""
    files = {path.name: path for path in CACHE.glob("asterisk*/**/*.wav")}
    return {
        word: _level(load(files[name]) * 32768)
        for word, name in REAL_WORDS.items()
        if name in files
    }


async def alone(room: Room, sound: np.ndarray) -> float | None:
    """Say a word to a silent avatar; seconds from its end to the answer, None without one."""
    room.mind.answer = ANSWER
    await room.wait(1.5)
    end_s = await room.say(sound)
    await room.wait(2.5)
    answered = room.first_sound(end_s)
    await room.quiet()
    return None if answered is None else answered - end_s


async def speaking(room: Room, question: np.ndarray) -> float:
    """Have it begin a long answer; returns when what comes next begins."""
    room.mind.answer = LONG
    await room.wait(1.5)
    end_s = await room.say(question)
    await room.answer(end_s)
    await room.wait(INTO_ANSWER_S)
    return room.now_s


async def listens(room: Room, question: np.ndarray, sound: np.ndarray) -> bool:
    """Whether the avatar goes on although something is said meanwhile."""
    begin_s = await speaking(room, question)
    await room.say(sound)
    await room.wait(1.2)
    stopped = any(at_s >= begin_s for at_s in room.interruptions)
    room.mind.answer = ANSWER
    await room.quiet()
    return not stopped


async def interrupted(
    room: Room, question: np.ndarray, sound: np.ndarray
) -> tuple[float | None, float | None, float]:
    """Interrupt it: seconds from the first sound to lowered and to silent, and the sound's own."""
    begin_s = await speaking(room, question)
    usual = max(room.loudness(begin_s - 1, begin_s))
    await room.say(sound)
    await room.wait(1.0)
    cut_s = next((at_s for at_s in room.interruptions if at_s >= begin_s), None)
    room.mind.answer = ANSWER
    await room.quiet()
    if cut_s is None:
        return None, None, len(sound) / RATE
    levels = room.speaker.levels
    before = [(at, loud) for at, loud in levels if begin_s <= at <= cut_s + OUTPUT_S]
    lowered_s = max((at for at, loud in before if loud > usual / 3), default=begin_s)
    silent_s = max((at for at, loud in before if loud > LOUD), default=begin_s)
    return lowered_s - begin_s, silent_s - begin_s, len(sound) / RATE


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Say everything in every voice, each voice in a room of its own."""
    report = Report("Who has the floor", options)
    found: dict[str, list[float]] = defaultdict(list)
    for number, (name, speak) in enumerate(voices().items()):
        (home := folder / str(number)).mkdir()
        async with open_room(home) as room:
            words = [(f"{name}: {word}", speak(word)) for word in WORDS]
            if number == 0:
                words += [(f"a person: {word}", sound) for word, sound in real_words().items()]
            for what, sound in words:
                delay_s = await alone(room, sound)
                print(what, "answered after", delay_s, flush=True)
                found["single words: answered"].append(delay_s is not None)
                if delay_s is not None:
                    found["single words: end to answer"].append(1000 * delay_s)
            question = speak(QUESTION)
            for word in LISTENING:
                goes_on = await listens(room, question, speak(word))
                print(f"{name}: {word}", "goes on" if goes_on else "STOPS", flush=True)
                found["signs of listening: it stops"].append(not goes_on)
            for text in (*COMMANDS, *SENTENCES):
                lowered_s, silent_s, lasts_s = await interrupted(room, question, speak(text))
                print(f"{name}: {text}", lowered_s, silent_s, lasts_s, flush=True)
                kind = "commands" if text in COMMANDS else "sentences"
                found[f"{kind}: it stops"].append(silent_s is not None)
                if lowered_s is not None and silent_s is not None:
                    found[f"{kind}: first sound to lowered"].append(1000 * lowered_s)
                    after_s = silent_s - (lasts_s if kind == "commands" else 0)
                    edge = "end of the word" if kind == "commands" else "first sound"
                    found[f"{kind}: {edge} to silent"].append(1000 * after_s)
    for figure, values in found.items():
        if figure.endswith(("answered", "it stops")):
            report.add(figure, f"of {len(values)}", [sum(values)])
        else:
            report.add(figure, "ms", values)
    report.finish()


def main() -> None:
    """Measure and print."""
    options = options_parser(__doc__).parse_args()
    logger.remove()
    with tempfile.TemporaryDirectory() as folder:
        with asyncio.Runner(loop_factory=RoomLoop) as runner:
            runner.run(measure(options, Path(folder)))


if __name__ == "__main__":
    main()
