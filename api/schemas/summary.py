"""The summary of a run."""

from pydantic import BaseModel, Field

from api.schemas.conclusion import SearchOut, SweepOut
from api.schemas.measurement import Measurement
from api.schemas.metric_fields import summary_fields, with_fields
from api.schemas.number import Number
from api.schemas.observations import ObservedOut, ProbesOut
from api.schemas.results import Distribution
from api.schemas.summary_counts import (
    CostOut,
    Finding,
    PossibleDuplicates,
    RequestCounts,
    RunOverTime,
    ServedOut,
    SpendOut,
    TokenTotals,
)
from api.schemas.throughput import (
    ConcurrencyOut,
    FailureAdjusted,
    RequestRateOut,
    SloOut,
    SteadyWindow,
    TurnStatistics,
)


@with_fields(summary_fields(Distribution), after="flags")
class Summary(BaseModel):
    """A run in numbers."""

    requests: RequestCounts = Field(description="Requests by outcome.")
    error_kinds: dict[str, int] = Field(
        description="Measured requests that failed, by `error.kind`.", examples=[{"rate_limited": 1}]
    )
    flags: dict[str, int] = Field(description="Measured requests by flag.", examples=[{"buffered": 2}])
    finish_reasons: dict[str, int] | None = Field(
        default=None,
        description="Measured requests by `finish_reason`, the provider's word for why the model stopped. Null in old "
        "runs that did not count it.",
        examples=[{"end_turn": 117, "max_tokens": 1}],
    )
    conformance: list[Finding] | None = Field(
        default=None,
        description="Oddities of the provider's streams, the most frequent first, with their effect on the numbers. "
        "Null in old runs that did not count them.",
    )
    error_latency_ms: Distribution = Field(
        description="From sent to the end of the request, over failed requests. Unit: ms."
    )
    failure_adjusted: FailureAdjusted | None = Field(
        default=None,
        description="Percentiles in which a failed request counts as infinitely slow. Null in old runs that did not "
        "store them.",
    )
    turns: dict[str, TurnStatistics] | None = Field(
        default=None,
        description="TTFT and latency by turn of the conversation: `0`, `1`, `2` and `3+`. Null when no request was a "
        "later turn.",
    )
    duration_s: Number | None = Field(
        description="From the first request sent to the end of the last request, failed ones included. Of an "
        "interrupted run or stage, this time of each segment, added up. Unit: s. Null when nothing was sent.",
        examples=[26.4],
    )
    request_throughput: Number | None = Field(
        description="Succeeded requests divided by `duration_s`. Unit: requests/s. Null when nothing was sent.",
        examples=[4.5],
    )
    input_token_throughput: Number | None = Field(
        default=None,
        description="Input tokens of succeeded requests, cached ones included, divided by `duration_s`. Unit: "
        "tokens/s. Null when no input tokens are known.",
        examples=[81.8],
    )
    output_token_throughput: Number | None = Field(
        description="Output tokens divided by `duration_s`, for runs of any size. Unit: tokens/s. Null when no output "
        "tokens are known.",
        examples=[204.5],
    )
    total_token_throughput: Number | None = Field(
        default=None,
        description="Sum of input and output token throughput. Unit: tokens/s. Null when one of them is unknown.",
        examples=[286.3],
    )
    steady_window: SteadyWindow | None = Field(
        description="The numbers without ramp-up and tail. Null when the run is too short to have a steady part, for "
        "an interrupted run or stage, and for a run of several stages, each of which has its own."
    )
    slo: SloOut | None = Field(
        default=None, description="How many requests met all SLOs, and the goodput. Null without `slos`."
    )
    concurrency: ConcurrencyOut = Field(description="Requested and observed concurrency.")
    request_rate: RequestRateOut | None = Field(
        default=None, description="Requested and achieved rate of an open loop. Null in a closed loop."
    )
    tokens: TokenTotals = Field(description="Token totals.")
    tokens_reported: dict[str, int] | None = Field(
        default=None,
        description="How many measured requests reported each of `tokens`: a total divided by it is the mean of these "
        "requests. Null in old runs that did not count them.",
        examples=[{"input_tokens": 120, "output_tokens": 120}],
    )
    cached_share: Number | None = Field(
        default=None,
        description="Input tokens read from a prompt cache, divided by all input tokens. Above a few per cent, TTFT "
        "and latency are those of cache hits. Null when the provider says nothing about a cache.",
        examples=[0.0],
    )
    notices: list[str] = Field(
        default=[],
        description="Warnings about these numbers, for example that much of the input was read from a prompt cache.",
        examples=[[]],
    )
    served: ServedOut | None = Field(
        default=None, description="What the answers say they came from. Null in old runs that did not count it."
    )
    cost: CostOut = Field(description="Cost totals.")
    spend: SpendOut | None = Field(
        default=None,
        description="What the run has cost its budgets ([budgets](budgets.md)), probes and warm-up included. Null "
        "for a run that sent nothing or is older.",
    )
    search: SearchOut | SweepOut | None = Field(
        default=None,
        discriminator="kind",
        description="What a `search` or a `sweep` has found. Null without one, and of a single stage.",
    )
    observed: ObservedOut | None = Field(
        default=None,
        description="What the server under test said about itself in this time. Null when its endpoint has no "
        "`metrics_urls`, or nothing was observed.",
    )
    probes: ProbesOut | None = Field(
        default=None, description="The probes that were sent in this time. Null without `probe_rate`."
    )
    over_time: RunOverTime | None = Field(
        default=None,
        description="TTFT and failures over time, for a small chart. `GET /benchmarks/{id}/charts` has more. Null of a "
        "stage, when no time passed, and in old runs that did not store it.",
    )
    measurement: Measurement | None = Field(
        default=None,
        description="How far the measuring may have distorted the run. The grade is the worst of its `segments`, and D "
        "if a worker died before it told how late it was. Null when no measured request succeeded.",
    )
    possible_duplicates: PossibleDuplicates | None = Field(
        default=None,
        description="What crashes and renewed connections may have cost. Null in old runs that did not count it.",
    )
    interrupted: bool = Field(
        description="Whether another worker continued the run after the first one stopped or died. Of a stage: whether "
        "more than one worker has results of it.",
        examples=[False],
    )
