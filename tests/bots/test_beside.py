"""A sandbox beside the conversation: it ends after it, and never hangs."""

import subprocess
import sys
import time

import pytest

from bots.beside import sandbox_beside
from pipelines.errors import UserError
from pipelines.redaction import redacted
from pipelines.settings import load_settings

# Says how it came to its end: told by the end of its input, or by Ctrl-C.
CHILD = """
import signal, sys
def end(how):
    open("end", "w").write(how)
    sys.exit()
signal.signal(signal.SIGINT, lambda *_: end("interrupted"))
print('{"url": "http://127.0.0.1:9", "key": "sandbox"}', flush=True)
sys.stdin.read()
end("told")
"""
PARENT = f"""
import os, signal, sys, time
from bots.beside import sandbox_beside
from pipelines.settings import load_settings

signal.signal(signal.SIGINT, signal.default_int_handler)  # some shells have it ignored
with sandbox_beside(load_settings(), [sys.executable, "-c", {CHILD!r}]):
    try:
        os.killpg(0, signal.SIGINT)
        while True:  # another thread may have taken the signal, so no wait of this one's ends by it
            time.sleep(0.02)
    except KeyboardInterrupt:
        pass
"""
STUBBORN = """
import time
print('{"url": "http://127.0.0.1:9", "key": "key-of-its-own"}', flush=True)
while True: time.sleep(60)
"""


def test_ctrl_c_ends_the_sandbox_only_after_the_conversation(tmp_path):
    subprocess.run(
        [sys.executable, "-c", PARENT], cwd=tmp_path, start_new_session=True, timeout=60, check=True
    )
    assert (tmp_path / "end").read_text() == "told"


def test_a_sandbox_ends_when_whoever_started_it_was_killed(tmp_path):
    killed = PARENT.replace("os.killpg(0, signal.SIGINT)", "os.kill(os.getpid(), 9)")
    done = subprocess.run([sys.executable, "-c", killed], cwd=tmp_path, timeout=60)
    assert done.returncode == -9
    deadline_s = time.monotonic() + 20
    while not (tmp_path / "end").exists() or not (tmp_path / "end").read_text():
        assert time.monotonic() < deadline_s, "it is still there"
        time.sleep(0.02)
    assert (tmp_path / "end").read_text() == "told"


def test_a_sandbox_that_does_not_end_is_killed_with_a_sentence(capsys):
    with sandbox_beside(load_settings(), [sys.executable, "-c", STUBBORN], 0.2) as led:
        assert led.liveavatar_base_url == "http://127.0.0.1:9"
        assert redacted("by key-of-its-own") == "by •••"
    assert capsys.readouterr().err == "The sandbox did not end in 0.2 s: it is killed.\n"


def test_a_sandbox_that_does_not_start_names_the_key():
    with pytest.raises(UserError, match="need LIVEAVATAR_API_KEY: set it in .env"):
        with sandbox_beside(load_settings(), [sys.executable, "-c", ""]):
            pass
