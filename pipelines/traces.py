"""Traces: what each conversation did and how long it took, for a collector of OpenTelemetry's.

Pipecat makes the spans. Where they are sent is said by OpenTelemetry's own variables.
"""

import atexit
import threading
from typing import TYPE_CHECKING

from .errors import BadSetting, MissingExtra
from .installation import adds
from .lists import headers
from .parts import importable
from .settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

PACKAGES = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
# The first that is set counts.
ENDPOINTS = ("otel_exporter_otlp_traces_endpoint", "otel_exporter_otlp_endpoint")
# With the farewell of conversations, less than the 10 s after which Docker kills.
FLUSH_S = 2.0


class Traces:
    """The traces of this process, of which OpenTelemetry wants one source."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None

    def begin(self, settings: Settings) -> bool:
        """Whether conversations are traced; what they do is sent from the first time on.

        Raises:
            BadSetting, MissingExtra: it cannot be sent.
        """
        check(settings)
        if not _named(settings):
            return False
        self._provider = self._provider or _provider(settings)
        return True

    def flush(self) -> None:
        """Send what is left; who does not take it soon is not waited for."""
        if self._provider:
            sending = threading.Thread(target=self._provider.force_flush, daemon=True)
            sending.start()
            sending.join(FLUSH_S)


TRACES = Traces()


def check(settings: Settings) -> None:
    """See that traces can be sent, if they are to be.

    Raises:
        BadSetting: the collector's address is none.
        MissingExtra: what sends them is not installed.
    """
    name = _named(settings)
    if not name:
        return
    if not _address(settings).startswith(("http://", "https://")):
        raise BadSetting(name, "is no address of a collector", "write it as http://host:4318")
    if not all(importable(package) for package in PACKAGES):
        raise MissingExtra([f"what {name} needs"], adds("traces"))


def _named(settings: Settings) -> str:
    """The setting that says where traces are sent; "" for nowhere."""
    return next((name.upper() for name in ENDPOINTS if settings.is_set(name)), "")


def _address(settings: Settings) -> str:
    base = settings.otel_exporter_otlp_endpoint.rstrip("/")
    return settings.otel_exporter_otlp_traces_endpoint or f"{base}/v1/traces"


def _provider(settings: Settings) -> "TracerProvider":
    """The source of all spans, which flushes at the end as long as we say, not as long as it likes.

    Raises:
        BadSetting: it cannot be made.
    """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from pipecat.utils.tracing.setup import setup_tracing

    from .spans import CleanExporter

    listed = settings.otel_exporter_otlp_traces_headers.get_secret_value()
    exporter = CleanExporter(_address(settings), headers=headers(listed))
    begun = setup_tracing(settings.otel_service_name, exporter)  # which prints why it cannot
    provider = trace.get_tracer_provider()
    if not (begun and isinstance(provider, TracerProvider)):
        raise BadSetting(_named(settings), "leads to no traces", "check the other OTEL_ variables")
    atexit.unregister(provider.shutdown)
    return provider
