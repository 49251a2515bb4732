"""Benchmarks, models, providers and workers as tables."""

from collections.abc import Sequence
from typing import Any

from cli.output import Line, clean
from cli.render.numbers import UNKNOWN, count, instant, milliseconds, price, rate, usd
from cli.render.table import table


def list_lines(benchmarks: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each benchmark, with its medians."""
    header = (
        "id",
        "status",
        "name",
        "model",
        "provider",
        "done",
        "errors",
        "TTFT p50",
        "tok/s p50",
        "cost",
        "created (UTC)",
    )
    return table(header, [_benchmark(item) for item in benchmarks], right="rllllrrrrrl", fit=(2, 3))


def _benchmark(item: dict[str, Any]) -> tuple[str, ...]:
    state, summary = item["progress"], item["summary"]
    return (
        f"{item['id']}",
        item["status"],
        clean(item["name"]),
        clean(item["model"]),
        clean(item["provider"]),
        f"{state['done']:,}/{state['total']:,}",
        count(state["errors"]),
        milliseconds(summary["ttft_ms"]["p50"] if summary else None),
        rate(summary["tokens_per_second"]["p50"] if summary else None),
        usd(state["cost_usd"]),
        instant(item["created_at"]),
    )


def model_lines(models: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each model. Prices are in USD per million tokens."""
    header = ("model", "provider", "endpoint", "input", "output", "context", "name", "aliases")
    rows = [
        (
            clean(item["model"]),
            clean(item["provider"]),
            clean(item["endpoint"] or UNKNOWN),
            price(item["prices"].get("input_usd_per_mtok")),
            price(item["prices"].get("output_usd_per_mtok")),
            count(item["context_window"]),
            clean(item["name"] or UNKNOWN) + (" (deprecated)" if item["deprecated"] else ""),
            clean(_aliases(item.get("aliases", ()))),
        )
        for item in models
    ]
    return table(header, rows, right="lllrrrll", fit=(7, 6, 0))


def _aliases(aliases: Sequence[str]) -> str:
    """The first three aliases; `--json` has all."""
    rest = f" +{len(aliases) - 3}" if len(aliases) > 3 else ""
    return ", ".join(aliases[:3]) + rest


def provider_lines(providers: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each endpoint. If it is not ready, the row names the variables to set."""
    rows = [
        (
            clean(item["name"]),
            "ready" if item["ready"] else f"set {' and '.join(item.get('variables') or [str(item['api_key_env'])])}",
            item["protocol"],
            clean(item["base_url"]),
            clean(", ".join(item["models"])) or ("models without a key" if item["stand_in"] else "by the price list"),
        )
        for item in providers
    ]
    return table(("name", "state", "protocol", "URL", "models"), rows)


def worker_lines(workers: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each worker: whether it is alive, and up to how many streams its TTFTs are exact."""
    header = ("id", "state", "running", "version", "within 1 ms", "within 5 ms", "last report (UTC)", "endpoints")
    rows = [
        (
            clean(item["id"]),
            "alive" if item["alive"] else "silent",
            f"{item['running']:,}",
            clean(item["version"]),
            _streams(item["calibration"], "streams_within_1ms"),
            _streams(item["calibration"], "streams_within_5ms"),
            instant(item["heartbeat_at"]),
            clean(", ".join(item["providers"])) or "none: it has no key",
        )
        for item in workers
    ]
    return table(header, rows, right="llrlrrll", fit=(7,))


def _streams(calibration: dict[str, Any] | None, name: str) -> str:
    if calibration is None:
        return UNKNOWN
    return "no load" if calibration[name] is None else f"{calibration[name]:,} streams"
