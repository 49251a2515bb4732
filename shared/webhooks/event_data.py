"""What a benchmark's event says: its `data` as JSON, with links to the API."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import orjson

from shared.benchmark.status import Status
from shared.numbers.rounding import rounded
from shared.webhooks.message import MAX_PAYLOAD_BYTES, benchmark_url, instant_or_none


class BenchmarkFacts(Protocol):
    """The columns of a benchmark's row that an event contains."""

    id: int
    name: str
    model: str
    provider: str
    status: Status
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    interrupted: bool
    done: int
    planned: int
    errors: int
    cost_usd: Decimal | None
    error: dict[str, Any] | None
    summary: dict[str, Any] | None


def benchmark_data(benchmark: BenchmarkFacts, sequence: int, public_url: str | None) -> dict[str, Any]:
    """`data` of a benchmark's event. Results are not in it: `results_url` has them."""
    url = benchmark_url(benchmark.id, public_url)
    data = {
        "id": benchmark.id,
        "sequence": sequence,
        "name": benchmark.name,
        "model": benchmark.model,
        "provider": benchmark.provider,
        "status": benchmark.status,
        "created_at": instant_or_none(benchmark.created_at),
        "started_at": instant_or_none(benchmark.started_at),
        "completed_at": instant_or_none(benchmark.completed_at),
        "interrupted": benchmark.interrupted,
        "progress": {
            "done": benchmark.done,
            "total": benchmark.planned or None,
            "errors": benchmark.errors,
            "cost_usd": None if benchmark.cost_usd is None else float(benchmark.cost_usd),
        },
        "error": benchmark.error,
        "summary": _numbers(benchmark.summary) if benchmark.summary else None,
        "url": url,
        "results_url": f"{url}/results",
    }
    if len(orjson.dumps(data)) > MAX_PAYLOAD_BYTES - 200:
        # The summary has very many kinds of errors. Receivers can fetch it from `url`.
        data["summary"] = None
    return data


def event_of(status: Status) -> str:
    """The type of the event for a benchmark's new status."""
    return "benchmark.started" if status == "running" else f"benchmark.{status}"


def _numbers(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary as the API returns it: rounded, and dollars, which are stored as exact texts, as numbers."""
    changed: dict[str, Any] = _rounded(summary)
    for part in ("cost", "possible_duplicates", "spend"):
        if part in changed:
            changed[part] = {
                name: float(value) if name.endswith("_usd") and value is not None else value
                for name, value in changed[part].items()
            }
    return changed


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return rounded(value) if isinstance(value, float) else value
