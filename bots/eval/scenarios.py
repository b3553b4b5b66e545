"""Reads scenarios: Pipecat's own, each with what a viewer has to see."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from pipecat.evals.scenario import (
    EvalExpectation,
    EvalScenarioFile,
    EvalScriptScenario,
    EvalScriptTurn,
    EvalSimulationScenario,
    is_scenario_file,
)
from pipecat.utils.yaml import include_loader

from bots.eval.face import Face, check_keys, read_face
from pipelines.errors import UserError

SUFFIXES = (".yaml", ".yml")
FACE = "face"
COMMON = ("name", "user", "judge", "context", "trigger_disconnect", FACE)
SCRIPT = (*COMMON, "turns", "stop_on_failure")
TURN = tuple(f.name for f in fields(EvalScriptTurn) if f.name != "parts")
EXPECT = (*(f.name for f in fields(EvalExpectation)), "name", "args")


@dataclass(frozen=True)
class Scenario:
    """One conversation, and what is wanted of the face; None is not looked at."""

    script: EvalScriptScenario | EvalSimulationScenario
    face: Face | None

    @property
    def name(self) -> str:
        """As <file>/<scenario>."""
        return self.script.name


def read_scenarios(paths: Sequence[Path]) -> list[Scenario]:
    """The scenarios of files, and of the files in folders.

    Raises:
        UserError: one cannot be read, or asks for what a viewer cannot see.
    """
    return [scenario for file in _files(paths) for scenario in _read(file)]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES and is_scenario_file(p))
        if not found:
            raise UserError(f"There are no scenarios in {path}", "name YAML files, or a folder")
        yield from found


def _read(path: Path) -> Iterator[Scenario]:
    try:
        raw = yaml.load(path.read_text("utf-8"), include_loader(path.parent, base=yaml.SafeLoader))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            scripts = EvalScenarioFile.load(path).scenarios
    except yaml.YAMLError as error:
        raise UserError(f"{path} is no YAML ({_place(error)})", "mend it there") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is no text", "write it in UTF-8") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})", "check its name") from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise UserError(f"No scenario of Pipecat's: {error}") from None
    entries = raw.get("scenarios") or [{}]
    shared = {key: value for key, value in raw.items() if key != "scenarios"}
    for script, entry in zip(scripts, entries, strict=True):
        yield _scenario(script, {**shared, **entry}, f"{path}, {script.name}")


def _scenario(
    script: EvalScriptScenario | EvalSimulationScenario, block: Mapping[str, Any], where: str
) -> Scenario:
    if isinstance(script, EvalScriptScenario):
        check_keys(block, SCRIPT, where)
        _check_turns(block["turns"], where)
        _check_told(script, where)
    face = read_face(block[FACE], where) if FACE in block else None
    return Scenario(script, face)


def _check_turns(turns: list[Mapping[str, Any]], where: str) -> None:
    for number, turn in enumerate(turns):
        check_keys(turn, TURN, f"{where}, turn {number}")
        for expect in turn.get("expect") or []:
            check_keys(expect, EXPECT, f"{where}, turn {number}, 'expect:'")


def _check_told(script: EvalScriptScenario, where: str) -> None:
    """Raises: UserError when it rests on what an avatar tells no viewer."""
    untold = {
        "the arguments or names of function calls": script.required_report_level(),
        "the raw events of voice activity": script.needs_vad_events(),
        "the markers of the LLM": script.needs_marker_events(),
        "images in Pipecat's messages": script.needs_bot_images(),
        "a 'context:' of its own": script.context,
        "an 'image:' of the user's": any(turn.image for turn in script.turns),
    }
    for what, needed in untold.items():
        if needed:
            fix = "run it with `pipecat eval run`, whose channel has them"
            raise UserError(f"{where} needs {what}, which no viewer is told", fix)


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)
