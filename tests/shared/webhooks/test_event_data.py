"""What a benchmark's event says."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from shared.webhooks.event_data import benchmark_data

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def benchmark(**changes: Any) -> Any:
    facts = {
        "id": 1,
        "name": "n",
        "model": "m",
        "provider": "p",
        "status": "completed",
        "created_at": AT,
        "started_at": AT,
        "completed_at": AT,
        "interrupted": False,
        "done": 1,
        "planned": 1,
        "errors": 0,
        "cost_usd": Decimal("0.000000000012"),
        "error": None,
        "summary": None,
    }
    return SimpleNamespace(**{**facts, **changes})


def test_numbers_of_the_summary_are_those_of_the_api() -> None:
    summary = {
        "ttft_ms": {"count": 3, "p50": 205.34310000000008, "p50_ci95": [0.1 + 0.2, None]},
        "cost": {"total_usd": "0.000000000012", "measured_usd": None},
        "interrupted": False,
    }
    shown = benchmark_data(benchmark(summary=summary), 2, "https://bench.example.com/")
    assert shown["summary"] == {
        "ttft_ms": {"count": 3, "p50": 205.3431, "p50_ci95": [0.3, None]},
        "cost": {"total_usd": 0.000000000012, "measured_usd": None},
        "interrupted": False,
    }
    assert shown["progress"]["cost_usd"] == 0.000000000012
    assert shown["results_url"] == "https://bench.example.com/benchmarks/1/results"
