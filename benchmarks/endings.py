"""How soon an end is believed, and how many pauses are cut off: `python -m benchmarks.endings`.

Holds rules of taking turns against labelled recordings (`benchmarks/labels.py` says how they are
labelled; `python -m benchmarks.recordings` makes a set), as end-of-turn models are compared with
each other: the delay at ends against the share of pauses in which the speaker was thought to be
done. The product's own clock of silence, ears, end-of-turn model and rules are asked; nothing is
played.

Rules: silence alone; Pipecat's usual one (0.2 s of voice activity detection, then Smart Turn, then
3 s of silence); a table written by hand before these recordings were heard; and `rules.wait_s`
with each patience, which waits longer for who was cut off (each speaker's recordings are taken as
one conversation), and once without that memory. What the models take is counted as --thinking-s,
so that the figures do not depend on what else the machine does.

A delay runs from the last sound of the voice to the decision. A pause is cut off when the decision
falls into it, and heard over when the avatar, which is heard 0.1 s after a decision (by the usual
rule 1 s, as its answer is not made ahead), speaks before the speaker goes on. Speakers whose
recordings tuned a rule are reported apart from those who test it: only these count.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.drawing import COLOURS, Dot, draw
from benchmarks.labels import LABELS, read
from benchmarks.looks import Look, Moment, restore, save, watch
from benchmarks.recordings import CACHE
from benchmarks.report import options_parser
from pipelines.turns import rules
from pipelines.turns.words import Words

SILENCES_S = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2)
# An answer made ahead is heard so soon after the decision; one that is not, so late.
HEARD_S, HEARD_LATE_S = 0.1, 1.0
# Pipecat's Smart Turn strategy gives up waiting after so much silence.
USUAL_LIMIT_S = 3.0
NEVER_S = float("inf")
FORGETS = "balanced, without memory"
FIRST_TABLE = ((0.95, 0.33), (0.8, 0.5), (0.5, 0.7), (-1.0, 1.0))

Wait = Callable[[Look, float], float]
"""Seconds of silence that end a turn after a look, for who gets so much more time."""
Decide = Callable[[Moment, float], float]
"""Seconds from the last sound of the voice to the decision; infinite if there is none."""


@dataclass(frozen=True)
class Rule:
    """A way to decide that a turn has ended."""

    name: str
    decide: Decide
    heard_s: float = HEARD_S
    learns: bool = False
    """Whether it waits longer for who was cut off."""

    def decisions(self, moments: Sequence[Moment]) -> np.ndarray:
        """When it decides, each speaker's moments being one conversation in this order."""
        stretches: dict[str, float] = {}
        found: list[float] = []
        for moment in moments:
            stretch = stretches.get(moment.speaker, 1.0)
            found.append(self.decide(moment, stretch))
            cut_off = moment.pause_s is not None and found[-1] < moment.pause_s
            if self.learns and (cut_off or moment.pause_s is None):
                stretches[moment.speaker] = rules.stretched(stretch, cut_off)
        return np.array(found)


def by_silence(least_s: float) -> Decide:
    """Silence alone."""
    return lambda moment, stretch: least_s


def usual(thinking_s: float) -> Decide:
    """Pipecat's usual rule."""

    def decide(moment: Moment, stretch: float) -> float:
        if moment.vad_at_s is None:
            return NEVER_S
        sure = moment.vad_complete > 0.5
        return moment.vad_at_s + thinking_s if sure else moment.vad_at_s - 0.2 + USUAL_LIMIT_S

    return decide


def by_looks(wait: Wait, thinking_s: float) -> Decide:
    """A rule that says at each look how long the silence has to be, as the product asks it."""

    def decide(moment: Moment, stretch: float) -> float:
        known_s = [look.at_s + thinking_s for look in moment.looks]
        next_known_s = [*known_s[1:], NEVER_S]
        for look, now_s, next_s in zip(moment.looks, known_s, next_known_s, strict=False):
            ends_s = max(now_s, look.at_s - look.quiet_s + wait(look, stretch))
            if ends_s < next_s:
                return ends_s
        return NEVER_S

    return decide


def first_table(look: Look, stretch: float) -> float:
    """Seconds to wait by the table that was written before anybody of the set was heard."""
    words = Words(look.text)
    if words.are_an_answer:
        return 0.25
    if words.trail_off:
        return 1.2
    if words.end_in_digits:
        return 1.0
    if words.want_more:
        return 0.7 if look.complete > 0.95 else 0.9
    return next(wait_s for least, wait_s in FIRST_TABLE if look.complete > least)


def ours(patience: rules.Patience) -> Wait:
    """The product's rule."""
    return lambda look, stretch: rules.wait_s(Words(look.text), look.complete, patience, stretch)


def all_rules(thinking_s: float) -> list[Rule]:
    """The rules that are compared."""
    return [
        *(Rule(f"silence {s} s", by_silence(s)) for s in SILENCES_S),
        Rule("usual", usual(thinking_s), HEARD_LATE_S),
        Rule("first table", by_looks(first_table, thinking_s)),
        *(
            Rule(name, by_looks(ours(patience), thinking_s), learns=True)
            for name, patience in rules.PATIENCE.items()
        ),
        Rule(FORGETS, by_looks(ours(rules.PATIENCE["balanced"]), thinking_s)),
    ]


@dataclass(frozen=True)
class Outcome:
    """What a rule does to some moments. Shares are percentages."""

    p50_s: float
    p90_s: float
    late_pct: float
    """Of ends without a decision within 1.5 s."""
    cut_pct: float
    heard_pct: float


