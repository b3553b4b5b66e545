"""Models that are kept as the runtime would have them: there is one in any case."""

from pathlib import Path

import pytest
from pipecat.audio.vad import silero

from pipelines.media.optimized import optimized

MODEL = Path(silero.__file__).parent / "data" / "silero_vad.onnx"
pytestmark = pytest.mark.patient


def inputs() -> list[str]:
    """What a model that runs asks for."""
    return [each.name for each in optimized("silero", MODEL.read_bytes).get_inputs()]


def test_a_file_that_cannot_be_read_is_made_anew_and_stops_no_start(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = inputs()
    (file,) = (tmp_path / "avatar").iterdir()
    for broken in (b"", file.read_bytes()[:1000], b"no model"):
        file.write_bytes(broken)
        assert inputs() == asked
        assert not file.exists(), "it is not tried again"
        assert inputs() == asked
        assert file.stat().st_size > 1000
    assert list(file.parent.iterdir()) == [file], "nothing else is left"


def test_without_a_cache_the_model_itself_runs(tmp_path, monkeypatch):
    (no_folder := tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_folder))
    assert inputs()
