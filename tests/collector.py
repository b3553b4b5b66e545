"""A collector of OpenTelemetry's: takes traces over HTTP, as its protocol has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.serving import served


class Collector:
    """Keeps all that is sent to it; `url` is what senders are given as its address."""

    def __init__(self) -> None:
        self.batches: list[ExportTraceServiceRequest] = []
        self.url = ""

    @property
    def spans(self) -> list[Span]:
        """All spans so far."""
        scopes = (s for b in self.batches for r in b.resource_spans for s in r.scope_spans)
        return [span for scope in scopes for span in scope.spans]

    def trace(self, conversation: str) -> list[Span]:
        """All spans of a conversation, by its id."""
        mine = [s for s in self.spans if told(s).get("conversation.id") == conversation]
        traces = {span.trace_id for span in mine if span.name == "conversation"}
        return [span for span in self.spans if span.trace_id in traces]

    async def take(self, request: web.Request) -> web.Response:
        """Keep spans that are sent."""
        self.batches.append(ExportTraceServiceRequest.FromString(await request.read()))
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Run a collector until the block ends."""
    collector, app = Collector(), web.Application(client_max_size=0)
    app.router.add_post("/v1/traces", collector.take)
    async with served(app) as port:
        collector.url = f"http://127.0.0.1:{port}"
        yield collector


def told(span: Span) -> dict[str, Any]:
    """The texts among the attributes of a span."""
    return {each.key: each.value.string_value for each in span.attributes}
