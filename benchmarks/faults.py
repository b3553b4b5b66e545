"""What becomes of questions while vendors die at random: `python -m benchmarks.faults`.

Holds --talks conversations with stand-ins for the vendors, in which Deepgram, Gemini, Ollama and
Cartesia are well or at fault from question to question: an HTTP status, or a line that is silent,
closed, garbled or not answered. Each question, spoken or typed, has to be answered or told why not.
Reports how long it took until something was heard, which words count as said and were not heard,
or the other way round, and what stays in this process, which holds both ends.

Then LiveAvatar's face dies at --deaths points of an answer, in turns by freezing and by leaving its
room, and the user lets the rest be said or interrupts it: how long nothing is heard, and whether
transcript and mind have the words that were heard.
"""

import argparse
import asyncio
import os
import secrets
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from loguru import logger

from benchmarks.machine import read
from benchmarks.report import options_parser
from sandbox import livekit_server
from tests.faults.chance import Talk, hold_many
from tests.faults.deaths import Death, die


def rows(talks: Sequence[Talk]) -> list[str]:
    """A line for each fault: how often, and the median and longest wait."""
    waits: defaultdict[str, list[float]] = defaultdict(list)
    for talk in talks:
        for fault, wait_s in zip(talk.faults, talk.waits_s, strict=False):
            waits[fault].append(wait_s)
    return [
        f"{fault:60} {len(all_s):4} {np.median(all_s):6.2f} {max(all_s):6.2f}"
        for fault, all_s in sorted(waits.items())
    ]


def main() -> None:
    """Hold them, and report."""
    parser = options_parser(__doc__)
    parser.add_argument("--talks", type=int, default=300, help="conversations")
    parser.add_argument("--at-once", type=int, default=6, help="conversations at the same time")
    parser.add_argument("--deaths", type=int, default=20, help="points at which a face dies")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    options = parser.parse_args()
    logger.remove()
    print(f"seed {options.seed}")
    talks = asyncio.run(_talks(options))
    if talks:
        print("\n".join(rows(talks)))
    print(f"questions: {sum(len(talk.faults) for talk in talks)}")
    print(f"met with silence: {[fault for talk in talks for fault in talk.silent]}")
    print(f"stuck: {[talk.stuck for talk in talks if talk.stuck]}")
    print(f"words lost: {sum(len(talk.lost) for talk in talks)}")
    print(f"words doubled: {sum(len(talk.doubled) for talk in talks)}")
    asyncio.run(_deaths(options.deaths))


async def _talks(options: argparse.Namespace) -> list[Talk]:
    """Hold the conversations, and tell after each tenth of them what stays."""
    talks: list[Talk] = []
    tenth = max(1, options.talks // 10)
    for begin in range(options.seed, options.seed + options.talks, tenth):
        seeds = range(begin, min(begin + tenth, options.seed + options.talks))
        talks += await hold_many(seeds, options.at_once)
        _tell_what_stays(len(talks))
    return talks


def _tell_what_stays(count: int) -> None:
    now, tasks = read(os.getpid()), len(asyncio.all_tasks())
    print(
        f"after {count}: {now.rss_mb:.0f} MB, {now.threads} threads, {now.files} files,"
        f" {now.sockets} sockets, {tasks} tasks",
        flush=True,
    )


async def _deaths(count: int) -> None:
    if not count:
        return
    print("the face dies at, how, the rest is: silence, words heard / written down / remembered")
    async with livekit_server() as livekit:
        for number in range(count):
            at_s = round(0.2 + 4.0 * number / count, 2)
            death = Death(at_s, freezes=number % 2 == 0, interrupts=number % 4 > 1)
            left = await die(livekit, death)
            how = "freezes" if death.freezes else "leaves"
            rest = "interrupted" if death.interrupts else "heard"
            same = left.heard == left.written == left.remembered
            words = [len(each) for each in (left.heard, left.written, left.remembered)]
            print(
                f"{at_s:5.2f} s  {how:8} {rest:12} {left.silent_s:5.2f} s  {words}"
                + ("" if same else f"  {left.heard} {left.written} {left.remembered}"),
                flush=True,
            )


if __name__ == "__main__":
    main()
