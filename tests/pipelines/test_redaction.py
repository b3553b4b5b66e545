"""Secrets reach no sink, whoever logs them, and whoever looks."""

import io
import logging
import subprocess
import sys

import pytest
from loguru import logger
from uvicorn.logging import AccessFormatter

from pipelines.redaction import redact, redacted
from pipelines.settings import load_settings
from sandbox.server import DEFAULT_KEY

KEY = "fake-deepgram-key"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ2aWRlbyI6eyJyb29tIjoiciJ9fQ.c2lnbmF0dXJl"
TURN = '{"urls": "turn:t.example", "username": "u", "credential": "fake-turn-word"}'


@pytest.fixture(autouse=True)
def known():
    """Settings with a key, which every record loses from now on."""
    keys = {"deepgram_api_key": KEY, "liveavatar_api_key": DEFAULT_KEY}
    redact(load_settings(avatar_ice_servers=TURN, **keys))


@pytest.fixture
def sink():
    """A sink as others add it, which shows exceptions with the values of variables."""
    text = io.StringIO()
    added = logger.add(text, level="TRACE", format="{message} {extra}", diagnose=True)
    yield text
    logger.remove(added)


@pytest.fixture
def printed():
    """What a handler of the standard library prints."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    standard = logging.getLogger("of somebody else")
    standard.addHandler(handler)
    standard.setLevel(logging.DEBUG)
    standard.propagate = False
    yield standard, text
    standard.removeHandler(handler)


def fail(key):
    headers = {"X-Api-Key": key}
    raise ValueError(f"{len(headers)} headers are refused, with {key}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"key {KEY}, token {TOKEN}.", "key •••, token •••."),
        ("turn with fake-turn-word", "turn with •••"),
        ("at wss://host/ws?token=abc and more", "at wss://host/••• and more"),
        ("GET /files?token=abcdefghijklmnop&a=1", "GET /files?token=•••&a=1"),
        ('{"api_key": "abcdefghijklmnop"}', '{"api_key": "•••"}'),
        ("Authorization: Token abcdefghijklmnop", "Authorization: Token •••"),
        ("{'Authorization': 'Bearer abcdefgh.ijkl'}", "{'Authorization': 'Bearer •••'}"),
        ("https://ann:word@host/v1", "https://•••@host/v1"),
        ('"WebSocket /ws/abcdefghijklmnopqrst" [accepted]', '"WebSocket /ws/•••" [accepted]'),
        ("AIza" + "a" * 35, "•••"),
        ("sk_car_abcdefghijklmnopqrst", "•••"),
        ("The sandbox starts.", None),
        ("max_tokens: 4096, key: value, a token of 5 words", None),
    ],
)
def test_what_is_a_secret_is_hidden_and_nothing_else(text, shown):
    assert redacted(text) == (text if shown is None else shown)


def test_loguru_shows_neither_a_message_nor_an_exception_with_a_key(sink):
    try:
        fail(KEY)
    except ValueError:
        logger.bind(url=f"http://host/?key={KEY}").exception(f"It failed with {KEY}")
    said = sink.getvalue()
    assert KEY not in said
    assert "It failed with •••" in said
    assert "in fail" in said and "ValueError: 1 headers are refused, with •••" in said


def test_the_standard_library_shows_neither_a_message_nor_an_exception_with_a_key(printed):
    standard, text = printed
    try:
        fail(KEY)
    except ValueError:
        standard.exception("It failed with %s", KEY)
    standard.info("%d%% of %s and token=%s", 5, {"key": KEY}, "abcdefghijklmnop")
    said = text.getvalue()
    assert KEY not in said
    assert "ValueError: 1 headers are refused, with •••" in said
    assert said.endswith("5% of {'key': '•••'} and token=•••\n")


def test_uvicorn_still_reads_the_records_of_its_access_log(printed):
    standard, text = printed
    standard.handlers[0].setFormatter(
        AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s")
    )
    path = f"/start?token={TOKEN}"
    standard.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", path, "1.1", 200)
    assert text.getvalue() == "127.0.0.1:5 GET /start?token=••• HTTP/1.1 200 OK\n"


def test_a_patcher_of_others_goes_first_and_is_cleaned_after(sink):
    before = logger._core.patcher  # pyright: ignore
    try:
        logger.configure(patcher=lambda record: record["extra"].update(seen=KEY))
        redact()
        logger.info("hello")
    finally:
        logger.configure(patcher=before)
    assert sink.getvalue() == "hello {'seen': '•••'}\n"


IMPORTED = """
import logging, sys
from loguru import logger
from bots.avatar import bot
logger.remove()
logger.add(sys.stdout, level="TRACE")
logging.basicConfig(stream=sys.stdout)
logger.debug("token {}", TOKEN)
try:
    raise ValueError("x-api-key: abcdefghijklmnop")
except ValueError:
    logger.exception("loguru's")
    logging.exception("the standard library's %s", TOKEN)
"""


def test_whoever_imports_the_bot_has_a_clean_log():
    code = f"TOKEN = {TOKEN!r}\n{IMPORTED}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "token •••" in ran.stdout and "x-api-key: •••" in ran.stdout
    assert "the standard library's •••" in ran.stdout
    for secret in (TOKEN, "abcdefghijklmnop"):
        assert secret not in ran.stdout + ran.stderr
