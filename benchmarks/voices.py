"""The local voices: `python -m benchmarks.voices`.

Says sentences that tell voices apart, and lets Whisper write them down: how long a sentence takes
on one thread and of how much CPU, how many times faster than it is spoken that is, when its first
sound comes in what is made, and how many words were not understood. Numbers are written as Whisper
writes them, and spellings are not counted. The first sentence is said once before, to warm up.
"""

import functools
import re
import time
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np
from rapidfuzz.distance import Levenshtein

from benchmarks.report import Report, options_parser
from pipelines.media import alignment, phonemes
from pipelines.media.speech import Speech
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.tts import hibari, piper
from tests.speech import SENTENCES, hear

QUIET = 0.01  # of full scale
SAME = {"harbour": "harbor", "i am": "im", "25": "", "1969": ""}
Speak = Callable[[str], Iterator[Speech]]


def voices() -> dict[str, tuple[Speak, int]]:
    """How each voice speaks, and its rate in Hz."""
    settings = load_settings()
    found: dict[str, tuple[Speak, int]] = {
        f"hibari {name}": (functools.partial(phonemes.speak, hibari.model(), timbre), 24_000)
        for name, timbre in hibari.VOICES.items()
    }
    other = piper.voice(piper.voice_name(settings, Persona()))
    found["piper"] = functools.partial(alignment.speak, other), other.config.sample_rate
    return found


def plain(text: str) -> list[str]:
    """The words of a text as they are compared."""
    text = text.lower().replace("'", "")
    for one, other in SAME.items():
        text = text.replace(one, other)
    return re.sub(r"[^a-z ]", "", text).split()


def measure(name: str, speak: Speak, rate: int, report: Report) -> None:
    """Say all sentences, and note the figures."""
    list(speak(SENTENCES[0]))
    took_ms, cpu_ms, times, silent_ms, wrong = [], [], [], [], 0
    for text in SENTENCES:
        began_s, cpu_s = time.perf_counter(), time.thread_time()
        pcm = b"".join(speech.pcm for speech in speak(text))
        took_ms.append(1000 * (time.perf_counter() - began_s))
        cpu_ms.append(1000 * (time.thread_time() - cpu_s))
        times.append(1000 * len(pcm) / 2 / rate / took_ms[-1])
        loud = np.abs(np.frombuffer(pcm, np.int16)) > QUIET * 32768
        silent_ms.append(1000 * float(loud.argmax()) / rate)
        wrong += Levenshtein.distance(plain(text), plain(hear(pcm, rate)))
    report.add(f"{name}: a sentence", "ms", took_ms)
    report.add(f"{name}: its CPU", "ms", cpu_ms)
    report.add(f"{name}: faster than spoken", "times", times)
    report.add(f"{name}: silence before the first sound", "ms", silent_ms)
    of = len(list(chain.from_iterable(map(plain, SENTENCES))))
    report.add(f"{name}: words misunderstood of {of}", "", [wrong])


def main() -> None:
    """Measure and print."""
    report = Report("The local voices", options_parser(__doc__).parse_args())
    for name, (speak, rate) in voices().items():
        measure(name, speak, rate, report)
    report.finish()


if __name__ == "__main__":
    main()
