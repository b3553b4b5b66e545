"""Spans on their way to a collector, without keys and tokens."""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, Status

from .redaction import redacted


class CleanExporter(OTLPSpanExporter):
    """Sends spans over HTTP, cleaned as the log is."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them; a conversation's hold what was said, prompts and the parts' settings."""
        return super().export([clean(span) for span in spans])


def clean(span: ReadableSpan) -> ReadableSpan:
    """A span without keys and tokens, of which an exception's text may tell some."""
    status, resource = span.status, span.resource
    return ReadableSpan(
        redacted(span.name),
        span.context,
        span.parent,
        Resource(_clean(resource.attributes), resource.schema_url),
        _clean(span.attributes),
        [Event(redacted(e.name), _clean(e.attributes), e.timestamp) for e in span.events],
        [Link(link.context, _clean(link.attributes)) for link in span.links],
        span.kind,
        status=Status(status.status_code, status.description and redacted(status.description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _clean(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _clean_value(value) for name, value in (attributes or {}).items()}


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    return [_clean_value(each) for each in value] if isinstance(value, list | tuple) else value
