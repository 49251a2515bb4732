"""Rows of the list of benchmarks: what the API says about each, chosen for a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from api.pages.charts.sparkline import sparkline
from api.schemas.benchmarks import ListedBenchmarkOut
from api.schemas.results import Distribution
from api.schemas.summary import Summary
from shared.benchmark.results.failed_share import failed_share
from shared.benchmark.results.outcome import FAILURES
from shared.benchmark.status import TERMINAL
from shared.db.benchmark_pages import ListedBenchmark
from shared.numbers.percentiles import MIN_COUNT

NOT_ENDED = "it has not ended"
NO_SUCCESS = "no request succeeded"


@dataclass(frozen=True, slots=True)
class Row:
    """A benchmark in the table. Unknown numbers are None, and `why` says why by field."""

    id: int
    name: str
    model: str
    provider: str
    status: str
    created_at: datetime
    done: int
    total: int | None
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    tokens_per_s: float | None
    usd_per_request: float | None
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


def distribution(summary: Summary, metric: str) -> Distribution | None:
    """A metric's distribution. Its fields are made from the registry, so no type checker knows them."""
    found: Distribution | None = vars(summary)[metric]
    return found


def row_of(shown: ListedBenchmarkOut, listed: ListedBenchmark) -> Row:
    summary, live = shown.summary, shown.progress.metrics
    common: dict[str, Any] = {
        "id": shown.id,
        "name": shown.name,
        "model": shown.model,
        "provider": shown.provider,
        "status": shown.status,
        "created_at": shown.created_at,
        "done": shown.progress.done,
        "total": shown.progress.total,
    }
    if summary is None:
        so_far = live.ttft_ms if live else None
        why = NOT_ENDED if shown.status not in TERMINAL else shown.error.message if shown.error else "nothing was sent"
        return Row(
            **common,
            ttft_p50_ms=so_far.p50 if so_far else None,
            ttft_p95_ms=so_far.p95 if so_far else None,
            tokens_per_s=None,
            usd_per_request=None,
            failed_share=None,
            failed="",
            grade=None,
            reasons=(),
            sparkline=Markup(""),
            why={
                **dict.fromkeys(("ttft", "p95", "tokens", "cost", "grade"), why),
                "failed": f"{shown.progress.errors:,} of {shown.progress.done:,} have failed so far",
            },
        )
    counts = summary.requests.model_dump()
    failures = sum(counts[outcome] for outcome in FAILURES)
    ttft = distribution(summary, "ttft_ms")
    stored = (listed.benchmark.summary or {}).get("over_time") or {}
    return Row(
        **common,
        ttft_p50_ms=ttft.p50 if ttft else None,
        ttft_p95_ms=ttft.p95 if ttft else None,
        tokens_per_s=summary.output_token_throughput,
        usd_per_request=summary.cost.per_succeeded_usd,
        failed_share=failed_share(counts),
        failed=f"{failures:,} of {failures + counts['succeeded']:,} requests failed",
        grade=summary.measurement.grade if summary.measurement else None,
        reasons=summary.measurement.reasons if summary.measurement else (),
        sparkline=sparkline(stored.get("ttft_ms") or (), stored.get("failed") or ()),
        why={
            "ttft": NO_SUCCESS,
            "p95": f"P95 needs {MIN_COUNT[95]} values; there are {ttft.count}" if ttft and ttft.count else NO_SUCCESS,
            "tokens": "no output tokens are known",
            "cost": "the model has no known price, or the usage is unknown",
            "failed": "no request succeeded or failed",
            "grade": "no measured request succeeded",
        },
    )
