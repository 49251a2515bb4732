"""Benchmarks, models and providers as tables."""

from collections.abc import Sequence
from typing import Any

from cli.output import Line, clean
from cli.render.numbers import UNKNOWN, count, instant, milliseconds, price, rate, usd
from cli.render.table import table


def list_lines(benchmarks: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each, with its medians."""
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
    """Prices in USD per million tokens."""
    header = ("model", "provider", "endpoint", "input", "output", "context", "name")
    rows = [
        (
            clean(item["model"]),
            clean(item["provider"]),
            clean(item["endpoint"] or UNKNOWN),
            price(item["prices"].get("input_usd_per_mtok")),
            price(item["prices"].get("output_usd_per_mtok")),
            count(item["context_window"]),
            clean(item["name"] or UNKNOWN) + (" (deprecated)" if item["deprecated"] else ""),
        )
        for item in models
    ]
    return table(header, rows, right="lllrrrl", fit=(6, 0))


def provider_lines(providers: Sequence[dict[str, Any]]) -> list[Line]:
    """Which are ready, and what the others want."""
    rows = [
        (
            clean(item["name"]),
            "ready" if item["ready"] else f"set {item['api_key_env']}",
            item["protocol"],
            clean(item["base_url"]),
            clean(", ".join(item["models"])) or ("models without a key" if item["stand_in"] else "by the price list"),
        )
        for item in providers
    ]
    return table(("name", "state", "protocol", "URL", "models"), rows)
