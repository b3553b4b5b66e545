"""`avatar eval` against a server that runs: the real command, a real conversation."""

import asyncio
import contextlib
import functools
import json
import signal
from pathlib import Path

import pytest

from bots.eval import command
from bots.eval.server import MODULE, running_server
from pipelines.errors import UserError
from tests.talk.app import AVATAR, environment, until

PATIENCE_S = 120
# What a machine that does something else, too, still shows.
FACE = """
name: brief
judge: {modality: audio, transcription: {factory: evals.voices.whisper}}
scenarios:
  - name: interrupted
    face:
      first_picture_within_s: 60
      pictures_a_second: 1
      longest_freeze_s: 10
      mouth_shut_after_interruption_s: 15
      mouth_open_while_speaking: true
      size: 320x180
    turns:
      - expect:
          - event: bot_started_speaking
          - event: bot_stopped_speaking
      - user: "How do you work?"
        expect:
          - event: bot_started_speaking
      - user: "Who are you?"
        send_after: {event: bot_started_speaking, delay_ms: 2500}
        expect:
          - event: bot_interrupted
"""
# What no server is asked for.
WORDS = """
name: words
scenarios:
  - name: wrong
    face: {size: 640x360}
    turns:
      - user: "Who are you?"
        expect:
          - {event: response, text_contains: "a llama", within_ms: 3000}
"""


async def started(folder: Path, *words: str) -> asyncio.subprocess.Process:
    """The command, which runs in a folder, and hears Ctrl-C as in a terminal."""
    return await asyncio.create_subprocess_exec(
        AVATAR, "eval", *words, cwd=folder, env=environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


async def evaluated(folder: Path, *words: str) -> tuple[int, str, str]:
    """The command's exit code, output and errors."""
    process = await started(folder, *words)
    out, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode or 0, out.decode(), errors.decode()


def servers(pid: int) -> list[int]:
    """The servers that a process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if MODULE in _words(int(child))]


def _words(pid: int) -> list[str]:
    """The command of a process that may have ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []


def runs(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


@pytest.mark.realtime
@pytest.mark.asyncio(loop_scope="session")
async def test_a_face_is_seen_to_speak_and_to_fall_silent_and_what_fails_is_told(
    brief_app, tmp_path: Path
):
    (tmp_path / "a.yaml").write_text(FACE)
    (tmp_path / "b.yaml").write_text(WORDS)
    code, out, errors = await evaluated(tmp_path, ".", "--bot-url", brief_app.url, "--json")
    assert code == 1, out + errors
    good, bad = json.loads(out)["scenarios"]
    assert [each["sentence"] for each in good["face"] if not each["passed"]] == []
    assert good["passed"], good["failures"]
    assert [each["what"] for each in good["face"]] == [
        "first_picture_within_s", "pictures_a_second", "longest_freeze_s",
        "mouth_shut_after_interruption_s", "mouth_open_while_speaking", "size",
    ]  # fmt: skip
    assert "a llama" in bad["failures"][0] and bad["failures"][0].startswith("turn 0, ")
    (size,) = bad["face"]
    assert size["sentence"].startswith("size: wanted 640x360, saw 320x180 at second ")


@pytest.mark.patient
async def test_who_is_not_there_is_told_in_a_sentence(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(WORDS)
    code, out, errors = await evaluated(tmp_path, "a.yaml", "--bot-url", "http://127.0.0.1:9")
    assert (code, out) == (2, "")
    assert errors.startswith("avatar: There is no server at http://127.0.0.1:9 (nothing answers)")
    with pytest.raises(UserError, match="is no page's address"):
        async with running_server("ws://127.0.0.1:9/ws"):
            pass


@pytest.mark.patient
async def test_a_server_of_its_own_that_does_not_start_is_quoted(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(WORDS)
    code, out, errors = await evaluated(tmp_path, "a.yaml", "--llm", "llama")
    assert (code, out) == (2, "")
    assert errors.startswith("avatar: The server did not start; it said:\navatar: ")
    assert "'llama'" in errors


@pytest.mark.patient
async def test_ctrl_c_ends_the_server_of_its_own(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(WORDS)
    process = await started(tmp_path, "a.yaml", "--llm", "guide")
    (server,) = await until(lambda: servers(process.pid), PATIENCE_S)
    process.send_signal(signal.SIGINT)
    out, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert (process.returncode, out, errors) == (130, b"", b"")
    assert not runs(server)


def test_a_server_of_its_own_is_given_the_flags_and_another_one_cannot_be():
    words = ["a.yaml", "--llm", "guide", "--no-prewarm", "--var", "guest=Ann", "--json"]
    options = command.parser().parse_args(words)
    given = ["--llm", "guide", "--no-prewarm", "--var", "guest=Ann"]
    assert command.server_flags(options) == given and options.files == [Path("a.yaml")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--llm guide --bot-url http://127.0.0.1:9",
            "to which --llm cannot be given",
        ),
        ("--transport daily", "--transport daily: a viewer of scenarios comes over WebRTC"),
        ("--port 7860", "on a free port of this machine: leave out --host and --port"),
    ],
)
def test_what_no_server_can_be_given_is_refused(words, said):
    with pytest.raises(UserError) as refused:
        command.run(["a.yaml", *words.split()])
    assert said in str(refused.value)
