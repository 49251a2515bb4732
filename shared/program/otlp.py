"""Where spans go, by OpenTelemetry's usual variables."""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Literal, cast, get_args

from dotenv import dotenv_values
from opentelemetry.util.re import parse_env_headers

TraceExporter = Literal["otlp", "console", "none"]
OTLP_PROTOCOL = "http/protobuf"


def trace_exporter(env_file: str, environment: MutableMapping[str, str]) -> TraceExporter:
    """How spans leave, by OpenTelemetry's usual variables: `none` unless one of them says where to.

    Its SDK reads the others (sampler, headers, limits) in the environment itself, so those of `.env` are put there, and
    empty ones, which compose makes of unset ones, are taken away. Raises SystemExit where one names what is not there.
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
        raise SystemExit(f"wrong settings:\n  {name}: must be {OTLP_PROTOCOL}; collectors take it at port 4318")
    # The SDK would log what it cannot read, and that is mostly a key.
    logging.getLogger("opentelemetry.util.re").disabled = True
    for name in ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"):
        parts = [part for part in environment.get(name, "").split(",") if part.strip()]
        if not all(parse_env_headers(part, liberal=True) for part in parts):
            raise SystemExit(f"wrong settings:\n  {name}: must be name=value, separated by commas, without quotes")
