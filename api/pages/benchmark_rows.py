"""Rows of the list of benchmarks: what the API says about each, chosen for a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from api.pages.charts.sparkline import sparkline
from shared.benchmark.results.cost_reading import cost_of_request
from shared.benchmark.results.failed_share import failed_share
from shared.benchmark.results.outcome import FAILURES
from shared.benchmark.status import TERMINAL
from shared.db.tables.benchmarks import Benchmark
from shared.numbers.percentiles import MIN_COUNT
from shared.numbers.rounding import rounded

NOT_ENDED = "it has not ended"
NO_SUCCESS = "no request succeeded"


@dataclass(frozen=True, slots=True)
class Row:
    """A benchmark in the table. Unknown numbers are None, and `why` says why by field."""

    id: int
    name: str
    model: str
    provider: str
    owner: str
    status: str
    stopped: str | None
    created_at: datetime
    done: int
    total: int | None
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    tokens_per_s: float | None
    usd_per_request: float | None
    # What it does not contain because it is unknown, in words.
    cost_left_out: str
    failed_share: float | None
    failed: str
    grade: str | None
    reasons: Sequence[str]
    sparkline: Markup
    why: dict[str, str]

    @property
    def is_open(self) -> bool:
        """Whether its numbers may still change."""
        return self.status not in TERMINAL


def row_of(benchmark: Benchmark) -> Row:
    """From the stored row: schemas of a whole page would take longer than everything else."""
    is_open = benchmark.status not in TERMINAL
    common: dict[str, Any] = {
        "id": benchmark.id,
        "name": benchmark.name,
        "model": benchmark.model,
        "provider": benchmark.provider,
        "owner": benchmark.owner,
        "status": benchmark.status,
        "stopped": benchmark.stopped,
        "created_at": benchmark.created_at,
        "done": benchmark.done,
        "total": benchmark.planned or None,
    }
    if benchmark.summary is None:
        so_far = (benchmark.live or {}).get("ttft_ms", {}) if benchmark.status == "running" else {}
        why = NOT_ENDED if is_open else benchmark.error["message"] if benchmark.error else "nothing was sent"
        return Row(
            **common,
            ttft_p50_ms=_number(so_far, "p50"),
            ttft_p95_ms=_number(so_far, "p95"),
            tokens_per_s=None,
            usd_per_request=None,
            cost_left_out="",
            failed_share=None,
            failed="",
            grade=None,
            reasons=(),
            sparkline=Markup(""),
            why={
                **dict.fromkeys(("ttft", "p95", "tokens", "cost", "grade"), why),
                "failed": f"{benchmark.errors:,} of {benchmark.done:,} have failed so far",
            },
        )
    return Row(**common, **_numbers(benchmark.summary))


def _numbers(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run that has ended. Summaries of old versions lack some fields."""
    counts, ttft, cost = summary["requests"], summary["ttft_ms"], cost_of_request(summary)
    failures = sum(counts.get(outcome, 0) for outcome in FAILURES)
    measurement = summary.get("measurement") or {}
    over_time = summary.get("over_time") or {}
    few = f"P95 needs {MIN_COUNT[95]} values; there are {ttft['count']}" if ttft["count"] else NO_SUCCESS
    return {
        "ttft_p50_ms": _number(ttft, "p50"),
        "ttft_p95_ms": _number(ttft, "p95"),
        "tokens_per_s": _number(summary, "output_token_throughput"),
        "usd_per_request": cost.usd,
        "cost_left_out": cost.left_out,
        "failed_share": failed_share(counts),
        "failed": f"{failures:,} of {failures + counts['succeeded']:,} requests failed",
        "grade": measurement.get("grade"),
        "reasons": measurement.get("reasons", ()),
        "sparkline": sparkline(over_time.get("ttft_ms") or (), over_time.get("failed") or ()),
        "why": {
            "ttft": NO_SUCCESS,
            "p95": few,
            "tokens": "no output tokens are known",
            "cost": "the model has no known price, or the usage is unknown",
            "failed": "no request succeeded or failed",
            "grade": "no measured request succeeded",
        },
    }


def _number(document: Mapping[str, Any], field: str) -> float | None:
    """As the API shows it."""
    value = document.get(field)
    return None if value is None else rounded(value)
