"""What our own ears and voice tell a trace."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.pipelines.turns.room import QUESTION, SHORT, open_room
from tests.pipelines.turns.sounds import voice

pytestmark = pytest.mark.patient


async def test_what_was_heard_and_said_is_in_the_trace(room_time, tmp_path):
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    async with open_room(tmp_path, traced=True) as room:
        await room.answer(await room.say(voice(QUESTION)))
        await room.quiet()
    told = {span.name: dict(span.attributes or {}) for span in kept.get_finished_spans()}
    assert told["stt"]["transcript"] == QUESTION
    assert told["tts"]["text"] == SHORT
