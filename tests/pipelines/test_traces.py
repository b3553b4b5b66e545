"""Traces on their way to a collector: what is sent, and who is not waited for."""

import asyncio
import sys
from contextlib import asynccontextmanager

import pytest

from pipelines.errors import BadSetting
from pipelines.settings import load_settings
from pipelines.traces import TRACES, check
from tests.collector import collecting, told
from tests.talk.app import environment

KEY = "fake-deepgram-key"
ENTRY = "fake-entry-to-the-collector"
PROGRAM = f"""
from opentelemetry import trace
from pipelines.redaction import redact
from pipelines.settings import load_settings
from pipelines.traces import TRACES

settings = load_settings(deepgram_api_key="{KEY}")
redact(settings)
assert TRACES.begin(settings) and TRACES.begin(settings)
try:
    with trace.get_tracer("somebody's").start_as_current_span("asks with {KEY}") as span:
        span.set_attributes({{"text": "{KEY}", "texts": ["{ENTRY}"], "length": 5}})
        raise ValueError("{KEY} is refused")
except ValueError:
    print("it ends", flush=True)
TRACES.flush()
"""


@asynccontextmanager
async def ending(url):
    """A process that has made a span and is about to end."""
    env = environment(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_HEADERS": f"x-entry={ENTRY}"}
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"it ends\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def listen(reader, writer):
    """Take all that comes, and say nothing."""
    await reader.read()
    writer.close()


async def test_what_is_left_is_sent_at_the_end_and_without_a_key():
    async with collecting() as collector, ending(collector.url) as process:
        assert await asyncio.wait_for(process.wait(), 30) == 0
    (span,) = collector.spans
    assert span.name == "asks with •••" and told(span)["text"] == "•••"
    assert span.status.message == "ValueError: ••• is refused"
    assert span.end_time_unix_nano > span.start_time_unix_nano
    (batch,) = collector.batches
    assert KEY not in str(batch) and ENTRY not in str(batch)
    assert 'string_value: "avatar"' in str(batch.resource_spans[0].resource)


async def test_a_collector_that_does_not_answer_is_not_waited_for():
    """What sends would wait for 10 s."""
    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with ending(f"http://127.0.0.1:{port}") as process:
            assert await asyncio.wait_for(process.wait(), 8) == 0


def test_an_address_that_is_none_is_refused_with_the_fix():
    settings = load_settings(otel_exporter_otlp_traces_endpoint="localhost:4318")
    with pytest.raises(
        BadSetting, match="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no address .* http"
    ):
        check(settings)


def test_without_an_address_nothing_is_traced():
    assert not TRACES.begin(load_settings(otel_service_name="somebody"))
