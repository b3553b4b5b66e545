"""What is marked runs at the end, alone or in the time that is left, the rest side by side."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

NOTES = """
import json, os, pathlib, time
import pytest

@pytest.fixture(autouse=True)
def noted(request):
    begin_s = time.time()
    yield
    name, worker = request.node.name.partition("[")[0], os.environ["PYTEST_XDIST_WORKER"]
    with open("notes", "a") as notes:
        notes.write(json.dumps([name, worker, begin_s, time.time()]) + "\\n")
"""
QUICK = """
import time, pytest
@pytest.mark.parametrize("number", range(4))
def test_quick(number):
    time.sleep(0.05)
"""
REALTIME = """
import os, pytest
@pytest.mark.realtime
@pytest.mark.parametrize("number", range(3))
def test_realtime(number):
    {happens}
def test_quick():
    pass
"""
PATIENT = """
import os, pytest
pytestmark = pytest.mark.patient
@pytest.mark.parametrize("number", range(4))
def test_patient(number):
    if number == 0:
        open("meeting").close()
    if hasattr(os, "SCHED_IDLE"):
        assert os.sched_getscheduler(0) == os.SCHED_IDLE
    else:
        assert os.nice(0) == 19
"""
MEETS = "number == 0 and open('meeting', 'w').close()"
ARGUMENTS = ("-n2", "--dist=loadgroup", "--no-loadscope-reorder", "--max-worker-restart=0")
PLUGINS = ("-p", "xdist.plugin", "-p", "tests.schedule")


def run(folder: Path, *words: str) -> str:
    """What pytest says of the tests in a folder."""
    program = (sys.executable, "-m", "pytest", *PLUGINS, *ARGUMENTS, *words)
    bare = {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    # Of another run, the draw and the priority of whose workers are not this one's.
    own = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    env = {**own, **bare}
    return subprocess.run(program, cwd=folder, env=env, capture_output=True, text=True).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that do not mind, and one in which some tests do."""
    (tmp_path / "conftest.py").write_text(NOTES)
    for name in ("a", "c"):
        (tmp_path / f"test_{name}.py").write_text(QUICK)
    return tmp_path


def noted(folder: Path) -> list[tuple[str, str, float, float]]:
    """Which test ran in which worker, and from when to when."""
    return [tuple(json.loads(line)) for line in (folder / "notes").read_text().splitlines()]


def test_what_runs_in_real_time_waits_until_nothing_else_runs(folder: Path) -> None:
    (folder / "test_b.py").write_text(REALTIME.format(happens="assert number != 1"))
    said = run(folder)
    assert "1 failed, 11 passed" in said
    assert "FAILED test_b.py::test_realtime[1] - " in said, "as on the command line"
    notes = noted(folder)
    quick = [note for note in notes if note[0] == "test_quick"]
    realtime = [note for note in notes if note[0] == "test_realtime"]
    assert {worker for _, worker, _, _ in quick} == {"gw0", "gw1"}
    assert len({worker for _, worker, _, _ in realtime}) == 1
    assert max(end_s for *_, end_s in quick) <= min(begin_s for _, _, begin_s, _ in realtime)
    assert len(notes) == 12


def test_what_is_patient_runs_beside_it_and_lets_it_go_first(folder: Path) -> None:
    os.mkfifo(folder / "meeting")  # who opens it waits for the other
    (folder / "test_b.py").write_text(REALTIME.format(happens=MEETS))
    (folder / "test_d.py").write_text(PATIENT)
    assert "16 passed" in run(folder)
    notes = noted(folder)
    patient, realtime, quick = (
        [note for note in notes if note[0] == name]
        for name in ("test_patient", "test_realtime", "test_quick")
    )
    assert {worker for _, worker, *_ in patient}.isdisjoint(worker for _, worker, *_ in realtime)
    assert min(begin_s for *_, begin_s, _ in realtime) < max(end_s for *_, end_s in patient)
    assert max(end_s for *_, end_s in quick) <= min(begin_s for *_, begin_s, _ in realtime)


def test_a_worker_that_dies_fails_the_run(folder: Path) -> None:
    dies = REALTIME.format(happens="number == 1 and os._exit(1)")
    (folder / "test_b.py").write_text(dies)
    said = run(folder, "test_b.py")
    assert "crashed while running 'test_b.py::test_realtime[1]" in said
    assert "1 failed, 2 passed" in said


def test_conversations_and_all_else_come_in_turns(tmp_path: Path) -> None:
    for place in ("bots/test_a", "browser/test_b", "talk/test_c", "web/test_d"):
        file = tmp_path / f"{place}.py"
        file.parent.mkdir()
        file.write_text("def test_it():\n    pass\n")
    said = run(tmp_path, "-n0", "--collect-only", "-q")
    assert re.findall(r"test_(\w)\.py", said) == ["c", "a", "b", "d"]


def test_files_of_faults_never_run_side_by_side(folder: Path) -> None:
    faults = folder / "tests" / "faults"
    faults.mkdir(parents=True)
    for name in ("e", "f"):
        (faults / f"test_{name}.py").write_text(QUICK.replace("quick", name))
    assert "16 passed" in run(folder)
    workers = {worker for name, worker, *_ in noted(folder) if name in ("test_e", "test_f")}
    assert len(workers) == 1


def test_one_variant_is_drawn_and_all_workers_draw_the_same(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "import pytest\n\n@pytest.mark.drawn\n@pytest.mark.parametrize('n', range(9))\n"
        "def test_it(n):\n    print('drew', n)\n\n@pytest.mark.parametrize('n', range(3))\n"
        "def test_other(n):\n    pass\n"
    )
    assert "4 passed" in run(tmp_path)
    (tmp_path / "test_b.py").write_text(
        "import pytest\n\npytestmark = pytest.mark.drawn(2)\n\n"
        "@pytest.mark.parametrize('n', range(7))\ndef test_half(n):\n    pass\n"
    )
    assert "8 passed" in run(tmp_path)
    drawn = {re.findall(r"drew (\d)", run(tmp_path, "-n0", "-s"))[0] for _ in range(6)}
    assert len(drawn) > 1
