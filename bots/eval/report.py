"""What is printed: a line for each scenario, and a sentence for each thing that failed; or JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from bots.eval.holding import Outcome


def line(outcome: Outcome) -> str:
    """One scenario: whether it passed, what was seen, and what was not as wanted."""
    verdict = "skipped" if outcome.skipped else "passed" if outcome.passed else "FAILED"
    lines = [f"{verdict}  {outcome.name}  ({outcome.took_s:.1f} s)"]
    if outcome.skipped:
        lines.append(f"    {outcome.skipped}")
    lines += [f"    {failure}" for failure in outcome.failures]
    lines += [f"    {'' if f.passed else 'FAILED '}{f.sentence}" for f in outcome.findings]
    return "\n".join(lines)


def summary(outcomes: Sequence[Outcome]) -> str:
    """The last line."""
    passed = sum(outcome.passed for outcome in outcomes)
    return f"{passed} of {len(outcomes)} scenarios passed"


def as_json(outcomes: Sequence[Outcome]) -> str:
    """The same for programs."""
    told = [
        {
            "name": outcome.name,
            "passed": outcome.passed,
            "skipped": outcome.skipped,
            "took_s": round(outcome.took_s, 3),
            "failures": outcome.failures,
            "face": [asdict(finding) for finding in outcome.findings],
        }
        for outcome in outcomes
    ]
    whole = {"passed": all(outcome.passed for outcome in outcomes), "scenarios": told}
    return json.dumps(whole, indent=2)
