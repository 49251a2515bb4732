"""Spans by OpenTelemetry: one trace from POST to the provider. Off unless its standard variables name a target.

The SDK is loaded only if tracing is on. The `traceparent` in the benchmark's row connects the programs: a message in
Redis may get lost, and a worker that takes over hours later continues the same trace.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import NoOpTracerProvider, Span, SpanKind, StatusCode, TracerProvider, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.program.otlp import TraceExporter
from shared.version import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider

# The longest time by which a collector that does not answer may delay the end of a program.
CLOSE_S = 3.0

_W3C = TraceContextTextMapPropagator()


class Tracing:
    """Starts spans. Without a provider it records nothing and costs almost nothing."""

    def __init__(self, provider: SdkTracerProvider | None = None) -> None:
        self._sdk = provider
        self.provider: TracerProvider = provider or NoOpTracerProvider()
        self._tracer = self.provider.get_tracer("llmbench", __version__)

    @property
    def on(self) -> bool:
        return self._sdk is not None

    @contextmanager
    def span(self, name: str, kind: SpanKind, attributes: dict[str, Any], parent: str | None = None) -> Iterator[Span]:
        """A span around a block, in which it is the current span. `parent`: a traceparent; None: the current span."""
        context = None if parent is None else _W3C.extract({"traceparent": parent})
        # Only the type of an error is recorded: its text and stack may hold prompts.
        with self._tracer.start_as_current_span(
            name, context, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as exc:
                span.set_attribute("error.type", type(exc).__name__)
                # A caller's mistake is not a failure of this service.
                if not isinstance(exc, InvalidRequest | NotFound | Conflict):
                    span.set_status(StatusCode.ERROR)
                raise

    def past(self, name: str, kind: SpanKind, attributes: dict[str, Any], start_ns: int) -> Span:
        """A span that began `start_ns` after the epoch, in ns. The caller ends it."""
        return self._tracer.start_span(name, kind=kind, attributes=attributes, start_time=start_ns)

    def close(self) -> None:
        """Sends the remaining spans. Blocks for at most CLOSE_S."""
        if self._sdk is not None:
            # The SDK would try for 10 s, the limit of one export. A container's grace period ends before that.
            closing = threading.Thread(target=self._sdk.shutdown, name="close-tracing", daemon=True)
            closing.start()
            closing.join(CLOSE_S)


def traceparent() -> str | None:
    """The current span in W3C's Trace Context format, 55 characters; None if there is no span."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def trace_ids() -> dict[str, str]:
    """`trace_id` and `span_id` of the current span, for logs; empty if there is no span."""
    context = get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def start_tracing(exporter: TraceExporter, service: str) -> Tracing:
    """`service`: the name of the program, used if OTEL_SERVICE_NAME is not set."""
    if exporter == "none":
        return Tracing()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

    from shared.program.span_scrubber import SpanScrubber

    # Attributes from the environment win over the program's own.
    resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: __version__}).merge(
        OTELResourceDetector().detect()
    )
    provider = SdkTracerProvider(resource=resource, shutdown_on_exit=False)
    spans: SpanExporter = ConsoleSpanExporter(out=sys.stderr) if exporter == "console" else OTLPSpanExporter()
    provider.add_span_processor(SpanScrubber())
    provider.add_span_processor(BatchSpanProcessor(spans))
    return Tracing(provider)
