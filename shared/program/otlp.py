"""Where spans are sent, from OpenTelemetry's standard variables. Used by `shared.settings`."""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Literal, cast, get_args

from dotenv import dotenv_values
from opentelemetry.util.re import parse_env_headers

TraceExporter = Literal["otlp", "console", "none"]
OTLP_PROTOCOL = "http/protobuf"


def trace_exporter(env_file: str, environment: MutableMapping[str, str]) -> TraceExporter:
    """Where spans are sent, from OpenTelemetry's standard variables: `none` unless one of them names a target.

    The SDK reads its other variables (sampler, headers, limits) from the environment. So this function copies those of
    `.env` there, and deletes empty ones, because compose passes unset variables as empty. Raises SystemExit for a wrong
    variable.
    """
    for name, value in dotenv_values(env_file).items():
        if name.startswith("OTEL_") and value:
            environment.setdefault(name, value)
    for name in [name for name, value in environment.items() if name.startswith("OTEL_") and not value.strip()]:
        del environment[name]
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return "none"
    wished = environment.get("OTEL_TRACES_EXPORTER")
    if wished is None:
        named = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} & environment.keys()
        wished = "otlp" if named else "none"
    exporter = wished.strip().lower()
    if exporter not in get_args(TraceExporter):
        raise SystemExit(
            f"wrong settings:\n  OTEL_TRACES_EXPORTER: must be one of {', '.join(get_args(TraceExporter))}"
        )
    if exporter == "otlp":
        _check_otlp(environment)
    return cast(TraceExporter, exporter)


def _check_otlp(environment: Mapping[str, str]) -> None:
    name = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
    if name not in environment:
        name = "OTEL_EXPORTER_OTLP_PROTOCOL"
    if environment.get(name, OTLP_PROTOCOL).strip().lower() != OTLP_PROTOCOL:
        raise SystemExit(f"wrong settings:\n  {name}: must be {OTLP_PROTOCOL}; collectors accept it on port 4318")
    # The SDK would log headers that it cannot parse, and they often hold a key.
    logging.getLogger("opentelemetry.util.re").disabled = True
    for name in ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"):
        parts = [part for part in environment.get(name, "").split(",") if part.strip()]
        if not all(parse_env_headers(part, liberal=True) for part in parts):
            raise SystemExit(f"wrong settings:\n  {name}: must be name=value, separated by commas, without quotes")
