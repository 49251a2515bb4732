"""The parts of a summary about rates: windows, goodput, concurrency, schedule, and what failures do to percentiles."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.number import Number
from api.schemas.results import Distribution
from shared.benchmark.results.aggregate import LATE_MS


class SteadyWindow(BaseModel):
    """The part of a run without ramp-up and tail.

    In a closed loop it begins when the first `concurrency` requests have all ended and the ramp is over, and ends at
    the first end after the last request was sent. In an open loop it begins at the end of the ramp and ends when the
    last request was due.
    """

    begin_s: Number | None = Field(
        default=None,
        description="Its begin, from the first request sent. Unit: s. Null in old runs that did not store it.",
        examples=[2.1],
    )
    duration_s: Number = Field(description="Length of the window. Unit: s.", examples=[21.7])
    request_throughput: Number = Field(description="Requests that ended in it. Unit: requests/s.", examples=[4.6])
    input_token_throughput: Number | None = Field(
        default=None,
        description="Input tokens of the requests whose first token arrived in it. Unit: tokens/s. Null when unknown.",
        examples=[88.2],
    )
    output_token_throughput: Number | None = Field(
        description="Output tokens that arrived in it. Unit: tokens/s. Null when unknown.", examples=[220.3]
    )
    total_token_throughput: Number | None = Field(
        default=None,
        description="Sum of both. Unit: tokens/s. Null when one of them is unknown.",
        examples=[308.5],
    )
    mean_concurrency: Number | None = Field(
        default=None,
        description="Mean number of requests in flight in it. Null in old runs that did not store it.",
        examples=[3.98],
    )
    goodput: Number | None = Field(
        default=None,
        description="Requests that ended in it and met all SLOs. Unit: requests/s. Null without `slos`.",
        examples=[4.4],
    )
    output_token_goodput: Number | None = Field(
        default=None,
        description="Output tokens of good requests that arrived in it. Unit: tokens/s. Null without `slos`, and when "
        "unknown.",
        examples=[210.7],
    )
    ttft_ms: Distribution | None = Field(
        default=None,
        description="`ttft_ms` of the succeeded requests that were sent and ended in it. Unit: ms. Null when a part of "
        "the run did not store it.",
    )
    latency_ms: Distribution | None = Field(default=None, description="`latency_ms` of the same requests. Unit: ms.")
    tpot_ms: Distribution | None = Field(default=None, description="`tpot_ms` of the same requests. Unit: ms/token.")
    sampled_share: Number | None = Field(
        default=None,
        description="The share of the run's succeeded requests that these three distributions know. 1 up to 5,000 "
        "requests; above, they come from a random sample of 5,000. Null when they are null.",
        examples=[1],
    )


class ConcurrencyOut(BaseModel):
    """How many requests were in flight at the same time."""

    requested: int = Field(description="What the benchmark asked for.", examples=[4])
    peak: int = Field(description="Most that were really in flight at once.", examples=[4])
    mean: Number | None = Field(
        default=None,
        description="Mean number in flight over `duration_s`; each moment has equal weight. Null when nothing was "
        "sent, and in old runs that did not store it.",
        examples=[3.87],
    )


class RequestRateOut(BaseModel):
    """The requests per second that were asked for, those that were sent, and how late they were sent."""

    requested: float = Field(
        description="As submitted; the mean of a rate that changes. Unit: requests/s.", examples=[5.0]
    )
    achieved: Number | None = Field(
        description="Requests sent per second between the first and the last, cut-off ones included. Unit: "
        "requests/s. Null below two requests, and for an interrupted run or stage.",
        examples=[4.98],
    )
    due: Number | None = Field(
        default=None,
        description="Requests due per second by the schedule, between the first and the last, dropped ones included: "
        "what `achieved` is compared with, because a random schedule has its requested rate only on average. Unit: "
        "requests/s. Null below two requests, for an interrupted run or stage, and in old runs that did not store it.",
        examples=[5.0],
    )
    limited_by: Literal["max_concurrency", "this host"] | None = Field(
        default=None,
        description="Why the schedule was not kept: more than 1 % of `due` is missing in `achieved`, or more than 1 % "
        "of the requests were dropped. `max_concurrency`: requests waited for room (or for `max_prefill`), so the "
        "server is too slow for so few streams. `this host`: requests were sent late although there was room; without "
        "that delay the server would have kept up. Null when the schedule was kept.",
        examples=[None],
    )
    lateness_ms: Distribution | None = Field(
        default=None,
        description="`queue_ms` of all requests that were sent, failed and cut-off ones included: how long after its "
        "due time a request was sent. Unit: ms. Null in old runs that did not store it.",
    )
    late: int | None = Field(
        default=None,
        description="How many of them were sent later than `late_after_ms`. Null in old runs that did not store it.",
        examples=[0],
    )
    late_after_ms: Number | None = Field(
        default=None,
        description="From which lateness on a request counts as late. Unit: ms. Null in old runs.",
        examples=[LATE_MS],
    )
    dropped: int | None = Field(
        default=None,
        description="Requests that were not sent, because they were `drop_after_s` late or still waited at the end of "
        "`duration_s`. Null in old runs that did not "
        "store it.",
        examples=[0],
    )


class SloMisses(BaseModel):
    """How one SLO was kept."""

    missed: int = Field(description="Attempted requests that broke it, all failed ones included.", examples=[5])
    undetermined: int = Field(description="Succeeded requests that lack its metric.", examples=[1])


class SloOut(BaseModel):
    """How many requests met all SLOs. `met`, `missed` and `undetermined` together are the attempted requests."""

    bounds: dict[str, Number] = Field(
        description="The bound of each SLO, by metric.", examples=[{"ttft_ms": 500, "tpot_ms": 50}]
    )
    target: Number = Field(description="Share of the attempted requests that must meet all SLOs.", examples=[0.95])
    attempted: int = Field(
        description="Measured requests that succeeded or failed. Cancelled, incomplete and dropped ones do not count.",
        examples=[120],
    )
    met: int = Field(description="Requests that met all SLOs: the good ones.", examples=[114])
    missed: int = Field(description="Requests that broke at least one SLO. A failed request breaks all.", examples=[5])
    undetermined: int = Field(
        description="Requests that lack a metric which an SLO needs, and broke no other SLO. They are not good.",
        examples=[1],
    )
    attainment: Number | None = Field(
        description="`met` divided by `attempted`. Null when nothing was attempted.", examples=[0.95]
    )
    attained: bool | None = Field(
        description="Whether `attainment` is at least `target`. Null when nothing was attempted.", examples=[True]
    )
    by_slo: dict[str, SloMisses] = Field(
        description="How each SLO was kept. A request that broke several counts for each.",
        examples=[{"ttft_ms": {"missed": 5, "undetermined": 0}, "tpot_ms": {"missed": 2, "undetermined": 1}}],
    )
    goodput: Number | None = Field(
        description="Good requests divided by `duration_s`. Unit: requests/s. Null when nothing was sent.",
        examples=[4.3],
    )
    output_token_goodput: Number | None = Field(
        description="Output tokens of good requests divided by `duration_s`. Unit: tokens/s. Null when no output "
        "tokens are known.",
        examples=[198.2],
    )


class AdjustedPercentiles(BaseModel):
    """Percentiles over attempted requests. Null below as many values as `Distribution` needs, or for `reason`."""

    p50: Number | None = Field(description="Median.", examples=[143.0])
    p90: Number | None = Field(description="90th percentile.", examples=[203.7])
    p95: Number | None = Field(description="95th percentile.", examples=[None])
    p99: Number | None = Field(description="99th percentile.", examples=[None])
    reason: str | None = Field(
        description="Why percentiles are null although there are enough values: failed requests reach into them. Null "
        "if none is for this reason.",
        examples=["6.0% of the attempted requests failed, and a failed request counts as infinitely slow: P95 …"],
    )


class FailureAdjusted(BaseModel):
    """Percentiles in which each failed request counts as infinitely slow, so that failing fast improves nothing."""

    failed: int = Field(description="Measured requests that failed.", examples=[7])
    ttft_ms: AdjustedPercentiles = Field(description="Of `ttft_ms`. Unit: ms.")
    latency_ms: AdjustedPercentiles = Field(description="Of `latency_ms`. Unit: ms.")
    effective_latency_ms: AdjustedPercentiles | None = Field(
        description="Of `effective_latency_ms`. Unit: ms. Null in a closed loop."
    )


class TurnStatistics(BaseModel):
    """The succeeded requests of one turn of the conversations."""

    ttft_ms: Distribution = Field(description="`ttft_ms` of this turn. Unit: ms.")
    latency_ms: Distribution = Field(description="`latency_ms` of this turn. Unit: ms.")
