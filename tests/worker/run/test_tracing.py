"""Spans of runs and requests, as an exporter gets them."""

from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from shared.benchmark.results.record import RequestError, Usage
from shared.clock import SystemClock
from shared.db.tables.benchmarks import Benchmark
from shared.program.tracing import Tracing
from shared.providers.endpoints import Endpoint
from tests.shared.db.rows import make_record
from worker.run.tracing import RequestSpans

ENDPOINT = Endpoint(name="own", protocol="openai", base_url="https://llm.example.com/v1", api_key_env=None)


class Traced:
    """Requests of one run, and the spans that came of them."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        benchmark = Benchmark(id=7, model="m", provider="own")
        self._spans = RequestSpans(Tracing(provider), benchmark, ENDPOINT)

    def span(self, **record: Any) -> ReadableSpan:
        self._spans.add(make_record(**record))
        (span,) = self._exporter.get_finished_spans()
        return span


@pytest.fixture
def traced() -> Traced:
    return Traced()


def test_a_request_lasts_from_sent_to_its_last_token(traced: Traced) -> None:
    span = traced.span(latency_ms=1234.5678, ttft_ms=200.25)
    assert span.name == "chat m"
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 1_234_567_800
    (first,) = span.events
    assert first.timestamp - span.start_time == 200_250_000
    assert span.status.status_code is StatusCode.UNSET
    attributes = dict(span.attributes or {})
    assert attributes["server.address"] == "llm.example.com"
    assert attributes["server.port"] == 443
    assert attributes["gen_ai.response.time_to_first_chunk"] == 0.20025
    assert "error.type" not in attributes


def test_a_request_that_failed_says_how(traced: Traced) -> None:
    error = RequestError("rate_limited", "slow down", "before_first_token", http_status=429)
    sent_at = SystemClock().wall_now() - timedelta(seconds=3)
    ended_at = sent_at + timedelta(seconds=1.25)
    span = traced.span(
        outcome="errored", error=error, sent_at=sent_at, ended_at=ended_at, ttft_ms=None, latency_ms=None
    )
    attributes = dict(span.attributes or {})
    assert attributes["error.type"] == "rate_limited"
    assert attributes["http.response.status_code"] == 429
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert not span.events
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 1_250_000_000


def test_what_is_unknown_is_left_out_and_zero_is_not(traced: Traced) -> None:
    attributes = dict(traced.span(usage=Usage(output_tokens=0), finish_reason=None).attributes or {})
    assert attributes["gen_ai.usage.output_tokens"] == 0
    assert "gen_ai.usage.input_tokens" not in attributes
    assert "gen_ai.response.finish_reasons" not in attributes


def test_what_was_said_is_in_no_span(traced: Traced) -> None:
    error = RequestError("bad_request", "'input': 'a secret prompt' is too long", "before_first_token", http_status=400)
    span = traced.span(response="a secret answer", reasoning="a secret thought", outcome="errored", error=error)
    assert "secret" not in span.to_json()
