"""What every test can rely on: none of the developer's settings, and the pieces CI must have."""

import pytest

from pipelines.settings import Settings, environment_names


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path_factory):
    """No key of the developer, and no .env, reaches a test."""
    for field in Settings.model_fields:
        for name in environment_names(field):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))
