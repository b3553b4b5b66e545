"""The scenarios of `evals/`, run by `pipecat eval` as a user would."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.talk.app import environment

ROOT = Path(__file__).parents[2]
PIPECAT = Path(sys.executable).with_name("pipecat")

pytestmark = pytest.mark.patient


@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="session")
async def test_every_scenario_passes(app, tmp_path):
    socket = app.url.replace("http", "ws") + "/ws"
    process = await asyncio.create_subprocess_exec(
        PIPECAT, "eval", "run", "evals", "--bot-url", socket, "--logs-dir", str(tmp_path),
        cwd=ROOT, env=environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 240)
    said = out.decode()
    assert process.returncode == 0, said
    assert "passed" in said and "failed" not in said
