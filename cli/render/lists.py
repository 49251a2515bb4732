"""Benchmarks, models, providers and workers as tables."""

from collections.abc import Sequence
from typing import Any

from cli.render.numbers import UNKNOWN, count, instant, milliseconds, price, rate, usd
from cli.render.table import table
from cli.terminal.output import Line, clean

# Title and side of each column of a list of benchmarks.
_LISTED = (
    ("id", "r"),
    ("status", "l"),
    ("name", "l"),
    ("model", "l"),
    ("provider", "l"),
    ("done", "r"),
    ("errors", "r"),
    ("TTFT p50", "r"),
    ("p95", "r"),
    ("latency p50", "r"),
    ("tok/s p50", "r"),
    ("cost", "r"),
    ("grade", "l"),
    ("created (UTC)", "l"),
)
# What a narrow terminal does without, first to last. Most names say the model.
_SPARE = ("provider", "created (UTC)", "model", "done", "cost", "grade", "tok/s p50", "p95", "errors", "latency p50")


def list_lines(benchmarks: Sequence[dict[str, Any]], columns: int | None = None) -> list[Line]:
    """One row for each benchmark, with its medians in ms and tokens/s. `columns`: see `table`."""
    titles = [title for title, _ in _LISTED]
    return table(
        titles,
        [_benchmark(item) for item in benchmarks],
        right="".join(side for _, side in _LISTED),
        fit=(titles.index("name"), titles.index("model"), titles.index("provider")),
        drop=[titles.index(title) for title in _SPARE],
        narrowest=14,
        columns=columns,
    )


def _benchmark(item: dict[str, Any]) -> tuple[str, ...]:
    state, summary = item["progress"], item["summary"]
    measured = bool(summary) and summary["requests"]["succeeded"] > 0
    grade = (summary.get("measurement") or {}).get("grade") if measured else None
    return (
        f"{item['id']}",
        item["status"] if item.get("stopped") is None else f"{item['status']} (budget)",
        clean(item["name"]),
        clean(item["model"]),
        clean(item["provider"]),
        # How many there will be may depend on answers and on the time.
        count(state["done"]) if state["total"] is None else f"{state['done']:,}/{state['total']:,}",
        count(state["errors"]),
        milliseconds(summary["ttft_ms"]["p50"] if summary else None),
        milliseconds(summary["ttft_ms"]["p95"] if summary else None),
        milliseconds(summary["latency_ms"]["p50"] if summary else None),
        rate(summary["tokens_per_second"]["p50"] if summary else None),
        usd(state["cost_usd"]),
        grade or UNKNOWN,
        instant(item["created_at"]),
    )


def baseline_lines(baselines: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each baseline."""
    header = ("name", "benchmark", "its name", "model", "provider", "since (UTC)")
    rows = [
        (
            clean(item["name"]),
            f"{item['benchmark_id']}",
            clean(item["benchmark_name"]),
            clean(item["model"]),
            clean(item["provider"]),
            instant(item["created_at"]),
        )
        for item in baselines
    ]
    return table(header, rows, right="lr", fit=(2, 3, 4), drop=(4, 3, 5))


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
    return table(header, rows, right="lllrrrll", fit=(7, 6, 0), drop=(7, 1, 6, 5), narrowest=16)


def _aliases(aliases: Sequence[str]) -> str:
    """The first three aliases; `--json` has all."""
    rest = f" +{len(aliases) - 3}" if len(aliases) > 3 else ""
    return ", ".join(aliases[:3]) + rest


# Models that go to an endpoint without a list of its own.
_STANDS_IN = "models of providers without a key"
_PRICED = "its models in the price list"


def provider_lines(providers: Sequence[dict[str, Any]]) -> list[Line]:
    """One row for each endpoint, with the models that go to it. If it is not ready, it names the variables to set."""
    rows = [
        (
            clean(item["name"]),
            "ready" if item["ready"] else f"set {' and '.join(item.get('variables') or [str(item['api_key_env'])])}",
            item["protocol"],
            clean(item["base_url"]),
            clean(", ".join(item["models"])) or (_STANDS_IN if item["stand_in"] else _PRICED),
        )
        for item in providers
    ]
    return table(("name", "state", "protocol", "URL", "models"), rows, fit=(4, 3), drop=(2, 4, 3), narrowest=20)


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
    return table(header, rows, right="llrlrrll", fit=(7, 0), drop=(3, 5, 6, 4, 7), narrowest=16)


def _streams(calibration: dict[str, Any] | None, name: str) -> str:
    if calibration is None:
        return UNKNOWN
    return "no load" if calibration[name] is None else f"{calibration[name]:,} streams"
