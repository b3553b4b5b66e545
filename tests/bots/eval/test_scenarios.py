"""Scenarios are read with what is wanted of the face; what cannot be is refused in a sentence."""

from pathlib import Path

import pytest
import yaml
from pipecat.evals.scenario import EvalScenarioFile

from bots.eval.face import KEYS, Face
from bots.eval.scenarios import read_scenarios
from pipelines.errors import UserError

EVALS = Path(__file__).parents[3] / "evals"
TURN = {"user": "Hello.", "expect": [{"event": "response"}]}


def written(folder: Path, text: object) -> Path:
    """A file of scenarios."""
    path = folder / "a.yaml"
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
    return path


def one(**keys: object) -> dict:
    """A file with one scenario."""
    return {"name": "a", "scenarios": [{"name": "b", "turns": [TURN], **keys}]}


def test_a_scenario_s_own_face_takes_the_place_of_the_file_s(tmp_path):
    whole = one(face={"size": "640x360", "mouth_open_while_speaking": True})
    whole["face"] = {"offset_ms": 45}
    whole["scenarios"].append({"name": "c", "turns": [TURN]})
    faces = [each.face for each in read_scenarios([written(tmp_path, whole)])]
    assert faces == [Face(size=(640, 360), mouth_open_while_speaking=True), Face(offset_ms=45)]


def test_all_that_are_in_the_tree_are_read_here_and_by_pipecat():
    own = read_scenarios([EVALS, EVALS / "face"])
    files = [*EVALS.glob("*.yaml"), *EVALS.glob("face/*.yaml")]
    theirs = [scenario.name for file in files for scenario in EvalScenarioFile.load(file)]
    assert sorted(each.name for each in own) == sorted(theirs)
    assert any(each.face for each in own)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nscenarios: [", "is no YAML (line"),
        ("- a", "top level must be a mapping"),
        ("name: a\nscenarios: [{name: b}]", "needs 'turns:'"),
        (one(face={}), "is no list of keys"),
        (one(face={"offset_s": 0.045}), "an unknown key 'offset_s': did you mean offset_ms?"),
        (one(face={"offset_ms": 0.045}), "'offset_ms: 0.045' cannot be: it is in milliseconds"),
        (one(face={"longest_freeze_s": 300}), "it is in seconds, from 0.02 to 120"),
        (one(face={"longest_freeze_s": "300ms"}), "write a number of seconds, and no unit"),
        (one(face={"pictures_a_second": True}), "write a number of pictures a second"),
        (one(face={"mouth_open_while_speaking": 1}), "write true or false"),
        (one(face={"size": 720}), "write it as 1280x720"),
        (one(turn=[]), "an unknown key 'turn': did you mean turns?"),
        (one(turns=[{**TURN, "expects": []}]), "turn 0 has an unknown key 'expects'"),
        (one(turns=[{"expect": [{"event": "response", "text": "a"}]}]), "unknown key 'text'"),
        (one(context=[{"role": "system", "content": "a"}]), "run it with `pipecat eval run`"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(UserError) as refused:
        read_scenarios([path])
    assert said in str(refused.value) and str(path) in str(refused.value)


def test_a_file_that_is_not_there_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_scenarios([tmp_path / "none.yaml"])
    with pytest.raises(UserError, match="There are no scenarios in"):
        read_scenarios([tmp_path])


def test_the_guide_names_every_key():
    readme = (EVALS.parent / "README.md").read_text()
    assert all(f"{key}:" in readme for key in KEYS)
