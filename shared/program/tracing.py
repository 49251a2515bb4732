"""Spans by OpenTelemetry, where its usual variables name somewhere to send them: one trace from POST to the provider.

The SDK is loaded only then. What connects the programs is the `traceparent` in the benchmark's row: a message in Redis
may get lost, and a worker that takes over hours later belongs to the same trace.
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

# What a collector that does not answer may hold up the end of a program.
CLOSE_S = 3.0

_W3C = TraceContextTextMapPropagator()


class Tracing:
    """Starts spans. Without a provider nothing is recorded, at next to no cost."""

    def __init__(self, provider: SdkTracerProvider | None = None) -> None:
        self._sdk = provider
        self.provider: TracerProvider = provider or NoOpTracerProvider()
        self._tracer = self.provider.get_tracer("llmbench", __version__)

    @property
    def on(self) -> bool:
        return self._sdk is not None

    @contextmanager
    def span(self, name: str, kind: SpanKind, attributes: dict[str, Any], parent: str | None = None) -> Iterator[Span]:
        """A span around a block, the current one inside. `parent`: a traceparent, else whatever is current."""
        context = None if parent is None else _W3C.extract({"traceparent": parent})
        # Errors are named, not quoted: their text and stack may hold prompts.
        with self._tracer.start_as_current_span(
            name, context, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as exc:
                span.set_attribute("error.type", type(exc).__name__)
                # What a caller did wrong is no failure of ours.
                if not isinstance(exc, InvalidRequest | NotFound | Conflict):
                    span.set_status(StatusCode.ERROR)
                raise

    def past(self, name: str, kind: SpanKind, attributes: dict[str, Any], start_ns: int) -> Span:
        """A span of something that began `start_ns` after the epoch; the caller ends it."""
        return self._tracer.start_span(name, kind=kind, attributes=attributes, start_time=start_ns)

    def close(self) -> None:
        """Sends what is left. Blocking, but not for longer than CLOSE_S."""
        if self._sdk is not None:
            # The SDK would try for as long as one export may take, 10 s, in which a container's grace period ends.
            closing = threading.Thread(target=self._sdk.shutdown, name="close-tracing", daemon=True)
            closing.start()
            closing.join(CLOSE_S)


def traceparent() -> str | None:
    """The current span by W3C's Trace Context, 55 characters; None without one."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def trace_ids() -> dict[str, str]:
    """`trace_id` and `span_id` of the current span, for logs; empty without one."""
    context = get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def start_tracing(exporter: TraceExporter, service: str) -> Tracing:
    """`service`: the name of the program where OTEL_SERVICE_NAME gives none."""
    if exporter == "none":
        return Tracing()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

    # What the environment says of the program wins over what the program does.
    resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: __version__}).merge(
        OTELResourceDetector().detect()
    )
    provider = SdkTracerProvider(resource=resource, shutdown_on_exit=False)
    spans: SpanExporter = ConsoleSpanExporter(out=sys.stderr) if exporter == "console" else OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(spans))
    return Tracing(provider)
