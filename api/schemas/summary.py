"""The summary of a run."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.metric_fields import summary_fields, with_fields
from api.schemas.results import Distribution


class RequestCounts(BaseModel):
    """Requests by outcome. Outcomes count measured requests only."""

    planned: int = Field(description="All requests of the plan, warm-up included.", examples=[121])
    warmup: int = Field(description="Warm-up requests that have a result.", examples=[1])
    succeeded: int = Field(description="Measured requests that succeeded.", examples=[118])
    errored: int = Field(description="Measured requests that an error ended.", examples=[1])
    timed_out: int = Field(description="Measured requests that met a deadline.", examples=[1])
    cancelled: int = Field(description="Measured requests that our cancel ended; in no statistic.", examples=[0])
    truncated: int = Field(description="Measured requests whose stream ended without terminal evidence.", examples=[0])


class SteadyWindow(BaseModel):
    """From the end of the first wave to the moment in-flight falls below target."""

    duration_s: float = Field(description="Length of the window. Unit: s.", examples=[21.7])
    request_throughput: float = Field(description="Requests that ended in it. Unit: requests/s.", examples=[4.6])
    output_token_throughput: float | None = Field(
        description="Output tokens that arrived in it. Unit: tokens/s. Null when unknown.", examples=[220.3]
    )


class ConcurrencyOut(BaseModel):
    """How many requests were in flight at the same time."""

    requested: int = Field(description="What the benchmark asked for.", examples=[4])
    peak: int = Field(description="Most that were really in flight at once.", examples=[4])


class TokenTotals(BaseModel):
    """Tokens of all measured requests. Null where no request's usage said."""

    input_tokens: int | None = Field(
        description="Sum of `input_tokens`. Unit: tokens. Null when unknown.", examples=[2160]
    )
    output_tokens: int | None = Field(
        description="Sum of `output_tokens`. Unit: tokens. Null when unknown.", examples=[5400]
    )
    reasoning_tokens: int | None = Field(
        description="Sum of `reasoning_tokens`. Unit: tokens. Null when unknown.", examples=[None]
    )
    cache_read_tokens: int | None = Field(
        description="Sum of `cache_read_tokens`. Unit: tokens. Null when unknown.", examples=[0]
    )
    cache_write_tokens: int | None = Field(
        description="Sum of `cache_write_tokens`. Unit: tokens. Null when unknown.", examples=[0]
    )


class CostOut(BaseModel):
    """What the run cost, from usage and the price stored with it."""

    total_usd: float | None = Field(
        description="Measured and warm-up requests. Unit: USD. Null when no cost is known, never 0.", examples=[0.0073]
    )
    measured_usd: float | None = Field(
        description="Measured requests alone. Unit: USD. Null when unknown.", examples=[0.0072]
    )
    warmup_usd: float | None = Field(
        description="Warm-up requests alone. Unit: USD. Null when unknown.", examples=[0.0001]
    )
    per_succeeded_usd: float | None = Field(
        description="`measured_usd` by succeeded requests. Unit: USD. Null when unknown.", examples=[0.000061]
    )
    unpriced_requests: int = Field(
        description="Measured requests whose cost is unknown and so not in the sums.", examples=[0]
    )


class RequestRateOut(BaseModel):
    """How many requests were sent per second, beside how many the schedule wanted."""

    requested: float = Field(description="As submitted. Unit: requests/s.", examples=[5.0])
    achieved: float | None = Field(
        description="Between the first sent and the last. Unit: requests/s. Null below two requests, and for an "
        "interrupted run.",
        examples=[4.98],
    )


class LoopLag(BaseModel):
    """How late the measuring loop woke, sampled every 10 ms, beyond its timer's resolution of 1 ms. Unit: ms."""

    p50: float | None = Field(description="Unit: ms. Null where nothing was sampled.", examples=[0.0])
    p99: float | None = Field(description="Unit: ms. Null below 100 samples.", examples=[0.4])
    max: float | None = Field(description="Unit: ms. Null where nothing was sampled.", examples=[2.1])


class SendDelay(BaseModel):
    """From the moment a request was due (its slot free) to its first byte on the socket. Unit: ms."""

    p50: float | None = Field(description="Unit: ms. Null where nothing was sent.", examples=[0.12])
    p99: float | None = Field(description="Unit: ms. Null below 100 requests.", examples=[0.8])
    max: float | None = Field(description="Unit: ms. Null where nothing was sent.", examples=[1.4])


