"""Settings: where values come from, and what is said about wrong ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipelines.errors import BadSetting
from pipelines.settings import Settings, environment_names, load_settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_flags_win_over_environment_over_env_file_over_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("AVATAR_PORT=1\nAVATAR_HOST=from-file\nAVATAR_IDLE_S=9\n")
    monkeypatch.setenv("AVATAR_PORT", "2")
    monkeypatch.setenv("AVATAR_HOST", "from-environment")
    settings = load_settings(avatar_port=3, avatar_host=None)
    assert settings.avatar_port == 3
    assert settings.avatar_host == "from-environment"
    assert settings.avatar_idle_s == 9
    assert settings.puppet_seed == 0


@pytest.mark.parametrize("name", ["LIVEAVATAR_API_KEY", "HEYGEN_LIVE_AVATAR_API_KEY"])
def test_both_spellings_of_the_liveavatar_key_work(name, monkeypatch):
    monkeypatch.setenv(name, "fake-liveavatar-key")
    assert load_settings().liveavatar_api_key.get_secret_value() == "fake-liveavatar-key"


def test_an_empty_value_counts_as_unset(monkeypatch):
    monkeypatch.setenv("STT", "")
    monkeypatch.setenv("DEEPGRAM_API_KEY", "")
    settings = load_settings()
    assert settings.stt == "auto"
    assert not settings.is_set("deepgram_api_key")


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().stt = "deepgram"  # type: ignore[misc]


def test_no_secret_is_shown_by_printing_the_settings(monkeypatch):
    for name, field in Settings.model_fields.items():
        if field.annotation is SecretStr:
            monkeypatch.setenv(environment_names(name)[0], f"fake-{name}")
    settings = load_settings()
    assert len(settings.secrets()) == 13
    assert not any(secret in repr(settings) for secret in settings.secrets())


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        pytest.param("avatar_port", "abc", "AVATAR_PORT=abc", id="port that is no number"),
        pytest.param("avatar_port", "70000", "AVATAR_PORT=70000", id="port out of range"),
        pytest.param("avatar_size", "huge", "AVATAR_SIZE=huge", id="size without numbers"),
        pytest.param("avatar_size", "641x360", "even", id="odd size"),
        pytest.param("avatar_idle_s", "-1", "greater than 0", id="negative time"),
        pytest.param("liveavatar_codec", "AV1", "'H264' or 'VP8'", id="unknown codec"),
        pytest.param("liveavatar_quality", "4k", "'very_high'", id="unknown quality"),
        pytest.param("avatar_allowed_origins", "a.example", "without a path", id="no scheme"),
        pytest.param("avatar_allowed_origins", "https://a.example/b", "without a path", id="path"),
        pytest.param("avatar_open", "maybe", "AVATAR_OPEN=maybe", id="switch that is neither"),
    ],
)
def test_a_wrong_value_is_named_with_the_setting(setting, value, said, monkeypatch):
    monkeypatch.setenv(setting.upper(), value)
    with pytest.raises(BadSetting, match=said) as error:
        load_settings()
    assert setting.upper() in str(error.value)


def test_a_size_is_two_numbers(monkeypatch):
    monkeypatch.setenv("AVATAR_SIZE", "854x480")
    assert load_settings().avatar_size == (854, 480)


def test_origins_are_a_list_in_small_letters(monkeypatch):
    monkeypatch.setenv("AVATAR_ALLOWED_ORIGINS", " https://A.example , http://b.example:8080,")
    assert load_settings().allowed_origins == ["https://a.example", "http://b.example:8080"]


def test_an_env_file_that_is_not_text_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"STT=\xff\xfe")
    with pytest.raises(BadSetting, match="save it as UTF-8"):
        load_settings()


def test_the_example_file_names_every_setting_in_order_with_its_default():
    lines = [line.removeprefix("# ") for line in EXAMPLE.read_text().splitlines()]
    names = [environment_names(field)[0] for field in Settings.model_fields]
    pairs = [line.partition("=") for line in lines if line.partition("=")[0] in names]
    assert [name for name, _, _ in pairs] == names
    defaults = [_as_text(field.default) for field in Settings.model_fields.values()]
    assert [value for _, _, value in pairs] == defaults


def test_the_example_file_copied_as_it_is_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = load_settings()
    (tmp_path / ".env").write_text(EXAMPLE.read_text())
    assert load_settings() == before


def _as_text(default: object) -> str:
    match default:
        case SecretStr() | None:
            return ""
        case bool():
            return str(default).lower()
        case (width, height):
            return f"{width}x{height}"
        case _:
            return str(default)


THREADS = """
import threading
from pathlib import Path
from pipelines.settings import calculate_in_one_thread
calculate_in_one_thread()
import cv2, numpy
print(len(list(Path("/proc/self/task").iterdir())) - threading.active_count())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="They are counted in /proc.")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="One processor has no others to use.")
@pytest.mark.parametrize(("told", "threads"), [({}, 0), ({"OPENBLAS_NUM_THREADS": "2"}, 2)])
def test_numpy_and_opencv_calculate_in_no_threads_unless_told_to(told, threads, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    env = {**os.environ, **told}
    ran = subprocess.run([sys.executable, "-c", THREADS], env=env, capture_output=True, check=True)
    assert int(ran.stdout) == threads
