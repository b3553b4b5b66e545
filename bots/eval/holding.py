"""Holds one conversation: Pipecat's harness leads it, a viewer looks on."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from pipecat.evals.results import EvalAssertionFailure, EvalScriptResult, EvalSimulationResult
from pipecat.evals.session import EvalSession

from bots.eval.bridge import Bridge
from bots.eval.judge import Finding, judge
from bots.eval.scenarios import Scenario
from bots.eval.server import Address, unreachable
from bots.eval.sighting import Sighting
from bots.eval.viewer import Viewer
from pipelines.errors import UserError

# The viewer stays for the rest of an answer, and until the mouth has been seen at rest.
BEGINS_S, AT_REST_S, LONGEST_S = 6.0, 2.0, 90.0
STEP_S = 0.05
# The face is looked at for so long, which takes 0.2 GB at 25 pictures a second.
LOOKS_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """What became of a scenario."""

    name: str
    failures: list[str]
    findings: list[Finding]
    took_s: float
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """Whether all that was expected and wanted came."""
        return not self.failures and not self.skipped and all(f.passed for f in self.findings)


async def hold(scenario: Scenario, address: Address) -> Outcome:
    """Hold the conversation of a scenario.

    Raises:
        UserError: it cannot be met, or the scenario names what is not here.
    """
    began_s = time.monotonic()
    bridge = Bridge(address.url, address.token, LOOKS_S if scenario.face else 0.0)
    async with AsyncExitStack() as stack:
        try:
            socket = await stack.enter_async_context(bridge.open())
        except (aiohttp.ClientError, OSError, LookupError, ValueError) as error:
            raise unreachable(address.url, error) from None
        result = await _led(scenario, socket)
        seen = await _seen(bridge.viewer) if scenario.face else None
        bridge.viewer.raise_if_broken()
    findings = await asyncio.to_thread(judge, scenario.face, seen) if scenario.face and seen else []
    failures, skipped = _failures(result)
    return Outcome(scenario.name, failures, findings, time.monotonic() - began_s, skipped)


async def _led(scenario: Scenario, socket: str) -> EvalScriptResult | EvalSimulationResult:
    try:
        session = EvalSession.from_scenario(scenario.script, socket)
    except Exception as error:  # the services of a scenario raise anything for what they lack
        path = scenario.script.source_path or Path()
        raise UserError(
            f"{path}, {scenario.name}: its judge, voice or ears cannot be built ({error})",
            "install what they need (in a clone: uv run --group dev avatar eval), or name others",
        ) from None
    return await session.run()


async def _seen(viewer: Viewer) -> Sighting:
    """What was seen until the avatar had said what it says, and its mouth was at rest."""
    since_s = time.monotonic()
    while (now_s := time.monotonic()) < since_s + LONGEST_S and not viewer.over.is_set():
        last_s = viewer.last_heard_s
        if now_s - last_s > AT_REST_S and (last_s > 0 or now_s - since_s > BEGINS_S):
            break
        await asyncio.sleep(STEP_S)
    return viewer.sighting()


def _failures(result: EvalScriptResult | EvalSimulationResult) -> tuple[list[str], str]:
    """What Pipecat found wanting, in words, and why it did not run the scenario if it did not."""
    if isinstance(result, EvalSimulationResult):
        reason = result.error or result.reason
        return ([] if result.passed else [f"The simulation failed: {reason}"]), ""
    return [_sentence(each) for each in result.failures], result.skipped or ""


def _sentence(failure: EvalAssertionFailure) -> str:
    where = f"turn {failure.turn_index}, " if failure.turn_index >= 0 else ""
    return f"{where}{failure.event_name}: {failure.reason}"