def outcome(rule: Rule, moments: Sequence[Moment]) -> Outcome:
    """Hold a rule against moments."""
    decisions = rule.decisions(moments)
    pauses_s = np.array([np.nan if m.pause_s is None else m.pause_s for m in moments])
    ends, left = decisions[np.isnan(pauses_s)], (pauses_s - decisions)[~np.isnan(pauses_s)]
    p50, p90 = (_percentile(ends, q) for q in (50, 90))
    shares = (_share_pct(x) for x in (ends > 1.5, left > 0, left > rule.heard_s))
    return Outcome(p50, p90, *shares)


def _share_pct(hits: np.ndarray) -> float:
    return 100 * float(hits.mean()) if len(hits) else float("nan")


def _percentile(values: np.ndarray, q: float) -> float:
    """A percentile where some values may be infinite."""
    if not len(values):
        return float("nan")
    return float(np.sort(values)[min(len(values) - 1, int(len(values) * q / 100))])


def of_people(moments: Sequence[Moment]) -> list[Moment]:
    """The ends, and the pauses that the speakers made themselves."""
    return [moment for moment in moments if not moment.made]


def table(title: str, all_of: Sequence[Rule], moments: Sequence[Moment]) -> list[dict[str, object]]:
    """Print what the rules do to moments; the same as data."""
    ends = sum(moment.pause_s is None for moment in moments)
    natural = sum(moment.pause_s is not None for moment in of_people(moments))
    made = len(moments) - ends - natural
    print(f"\n{title}: {ends} ends, {natural} pauses, {made} made pauses")
    print("| rule | delay p50 | p90 | over 1.5 s | pauses cut | heard | made ones cut | heard |")
    print("|---|---|---|---|---|---|---|---|")
    rows: list[dict[str, object]] = []
    for rule in all_of:
        real = outcome(rule, of_people(moments))
        put_in = outcome(rule, [m for m in moments if m.made or m.pause_s is None])
        print(
            f"| {rule.name} | {real.p50_s:.2f} s | {real.p90_s:.2f} s | {real.late_pct:.0f} %"
            f" | {real.cut_pct:.0f} % | {real.heard_pct:.0f} %"
            f" | {put_in.cut_pct:.0f} % | {put_in.heard_pct:.0f} % |"
        )
        rows.append({"rule": rule.name, "real": vars(real), "made": vars(put_in)})
    return rows


def by_kind(all_of: Sequence[Rule], moments: Sequence[Moment]) -> None:
    """Print the share of pauses cut off, and the delay at ends, of each kind and speaker."""
    for field in ("kind", "speaker"):
        print(f"\n| {field} | ends | pauses | " + " | ".join(rule.name for rule in all_of) + " |")
        print("|---" * (3 + len(all_of)) + "|")
        for value in sorted({getattr(moment, field) for moment in moments}):
            of = [moment for moment in moments if getattr(moment, field) == value]
            cells = [_cell(outcome(rule, of)) for rule in all_of]
            ends = sum(moment.pause_s is None for moment in of)
            print(f"| {value} | {ends} | {len(of) - ends} | " + " | ".join(cells) + " |")


def _cell(of: Outcome) -> str:
    cut = "–" if np.isnan(of.cut_pct) else f"{of.cut_pct:.0f} %"
    delay = "–" if np.isnan(of.p50_s) else f"{of.p50_s:.2f} s"
    return f"{cut}, {delay}"


def drawing(moments: Sequence[Moment], all_of: Sequence[Rule]) -> str:
    """Delay at ends against the share of cut-off pauses, of those that people made themselves."""
    people = of_people(moments)
    found = {rule.name: outcome(rule, people) for rule in all_of}
    dots = [
        Dot(name, COLOURS[_sort(name)], of.p50_s, of.p90_s, of.cut_pct)
        for name, of in found.items()
    ]
    pauses = sum(moment.pause_s is not None for moment in people)
    return draw(
        f"Pauses cut off ({pauses} of people who were not heard in tuning) against delay",
        [dot for dot in dots if _sort(dot.name) == "silence"],
        [dot for dot in dots if _sort(dot.name) != "silence" and dot.name != FORGETS],
    )


def _sort(name: str) -> str:
    word = name.partition(" ")[0]
    return word if word in COLOURS else "ours"


def main() -> None:
    """Watch or restore, compare, draw."""
    parser = options_parser(__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=CACHE / "voices")
    parser.add_argument("--thinking-s", type=float, default=0.11, help="what the models take")
    parser.add_argument("--seen", type=Path, help="keep what the models said there, or take it")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="draw the figures of the test")
    options = parser.parse_args()
    if options.seen and options.seen.exists():
        moments = restore(options.seen)
    elif (options.folder / LABELS).exists():
        moments = watch(list(read(options.folder)))
    else:
        parser.error(
            f"{options.folder} has no {LABELS}: python -m benchmarks.recordings makes a set."
        )
    if options.seen:
        save(moments, options.seen)
    rules_ = all_rules(options.thinking_s)
    facts = {}
    for split in sorted({moment.split for moment in moments}):
        of = [moment for moment in moments if moment.split == split]
        facts[split] = table(split, rules_, of)
        by_kind([r for r in rules_ if not r.name.startswith("silence")], of)
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(drawing([m for m in moments if m.split == "test"], rules_))


if __name__ == "__main__":
    main()
