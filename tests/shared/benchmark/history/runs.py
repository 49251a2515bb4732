"""Runs as histories see them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.benchmark.history.run import Run

AT = datetime(2025, 1, 15, 3, 0, tzinfo=UTC)
ENDPOINT = {"name": "e", "protocol": "openai", "base_url": "http://e.test", "fingerprint": "f1"}


def spec_of(**changes: Any) -> dict[str, Any]:
    return {
        "concurrency": 4,
        "arrival": "constant",
        "arrival_seed": 0,
        "repetitions": 3,
        "warmup": 0,
        "parameters": {"max_tokens": 256},
        **changes,
    }


def run(
    number: int = 1,
    value: float | None = 100.0,
    spread: float | None = 5.0,
    *,
    spec: Mapping[str, Any] | None = None,
    succeeded: int = 100,
    errored: int = 0,
    **changes: Any,
) -> Run:
    """Run of day `number` with this median TTFT, whose interval is `spread` wide to both sides. None: it has none."""
    interval = None if spread is None or value is None else [value - spread, value + spread]
    fields: dict[str, Any] = {
        "id": number,
        "name": f"run {number}",
        "model": "m",
        "provider": "e",
        "endpoint": ENDPOINT,
        "started_at": AT + timedelta(days=number),
        "has_texts": True,
        "spec": spec or spec_of(),
        "summary": {
            "ttft_ms": {"count": succeeded, "p50": value, "p50_ci95": interval, "p95": None, "p95_ci95": None},
            "output_token_throughput": 50.0,
            "requests": {"succeeded": succeeded, "errored": errored, "timed_out": 0, "truncated": 0},
            "cost": {"per_succeeded_usd": "0.001"},
        },
        "grade": "A",
    }
    return Run(**fields | changes)
