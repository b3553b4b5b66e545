"""The command line: what it says and how it ends."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.parts import PARTS
from tests.talk.app import AVATAR, environment

pytestmark = pytest.mark.patient


def avatar(*words, **env):
    """Run the real command; returns its exit code, output and errors."""
    done = subprocess.run(
        [AVATAR, *words], env=environment(env), capture_output=True, text=True, timeout=90
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("verb", ["", "talk", "parts", "doctor", "sessions"])
def test_help_names_every_verb_and_shows_no_key(verb):
    code, out, _ = avatar(*verb.split(), "--help")
    assert code == 0
    assert "avatar parts, doctor, sandbox, join, link, eval, sessions, account" in " ".join(
        out.split()
    )
    assert "--deepgram-api-key" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--stt", "deepgram"], "needs DEEPGRAM_API_KEY", id="key is missing"),
        pytest.param(
            ["--stt", "deepgran"], "choose one of auto, deepgram, moonshine, whisper", id="typo"
        ),
        pytest.param(["--persona", "nobody.yaml"], "cannot be read", id="no persona"),
        pytest.param(["--puppet-pack", "nobody"], "PUPPET_PACK=nobody", id="no pack"),
        pytest.param(["--language", "de"], "AVATAR_LANGUAGE=de is not known", id="no German"),
        pytest.param(["--size", "13x13"], "even", id="odd size"),
        pytest.param(["--var", "name"], "write it as --var NAME=VALUE", id="half a variable"),
        pytest.param(["--hibari-voice", "emma"], "HIBARI_VOICE=emma", id="no voice"),
        pytest.param(
            ["--tts", "piper", "--piper-voice", "/no.onnx"], "PIPER_VOICE=/no.onnx", id="no file"
        ),
        pytest.param(["--tts", "piper", "--persona", "mira"], "use TTS=", id="no voice of hers"),
        pytest.param(["--host", "no.such.host.invalid"], "AVATAR_HOST=", id="no address"),
        pytest.param(["--transcripts", "/proc/x"], "AVATAR_TRANSCRIPTS=/proc/x", id="no folder"),
        pytest.param(
            ["--transcripts", "~no-such-user/x"], "a home that is not known", id="no home"
        ),
        pytest.param(["--esp32"], "give it with --host", id="ESP32 without address"),
        pytest.param(["--direct", "--transport", "webrtc"], "Daily's rooms", id="direct"),
        pytest.param(["--direct"], "needs DAILY_API_KEY", id="direct without key"),
        pytest.param(["--ice-servers", '{"turn": 1}'], "write each as stun", id="no ICE server"),
        pytest.param(["--ws-auth", "maybe"], "AVATAR_WS_AUTH=maybe", id="no way to be let in"),
        pytest.param(["--runner-body", "/nowhere"], "AVATAR_RUNNER_BODY=/nowhere", id="no body"),
        pytest.param(
            ["--avatar", "heygen", "--ledger", "/proc/x"], "AVATAR_LEDGER cannot", id="no ledger"
        ),
        pytest.param(["--nonsense"], "unrecognized arguments: --nonsense", id="unknown flag"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, said):
    code, _, err = avatar("--no-open", "--port", "0", *words)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_a_model_that_fails_is_told_whatever_else_still_loads(tmp_path):
    voice = tmp_path / "endless.onnx"
    for endless in (voice, voice.with_name(f"{voice.name}.json")):
        os.mkfifo(endless)  # whoever opens it waits for somebody who writes
    words = ["--stt", "whisper", "--whisper-model", "/nowhere", "--tts", "piper"]
    code, _, err = avatar("--no-open", "--port", "0", *words, "--piper-voice", str(voice))
    assert code == 2
    assert "WHISPER_MODEL=/nowhere" in err and "Traceback" not in err


def test_a_misspelt_setting_is_told_at_start(tmp_path):
    (tmp_path / ".env").write_text("DEEPGRAM_APIKEY=fake-deepgram-key\n")
    words = [AVATAR, "--no-open", "--host", "nobody.invalid"]
    done = subprocess.run(
        words, env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=90
    )
    assert "DEEPGRAM_APIKEY in .env is no setting: write DEEPGRAM_API_KEY." in done.stdout
    assert "fake-deepgram-key" not in done.stdout + done.stderr


def test_the_bots_own_file_can_be_started_too():
    file = Path(__file__).parents[2] / "bots" / "avatar.py"
    words = [sys.executable, file, "--transport", "daily"]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "TRANSPORT=daily needs DAILY_API_KEY" in done.stderr


def test_liveavatar_without_key_and_rooms_says_both_ways_out(tmp_path):
    words = [sys.executable, "-m", "bots.cli", "--avatar", "heygen", "--no-open", "--port", "0"]
    bare = environment() | {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(words, env=bare, capture_output=True, text=True, timeout=90)
    assert done.returncode == 2
    assert "set LIVEKIT_URL" in done.stderr and "scripts/livekit-server" in done.stderr
    assert "need LIVEAVATAR_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_port_is_named_with_the_fix():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        code, _, err = avatar("--no-open", "--host", "127.0.0.1", "--port", str(port))
    assert code == 2
    assert f"AVATAR_PORT={port} cannot be used" in err
    assert "--port" in err


def test_parts_shows_the_whole_table_with_reasons():
    code, out, _ = avatar("parts", "--tts", "cartesia", CARTESIA_API_KEY="fake-cartesia-key")
    assert code == 0
    assert all(row.summary in out for row in PARTS)
    assert "→ cartesia" in out and "[as you asked]" in out
    assert "fake-cartesia-key" not in out


def test_parts_shows_the_table_when_no_line_up_can_be_had():
    code, out, err = avatar("parts", "--stt", "deepgram")
    assert code == 2
    assert all(row.summary in out for row in PARTS)
    assert "→" not in out
    assert "STT=deepgram needs DEEPGRAM_API_KEY" in err


def test_parts_as_json_is_the_same_table():
    code, out, _ = avatar("parts", "--json")
    rows = json.loads(out)
    assert code == 0
    assert [(row["kind"], row["value"]) for row in rows] == [(r.kind, r.value) for r in PARTS]
    assert sum(row["chosen"] for row in rows) == 5
