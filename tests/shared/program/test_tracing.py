"""Traces: on only where somebody says where to, by the usual variables, and never in the way."""

import socket
import time
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind, get_current_span

from shared.errors import Conflict, Unavailable
from shared.program.otlp import trace_exporter
from shared.program.tracing import CLOSE_S, Tracing, start_tracing, trace_ids, traceparent
from tests.support.servers.otlp import collector

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NO_FILE = "/nonexistent/.env"


@pytest.mark.parametrize(
    ("given", "exporter"),
    [
        ({}, "none"),
        ({"OTEL_SERVICE_NAME": "x"}, "none"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x:4318/v1/traces"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "Console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"}, "none"),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"}, "none"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, "none"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "console"),
        # The signal's own variable wins.
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "HTTP/protobuf",
            },
            "otlp",
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_HEADERS": "a=b, c=d%20e=,"}, "otlp"),
    ],
)
def test_the_usual_variables_turn_traces_on(given: dict[str, str], exporter: str) -> None:
    assert trace_exporter(NO_FILE, dict(given)) == exporter


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: must be one of otlp, console, none"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: must be",
        ),
    ],
)
def test_what_is_not_there_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(SystemExit, match=named):
        trace_exporter(NO_FILE, dict(given))


@pytest.mark.parametrize("value", ['"team=TOPSECRET"', "Authorization: Bearer TOPSECRET", "a=b,TOPSECRET"])
def test_headers_that_cannot_be_read_are_named_and_not_shown(
    value: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="OTEL_EXPORTER_OTLP_HEADERS: must be name=value") as refused:
        trace_exporter(NO_FILE, {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_HEADERS": value})
    captured = capfd.readouterr()
    assert "TOPSECRET" not in str(refused.value) + caplog.text + captured.out + captured.err


@pytest.mark.parametrize(
    ("error", "failed"), [(Unavailable("my prompt"), True), (ValueError("my prompt"), True), (Conflict("mine"), False)]
)
def test_errors_are_named_and_not_quoted(error: Exception, failed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their texts and stacks may hold what somebody submitted; and a caller's mistake is no failure of the service."""
    with collector() as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        tracing = start_tracing("otlp", "x")
        with pytest.raises(type(error)), tracing.span("x", SpanKind.INTERNAL, {}):
            raise error from RuntimeError("my prompt")
        tracing.close()
    (span,) = collected.spans
    assert span.attributes == {"error.type": type(error).__name__}
    assert span.failed is failed
    assert b"prompt" not in collected.raw


def test_queries_and_keys_are_masked_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI's own spans hold the path and the query of a request."""
    attributes = {
        "url.query": "name=my+prompt&api_key=plainsecret",
        "url.path": "/keys/lbk_ab12cd34_0123456789abcdef",
        "http.route": "/keys/{key_id}",
        "http.response.status_code": 404,
    }
    with collector() as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        tracing = start_tracing("otlp", "x")
        with tracing.span("x", SpanKind.SERVER, attributes):
            pass
        tracing.close()
    (span,) = collected.spans
    assert span.attributes == {**attributes, "url.query": "[redacted]", "url.path": "/keys/[redacted]"}


def test_the_env_file_counts_and_the_environment_wins(tmp_path: Path) -> None:
    """The SDK reads most variables itself, from the environment alone."""
    file = tmp_path / ".env"
    file.write_text("OTEL_EXPORTER_OTLP_ENDPOINT=http://file:4318\nOTEL_SERVICE_NAME=file\nOTHER=x\n")
    environment = {"OTEL_SERVICE_NAME": "environment", "OTEL_TRACES_SAMPLER": " "}
    assert trace_exporter(str(file), environment) == "otlp"
    assert environment == {
        "OTEL_SERVICE_NAME": "environment",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://file:4318",
    }


def test_without_a_provider_nothing_is_current() -> None:
    tracing = start_tracing("none", "x")
    with tracing.span("x", SpanKind.INTERNAL, {}):
        assert traceparent() is None
        assert trace_ids() == {}
    tracing.close()


def test_a_parent_is_continued_without_a_provider_too() -> None:
    """A worker that sends no spans must not break the trace that passes through it."""
    with Tracing().span("x", SpanKind.INTERNAL, {}, parent=PARENT):
        assert traceparent() == PARENT


@pytest.mark.parametrize("parent", ["", "nonsense", "00-0-0-00"])
def test_a_parent_that_is_none_begins_a_new_trace(parent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        tracing = start_tracing("otlp", "of-the-program")
        with tracing.span("x", SpanKind.INTERNAL, {}, parent=parent):
            ids = trace_ids()
            assert get_current_span().is_recording()
        tracing.close()
    (span,) = collected.spans
    assert (span.trace_id, span.span_id, span.parent_id) == (ids["trace_id"], ids["span_id"], "")
    assert span.service == "of-the-program"


def test_the_environment_names_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=of-the-operator")
        tracing = start_tracing("otlp", "of-the-program")
        with tracing.span("x", SpanKind.INTERNAL, {}):
            pass
        tracing.close()
    assert [span.service for span in collected.spans] == ["of-the-operator"]


def test_a_collector_that_does_not_answer_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        tracing = start_tracing("otlp", "x")
        with tracing.span("x", SpanKind.INTERNAL, {}):
            pass
        began = time.monotonic()
        tracing.close()
        # The SDK itself would try for 10 s.
        assert CLOSE_S <= time.monotonic() - began < 10
