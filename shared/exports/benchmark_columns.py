"""The columns of an exported list: one row for each benchmark. docs/exports.md lists them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.benchmark.results.costs import PER_SUCCEEDED
from shared.benchmark.results.outcome import FAILURES
from shared.exports.cells import instant_text, usd_text
from shared.numbers.metric import NEVER, Definition
from shared.numbers.metrics import METRICS

_NO_SUMMARY = "the benchmark has no summary"
_TOO_FEW = "there are too few values for it"
# Percentiles of each metric.
PERCENTILES = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkColumn(Definition):
    """A column of a list. `value` takes a benchmark's row."""

    value: Callable[[Any], Any]


def _column(
    name: str, definition: str, value: Callable[[Any], Any], null_when: str = NEVER, unit: str = ""
) -> BenchmarkColumn:
    return BenchmarkColumn(name=name, unit=unit, definition=definition, null_when=null_when, value=value)


def _own(name: str, definition: str, null_when: str = NEVER) -> BenchmarkColumn:
    return _column(name, definition, lambda row: getattr(row, name), null_when)


def _instant(name: str, definition: str, null_when: str = NEVER) -> BenchmarkColumn:
    def value(row: Any) -> str | None:
        instant = getattr(row, name)
        return None if instant is None else instant_text(instant)

    return _column(name, definition, value, null_when, "UTC instant")


def _summary(row: Any, *path: str) -> Any:
    value: Any = row.summary
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _of_summary(
    name: str, definition: str, *path: str, unit: str = "", null_when: str = _NO_SUMMARY
) -> BenchmarkColumn:
    return _column(name, definition, lambda row: _summary(row, *path), null_when, unit)


def _failed(row: Any) -> int | None:
    requests = _summary(row, "requests")
    return None if requests is None else sum(requests.get(outcome) or 0 for outcome in FAILURES)


def _percentiles() -> list[BenchmarkColumn]:
    """Of the metrics that the terminal shows."""
    shown = [metric for metric in METRICS.values() if metric.distributed and metric.row is not None]
    return [
        _of_summary(
            f"{metric.name}_{percentile}",
            f"{percentile.upper()} of `{metric.name}` over succeeded requests without warm-up",
            metric.name,
            percentile,
            unit=metric.unit,
            null_when=f"{_NO_SUMMARY}, or {_TOO_FEW}",
        )
        for metric in shown
        for percentile in PERCENTILES
    ]


COLUMNS: Sequence[BenchmarkColumn] = (
    _own("id", "Id of the benchmark on the server that wrote the export"),
    _own("name", "As submitted"),
    _own("model", "As submitted"),
    _own("provider", "Endpoint that the requests went to"),
    _own("status", "`pending`, `running`, `completed`, `failed` or `cancelled`"),
    _own("stopped", "`budget`: a budget could not pay for its remaining requests", "it was not stopped"),
    _column("imported", "Whether it was imported from another server", lambda row: row.import_key is not None),
    _own("rerun_of", "Id of the benchmark that it repeats", "it repeats none"),
    _own("prompt_set", "Hash of all that decides which texts it sends", "a version before submitted it"),
    _instant("created_at", "When it was submitted"),
    _instant("started_at", "When a worker began it", "it has not begun"),
    _instant("completed_at", "When it ended", "it has not ended"),
    _own("done", "Requests that have a result, warm-up included"),
    _own("errors", "Results that did not succeed, without `incomplete` and `dropped` ones"),
    _column(
        "cost_usd",
        "Cost of all requests, warm-up included, without those of unknown cost",
        lambda row: None if row.cost_usd is None else usd_text(row.cost_usd),
        "no cost is known",
        "USD",
    ),
    _of_summary(
        "cost_per_succeeded_usd",
        PER_SUCCEEDED,
        "cost",
        "per_succeeded_usd",
        unit="USD",
        null_when=f"{_NO_SUMMARY}, or no succeeded request has a known cost",
    ),
    _of_summary(
        "priced_succeeded",
        "Succeeded measured requests of known cost, by which `cost_per_succeeded_usd` is divided",
        "cost",
        "priced_succeeded",
        null_when=f"{_NO_SUMMARY}, or a version before made it, which divided by all that succeeded",
    ),
    _of_summary(
        "unpriced_requests", "Measured requests of unknown cost, failed ones included", "cost", "unpriced_requests"
    ),
    _of_summary("succeeded", "Measured requests that succeeded", "requests", "succeeded"),
    _column("failed", "Measured requests that failed", _failed, _NO_SUMMARY),
    _of_summary("duration_s", "From the first measured request to the end of the last", "duration_s", unit="s"),
    _of_summary("concurrency_requested", "Most requests that may be in flight", "concurrency", "requested"),
    _of_summary("concurrency_peak", "Most requests that were in flight", "concurrency", "peak"),
    _of_summary(
        "request_rate_requested",
        "Rate that was asked for",
        "request_rate",
        "requested",
        unit="requests/s",
        null_when="the loop is closed",
    ),
    _of_summary("request_throughput", "Succeeded requests per second", "request_throughput", unit="requests/s"),
    _of_summary("output_token_throughput", "Output tokens per second", "output_token_throughput", unit="tokens/s"),
    _of_summary(
        "grade",
        "How far the measuring itself may have distorted the numbers: A to D",
        "measurement",
        "grade",
        null_when=f"{_NO_SUMMARY}, or nothing succeeded",
    ),
    *_percentiles(),
)
NAMES: Sequence[str] = tuple(column.name for column in COLUMNS)


def row_of(benchmark: Any) -> list[Any]:
    """The cells of a benchmark's row: numbers, booleans, texts and None. Amounts are texts of decimals."""
    return [column.value(benchmark) for column in COLUMNS]
