"""`avatar eval` against a server that runs: the real command, a real conversation."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bots.eval import command
from pipelines.errors import UserError
from tests.talk.app import AVATAR, environment

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
      mouth_shut_after_interruption_s: 2
      mouth_open_while_speaking: true
      size: 320x180
    turns:
      - expect:
          - event: bot_started_speaking
          - event: bot_stopped_speaking
      - user: "How do you work?"
        expect:
          - event: llm_response
            text_contains: "steps"
          - event: bot_started_speaking
      - user: "Who are you?"
        send_after: {event: bot_started_speaking, delay_ms: 1500}
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


async def evaluated(*words: object, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """The command's exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        AVATAR, "eval", *map(str, words), env=environment(env),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode or 0, out.decode(), errors.decode()


@pytest.mark.realtime
@pytest.mark.asyncio(loop_scope="session")
async def test_a_face_is_seen_to_speak_and_to_fall_silent_and_what_fails_is_told(
    brief_app, tmp_path: Path
):
    (tmp_path / "a.yaml").write_text(FACE)
    (tmp_path / "b.yaml").write_text(WORDS)
    code, out, errors = await evaluated(tmp_path, "--bot-url", brief_app.url, "--json")
    assert code == 1, out + errors
    good, bad = json.loads(out)["scenarios"]
    assert good["passed"], good
    assert [each["what"] for each in good["face"]] == [
        "first_picture_within_s", "pictures_a_second", "longest_freeze_s",
        "mouth_shut_after_interruption_s", "mouth_open_while_speaking", "size",
    ]  # fmt: skip
    assert "a llama" in bad["failures"][0] and bad["failures"][0].startswith("turn 0, ")
    (size,) = bad["face"]
    assert size["sentence"].startswith("size: wanted 640x360, saw 320x180 at second ")


@pytest.mark.patient
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9", "There is no server at http://127.0.0.1:9 (nothing answers)"),
        ("ws://127.0.0.1:9/ws", "is no page's address"),
    ],
)
async def test_who_is_not_there_is_told_in_a_sentence(tmp_path, url, said):
    (tmp_path / "a.yaml").write_text(WORDS)
    code, out, errors = await evaluated(tmp_path / "a.yaml", "--bot-url", url)
    assert (code, out) == (2, "") and errors.startswith("avatar: ") and said in errors


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