class Calibrated(BaseModel):
    """Concurrency up to which the host's TTFTs were right in P99, by `CALIBRATE_ON_START`; `GET /workers` has all."""

    streams_within_1ms: int | None = Field(description="Null where one stream was not.", examples=[1024])
    streams_within_5ms: int | None = Field(description="Null where one stream was not.", examples=[1024])


class Measurement(BaseModel):
    """How far the measuring itself may have distorted the numbers."""

    grade: Literal["A", "B", "C", "D"] = Field(
        description="A: the client's own share of a TTFT is below 1 ms; B: below 5 ms; C: below 20 ms; D: not known to "
        "be below that. See docs/accuracy.md.",
        examples=["A"],
    )
    reasons: list[str] = Field(description="What made it less than A, in words.", examples=[[]])
    transport: Literal["socket", "sdk"] = Field(
        description="`socket`: the engine's own sockets. `sdk`: the official SDK's client, through a proxy or as set.",
        examples=["socket"],
    )
    stamps: Literal["kernel", "selector"] = Field(
        description="Who took the time of arrival: the kernel, or the process when it came to look.",
        examples=["kernel"],
    )
    processes: int = Field(description="Measuring processes that shared the load.", examples=[1])
    doubtful_requests: int = Field(
        description="Succeeded requests whose first token lay unread for more than 1 ms with later ones, so that it "
        "may have come earlier (flag `ttft_doubtful`).",
        examples=[0],
    )
    loop_lag_ms: LoopLag = Field(description="How late the measuring loop woke. Unit: ms.")
    send_delay_ms: SendDelay = Field(description="From due to sent. Unit: ms.")
    cpu_share: float | None = Field(
        description="CPU time of the busiest measuring process by its wall time.", examples=[0.31]
    )
    calibrated: Calibrated | None = Field(
        default=None, description="What the worker's host is known to measure right. Null where it was not calibrated."
    )


class PossibleDuplicates(BaseModel):
    """Requests that may have been sent, and billed, without their answer being stored: they were sent again."""

    requests: int = Field(
        description="At most so many, over all interruptions. 0 where no worker died or was stopped at once.",
        examples=[0],
    )
    cost_usd: float | None = Field(
        description="What they may have cost, each taken as what its stored answer cost; not part of `cost`. Unit: "
        "USD. Null when no such cost is known.",
        examples=[None],
    )
    unpriced_requests: int = Field(description="Those of them whose cost is unknown.", examples=[0])


@with_fields(summary_fields(Distribution), after="flags")
class Summary(BaseModel):
    """A run in numbers."""

    requests: RequestCounts = Field(description="Requests by outcome.")
    error_kinds: dict[str, int] = Field(
        description="Measured requests that failed, by `error.kind`.", examples=[{"rate_limited": 1}]
    )
    flags: dict[str, int] = Field(description="Measured requests by flag.", examples=[{"buffered": 2}])
    error_latency_ms: Distribution = Field(
        description="Sent to the end of the answer, over requests that failed and had an end. Unit: ms."
    )
    duration_s: float | None = Field(
        description="First request sent to last answer ended; of an interrupted run only the time in which something "
        "was in flight. Unit: s. Null when nothing was sent.",
        examples=[26.4],
    )
    request_throughput: float | None = Field(
        description="Succeeded requests by `duration_s`. Unit: requests/s. Null when nothing was sent.", examples=[4.5]
    )
    output_token_throughput: float | None = Field(
        description="Output tokens by `duration_s`. Unit: tokens/s. Null when usage or timelines are missing.",
        examples=[204.5],
    )
    steady_window: SteadyWindow | None = Field(
        description="Throughput without ramp-up and tail. Null when the run is too short to have a steady part."
    )
    concurrency: ConcurrencyOut = Field(description="Requested and observed concurrency.")
    request_rate: RequestRateOut | None = Field(default=None, description="Of an open loop. Null in a closed one.")
    tokens: TokenTotals = Field(description="Token totals.")
    cost: CostOut = Field(description="Cost totals.")
    measurement: Measurement | None = Field(
        default=None,
        description="Of the part that was measured last; `segments` has all. Null where nothing was sent.",
    )
    possible_duplicates: PossibleDuplicates | None = Field(
        default=None, description="What crashes may have cost. Null in runs of before it was counted."
    )
    interrupted: bool = Field(description="The run was resumed after its worker was gone.", examples=[False])
