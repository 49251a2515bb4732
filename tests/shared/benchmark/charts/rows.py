"""Rows as the database gives them to the charts."""

from typing import Any

from shared.benchmark.charts.columns import NAMES, ChartColumns

BEGIN_S = 1_700_000_000.0


def row(number: int, **changes: Any) -> tuple[Any, ...]:
    """A request that succeeded: sent `number` seconds after the beginning, 100 ms to the first token, 500 ms in all."""
    sent_s = changes.pop("sent_s", number)
    latency_ms = changes.get("latency_ms", 500.0)
    values: dict[str, Any] = {
        "id": number + 1,
        "prompt_index": number,
        "repetition": 0,
        "stage": None,
        "outcome": "succeeded",
        "sent_s": BEGIN_S + sent_s,
        "ended_s": BEGIN_S + sent_s + (latency_ms or 0) / 1e3,
        "queue_ms": 0.5,
        "connect_ms": None,
        "ttft_ms": 100.0,
        "latency_ms": 500.0,
        "tpot_ms": 10.0,
        "stream_close_ms": 501.0,
        "input_tokens": 20,
        "output_tokens": 40,
        **changes,
    }
    return tuple(values[name] for name in NAMES)


def columns(*rows: tuple[Any, ...]) -> ChartColumns:
    return ChartColumns.of_rows(rows)
