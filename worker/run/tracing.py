"""The spans of a run: one for each worker that ran the benchmark, and below it one for each request.

A request's span is made from the measured times when its record arrives. Nothing is traced while requests are timed.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.trace import Span, SpanKind, StatusCode

from shared.benchmark.results.record import ResultRecord
from shared.db.runs.lease import Lease
from shared.db.tables.benchmarks import Benchmark
from shared.program.tracing import Tracing
from shared.providers.endpoints import Endpoint

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Endpoints that have another name in the semantic conventions.
CONVENTIONS = {"mistral": "mistral_ai", "xai": "x_ai"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def run_span(tracing: Tracing, benchmark: Benchmark, lease: Lease) -> AbstractContextManager[Span]:
    """The span around a run, in the trace of the POST that submitted the benchmark."""
    attributes = {
        "llmbench.benchmark.id": benchmark.id,
        "llmbench.provider": benchmark.provider,
        "llmbench.model": benchmark.model,
        "llmbench.worker.id": lease.worker_id,
        "llmbench.fence": lease.fence,
    }
    return tracing.span("run benchmark", SpanKind.CONSUMER, attributes, parent=benchmark.traceparent)


class RequestSpans:
    """Spans of one run's requests, by the semantic conventions for generative AI, without prompts and answers."""

    def __init__(self, tracing: Tracing, benchmark: Benchmark, endpoint: Endpoint) -> None:
        self._tracing = tracing
        self._name = f"chat {benchmark.model}"
        url = urlsplit(endpoint.base_url)
        self._attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": CONVENTIONS.get(endpoint.name, endpoint.name),
            "gen_ai.request.model": benchmark.model,
            "gen_ai.request.stream": True,
            "server.address": url.hostname,
            "server.port": url.port or DEFAULT_PORTS[url.scheme],
            "llmbench.benchmark.id": benchmark.id,
        }

    def add(self, record: ResultRecord) -> None:
        """Adds a span from sending to the last token. The span of a request without one ends when the request did."""
        if not self._tracing.on:
            return
        sent_ns = _epoch_ns(record.sent_at)
        span = self._tracing.past(self._name, SpanKind.CLIENT, self._attributes | _measured(record), sent_ns)
        if record.ttft_ms is not None:
            span.add_event("first token", timestamp=sent_ns + round(record.ttft_ms * 1e6))
        if record.error is not None:
            span.set_attribute("error.type", record.error.kind)
            # The provider's message is left out, because it often repeats the prompt.
            span.set_status(StatusCode.ERROR)
        if record.outcome == "succeeded" and record.latency_ms is not None:
            span.end(sent_ns + round(record.latency_ms * 1e6))
        else:
            span.end(max(sent_ns, _epoch_ns(record.ended_at)))


def _measured(record: ResultRecord) -> dict[str, Any]:
    known = {
        "gen_ai.usage.input_tokens": record.usage.input_tokens,
        "gen_ai.usage.output_tokens": record.usage.output_tokens,
        "llmbench.provider_request_id": record.provider_request_id,
        "gen_ai.response.finish_reasons": [record.finish_reason] if record.finish_reason else None,
        "gen_ai.response.time_to_first_chunk": None if record.ttft_ms is None else record.ttft_ms / 1e3,
        "http.response.status_code": record.error.http_status if record.error is not None else None,
        "llmbench.prompt_index": record.prompt_index,
        "llmbench.repetition": record.repetition,
        "llmbench.warmup": record.warmup,
        "llmbench.outcome": record.outcome,
    }
    return {name: value for name, value in known.items() if value is not None}


def _epoch_ns(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1_000
