"""What a command shows on standard error."""

import io
import logging

import pytest
from loguru import logger

from bots.log import show
from pipelines.redaction import REDACTION
from pipelines.settings import load_settings

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ2aWRlbyI6eyJyb29tIjoiciJ9fQ.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def restored():
    yield
    logger.remove()
    logging.disable(logging.NOTSET)
    REDACTION.least = 0


def shown(**more):
    """A sink beside the one of a command with these settings."""
    show(load_settings(deepgram_api_key="fake-deepgram-key", **more))
    text = io.StringIO()
    logger.add(text, level="TRACE", format="{message}")
    return text


def as_heygen_client(function, message):
    """Log from a function of the vendor's client, as loguru sees it."""
    names = {"__name__": "pipecat.services.heygen.client", "logger": logger}
    exec(f"def {function}(message): logger.info(message)", names)
    names[function](message)


def test_the_join_link_reaches_no_sink():
    sink = shown(avatar_log_level="TRACE")
    as_heygen_client("_initialize", f"Full Link: https://meet.example/custom?token={TOKEN}")
    as_heygen_client("_initialize", "HeyGen session started")
    assert sink.getvalue() == "HeyGen session started\n"


def test_a_sink_added_later_sees_no_secret_either():
    sink = shown(avatar_log_level="TRACE")
    logger.error("refused: fake-deepgram-key")
    assert sink.getvalue() == "refused: •••\n"


def test_records_below_the_chosen_level_are_dropped_whatever_a_sink_wants():
    sink = shown(avatar_log_level="WARNING")
    logger.info("not shown")
    logger.warning("shown")
    assert sink.getvalue() == "shown\n"


def test_pipecats_client_still_logs_its_join_link_where_it_is_dropped():
    """Fails when Pipecat moves the log line that carries the room's token."""
    import inspect

    from pipecat.services.heygen.client import HeyGenClient

    assert "Full Link:" in inspect.getsource(HeyGenClient._initialize)
