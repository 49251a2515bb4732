"""The five numbers at the top of a benchmark's page: each with its count, its 95 % interval, or why it is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.pages.words.numbers import duration_ms, exact, share, significant, usd_per_1000
from api.schemas.benchmarks import BenchmarkBase
from api.schemas.live import PercentilesSoFar
from api.schemas.results import Distribution
from api.schemas.summary import Summary
from shared.benchmark.results.cost_reading import CostReading, cost_of_request
from shared.benchmark.results.costs import PER_SUCCEEDED
from shared.benchmark.results.failed_share import failed_share
from shared.benchmark.results.outcome import FAILURES
from shared.benchmark.status import TERMINAL
from shared.numbers.percentiles import MIN_COUNT
from shared.numbers.wilson import wilson_interval

_THROUGHPUT = "Output tokens of succeeded requests, divided by the duration of the run. Unit: tokens/s."
_COST = (
    f"{PER_SUCCEEDED}, times 1,000. A cost is the tokens of each class times the price that was in force when the run "
    "started, which is stored with it. It is unknown when the model has no known price or the usage is unknown. Unit: "
    "USD."
)
_ERRORS = (
    "Failed requests divided by those that failed or succeeded. Requests that were cut off or never sent are neither. "
    "The interval is Wilson's."
)


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """`shown` is for people, `exact` appears on hover. `interval`: its two ends in words. `why`: no value or interval.

    `metric`: the name in the registry; `definition`: for what the registry does not have. `more`: a second number.
    """

    title: str
    shown: str
    exact: str = ""
    n: int | None = None
    interval: str = ""
    why: str = ""
    metric: str = ""
    definition: str = ""
    more: str = ""
    bad: bool = False


def key_figures(shown: BenchmarkBase) -> Sequence[KeyFigure]:
    """Of the summary, or of the requests so far."""
    if shown.summary is not None:
        return _of_summary(shown.summary)
    why = "it has not begun" if shown.status == "pending" else "no result yet"
    if shown.status in TERMINAL:
        why = "nothing was measured"
    metrics = shown.progress.metrics
    done, errors = shown.progress.done, shown.progress.errors
    return (
        _so_far("TTFT, median", "ttft_ms", metrics.ttft_ms if metrics else None, why),
        _so_far("Latency, median", "latency_ms", metrics.latency_ms if metrics else None, why),
        KeyFigure("Output tokens/s", "–", why="known at the end", definition=_THROUGHPUT),
        KeyFigure("Cost per 1,000", "–", why="known at the end", definition=_COST),
        _errors(done - errors, errors, why),
    )


def _of_summary(summary: Summary) -> Sequence[KeyFigure]:
    counts = summary.requests.model_dump()
    failures = sum(counts[outcome] for outcome in FAILURES)
    succeeded: int = counts["succeeded"]
    return (
        _median("TTFT, median", "ttft_ms", summary),
        _median("Latency, median", "latency_ms", summary),
        _throughput(summary, succeeded),
        _cost(cost_of_request({"cost": summary.cost.model_dump(), "requests": counts})),
        _errors(succeeded, failures, "no request succeeded or failed", failed_share(counts)),
    )


def distribution(summary: Summary, metric: str) -> Distribution | None:
    """A metric's distribution. Its fields are made from the registry, so no type checker knows them."""
    found: Distribution | None = vars(summary)[metric]
    return found


def interval_text(ends: Sequence[float | None] | None) -> str:
    """`131 to 150 ms`. Empty without an interval."""
    if ends is None or ends[0] is None or ends[1] is None:
        return ""
    low, high = duration_ms(ends[0]), duration_ms(ends[1])
    return (
        f"{low.removesuffix(' ms')} to {high}" if low.endswith(" ms") and high.endswith(" ms") else f"{low} to {high}"
    )


def _median(title: str, metric: str, summary: Summary) -> KeyFigure:
    found = distribution(summary, metric)
    if found is None or not found.count or found.p50 is None:
        return KeyFigure(title, "–", n=0, why="no request succeeded", metric=metric)
    interval = interval_text(found.p50_ci95)
    p95 = f"P95 {duration_ms(found.p95)}" if found.p95 is not None else ""
    of_p95 = interval_text(found.p95_ci95)
    more = p95 + (f", {of_p95}" if p95 and of_p95 else "")
    return KeyFigure(
        title,
        duration_ms(found.p50),
        f"{exact(found.p50)} ms",
        found.count,
        interval,
        "" if interval else "too few independent values for an interval",
        metric,
        more=more or f"P95 needs {MIN_COUNT[95]} values",
    )


def _throughput(summary: Summary, succeeded: int) -> KeyFigure:
    rate, of_stream = summary.output_token_throughput, distribution(summary, "tokens_per_second")
    more = ""
    if of_stream is not None and of_stream.p50 is not None:
        more = f"one stream {significant(of_stream.p50)}"
        if of_stream.p50_ci95 is not None:
            more += f", {significant(of_stream.p50_ci95[0])} to {significant(of_stream.p50_ci95[1])}"
    why = "no output tokens are known" if rate is None else ""
    title = "Output tokens/s"
    return KeyFigure(
        title, significant(rate), exact(rate) if rate else "", succeeded, "", why, definition=_THROUGHPUT, more=more
    )


def _cost(each: CostReading) -> KeyFigure:
    title = "Cost per 1,000"
    if each.usd is None:
        return KeyFigure(title, "–", n=each.count, why="no known price, or no usage", definition=_COST)
    shown, precise = usd_per_1000(each.usd), f"{exact(each.usd * 1_000)} USD"
    return KeyFigure(title, shown, precise, each.count, definition=_COST, more=each.left_out)


def _errors(succeeded: int, failed: int, why: str, known: float | None = None) -> KeyFigure:
    total = succeeded + failed
    if not total:
        return KeyFigure("Errors", "–", n=0, why=why, definition=_ERRORS)
    low, high = wilson_interval(failed, total)
    part = failed / total if known is None else known
    return KeyFigure(
        "Errors",
        share(part),
        exact(part),
        total,
        f"{share(low).removesuffix(' %')} to {share(high)}",
        definition=_ERRORS,
        more=f"{failed:,} failed",
        bad=bool(failed),
    )


def _so_far(title: str, metric: str, found: PercentilesSoFar | None, why: str) -> KeyFigure:
    if found is None or found.p50 is None:
        return KeyFigure(title, "–", why=why, metric=metric)
    more = f"P95 {duration_ms(found.p95)}" if found.p95 is not None else f"P95 needs {MIN_COUNT[95]} values"
    return KeyFigure(
        title, duration_ms(found.p50), f"{exact(found.p50)} ms", found.count, "", "so far", metric, more=more
    )
