"""The summary of a run."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.metric_fields import summary_fields, with_fields
from api.schemas.number import Number
from api.schemas.results import Distribution


class RequestCounts(BaseModel):
    """Requests by outcome. Outcomes count measured requests only."""

    planned: int | None = Field(
        description="All requests of the benchmark, warm-up included. Null when it was not known beforehand.",
        examples=[121],
    )
    warmup: int = Field(description="Warm-up requests that have a result.", examples=[1])
    succeeded: int = Field(description="Measured requests that succeeded.", examples=[118])
    errored: int = Field(description="Measured requests that an error ended.", examples=[1])
    timed_out: int = Field(description="Measured requests that met a deadline.", examples=[1])
    cancelled: int = Field(description="Measured requests that a cancel ended; no statistic has them.", examples=[0])
    truncated: int = Field(
        description="Measured requests whose stream ended without a finish reason or an end event.", examples=[0]
    )
    incomplete: int = Field(
        default=0,
        description="Measured requests that the end of their stage cut off; neither success nor error.",
        examples=[0],
    )
    dropped: int = Field(
        default=0,
        description="Measured requests that were never sent, because they could not be sent soon enough after they "
        "were due.",
        examples=[0],
    )


class SteadyWindow(BaseModel):
    """The part of a run without ramp-up and tail.

    It begins when the first `concurrency` requests have all ended, and ends at the first end after the last request was
    sent.
    """

    duration_s: Number = Field(description="Length of the window. Unit: s.", examples=[21.7])
    request_throughput: Number = Field(description="Requests that ended in it. Unit: requests/s.", examples=[4.6])
    output_token_throughput: Number | None = Field(
        description="Output tokens that arrived in it. Unit: tokens/s. Null when unknown.", examples=[220.3]
    )


class ConcurrencyOut(BaseModel):
    """How many requests were in flight at the same time."""

    requested: int = Field(description="What the benchmark asked for.", examples=[4])
    peak: int = Field(description="Most that were really in flight at once.", examples=[4])


class TokenTotals(BaseModel):
    """Tokens of all measured requests. Null if no request's usage reported them."""

    input_tokens: int | None = Field(
        description="Sum of `input_tokens`. Unit: tokens. Null when unknown.", examples=[2160]
    )
    total_input_tokens: int | None = Field(
        default=None, description="Sum of `total_input_tokens`. Unit: tokens. Null when unknown.", examples=[2160]
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
    cache_write_1h_tokens: int | None = Field(
        default=None, description="Sum of `cache_write_1h_tokens`. Unit: tokens. Null when unknown.", examples=[None]
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
        description="`measured_usd` divided by succeeded requests. Unit: USD. Null when unknown.", examples=[0.000061]
    )
    unpriced_requests: int = Field(
        description="Measured requests whose cost is unknown; the sums leave them out.", examples=[0]
    )
    provider_usd: float | None = Field(
        default=None,
        description="What the provider itself says the measured requests cost. Unit: USD. Null when it does not say.",
        examples=[None],
    )


class Finding(BaseModel):
    """An oddity of the provider's streams that was met in this run."""

    finding: str = Field(description="Its name: a flag of results.", examples=["keep_alive_data"])
    requests: int = Field(description="Measured requests that have it.", examples=[118])
    meaning: str = Field(description="What was seen.", examples=["Keep-alives were sent as data, not as comments"])
    effect: str = Field(
        description="What it does to the numbers.", examples=["None: they are neither tokens nor signs of life"]
    )


class ServedOut(BaseModel):
    """What the answers say they came from: measured requests by the provider's word."""

    models: dict[str, int] = Field(description="By `served_model`.", examples=[{"claude-3-haiku-20240307": 118}])
    service_tiers: dict[str, int] = Field(description="By `service_tier`.", examples=[{"standard": 118}])


class RequestRateOut(BaseModel):
    """The requests per second that were asked for, and those that were sent."""

    requested: float = Field(description="As submitted. Unit: requests/s.", examples=[5.0])
    achieved: Number | None = Field(
        description="Requests sent per second between the first and the last. Unit: requests/s. Null below two "
        "requests, and for an interrupted run.",
        examples=[4.98],
    )


class LoopLag(BaseModel):
    """How late the measuring loop woke, beyond its timer's resolution of 1 ms. Sampled every 10 ms while requests were
    in flight. Each sample weighs by the time that it covers, so a stall counts for as long as it lasted. P50 and P99
    are those of the process that was latest. Unit: ms.
    """

    p50: Number | None = Field(description="Unit: ms. Null when there was no sample.", examples=[0.0])
    p99: Number | None = Field(
        description="The loop was not later than this for 99 % of the time. Unit: ms. Null below 1 s (100 samples).",
        examples=[0.4],
    )
    max: Number | None = Field(description="Unit: ms. Null when there was no sample.", examples=[2.1])


class SendDelay(BaseModel):
    """From the moment when a request was due (and a slot free) to its first byte on the socket, without the time in
    which it made its own connection (`connect_ms`). Unit: ms.
    """

    p50: Number | None = Field(description="Unit: ms. Null when nothing was sent.", examples=[0.12])
    p99: Number | None = Field(description="Unit: ms. Null below 100 requests.", examples=[0.8])
    max: Number | None = Field(description="Unit: ms. Null when nothing was sent.", examples=[1.4])


class Calibrated(BaseModel):
    """Result of the host's calibration (`CALIBRATE_ON_START`); `GET /workers` has the details."""

    streams_within_1ms: int | None = Field(
        description="Concurrency up to which the P99 of the TTFT's error was below 1 ms. Null if one stream had more.",
        examples=[1024],
    )
    streams_within_5ms: int | None = Field(
        description="Concurrency up to which the P99 of the TTFT's error was below 5 ms. Null if one stream had more.",
        examples=[1024],
    )


class Measurement(BaseModel):
    """How far the measuring itself may have distorted the numbers."""

    grade: Literal["A", "B", "C", "D"] = Field(
        description="A: the client's own share of a TTFT is below 1 ms; B: below 5 ms; C: below 20 ms; D: it may be "
        "more. See docs/accuracy.md.",
        examples=["A"],
    )
    reasons: list[str] = Field(description="Why the grade is below A, in words.", examples=[[]])
    transport: Literal["socket", "sdk"] = Field(
        description="`socket`: the engine's own sockets. `sdk`: the official SDK's client, which is used through a "
        "proxy or if the endpoint says so.",
        examples=["socket"],
    )
    stamps: Literal["kernel", "selector"] = Field(
        description="Where times of arrival come from. `kernel`: the kernel noted them. `selector`: the process noted "
        "when it saw that a socket was readable.",
        examples=["kernel"],
    )
    processes: int = Field(description="Measuring processes that shared the load.", examples=[1])
    doubtful_requests: int = Field(
        description="Succeeded requests whose first token waited unread for more than 1 ms, together with later ones. "
        "It may have arrived that much earlier (flag `ttft_doubtful`).",
        examples=[0],
    )
    loop_lag_ms: LoopLag = Field(description="How late the measuring loop woke. Unit: ms.")
    send_delay_ms: SendDelay = Field(description="How late requests were sent. Unit: ms.")
    cpu_share: Number | None = Field(
        description="The largest share of a core that a measuring process used in any second. Null when unknown.",
        examples=[0.31],
    )
    calibrated: Calibrated | None = Field(
        default=None, description="Up to which load the worker's host measures exactly. Null if it was not calibrated."
    )


class PossibleDuplicates(BaseModel):
    """Requests that may have been sent and billed without a stored answer, and were sent again."""

    requests: int = Field(
        description="An upper bound over all interruptions and all connections that the server closed under a "
        "request. 0 if no worker died or was stopped at once, and no connection was renewed.",
        examples=[0],
    )
    cost_usd: float | None = Field(
        description="What they may have cost: each is priced like its stored answer. It is not part of `cost`. Unit: "
        "USD. Null when no such cost is known.",
        examples=[None],
    )
    unpriced_requests: int = Field(description="How many of them have an unknown cost.", examples=[0])


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
    duration_s: Number | None = Field(
        description="From the first request sent to the end of the last request, failed ones included. For an "
        "interrupted run, only the time in which a request was in flight. Unit: s. Null when nothing was sent.",
        examples=[26.4],
    )
    request_throughput: Number | None = Field(
        description="Succeeded requests divided by `duration_s`. Unit: requests/s. Null when nothing was sent.",
        examples=[4.5],
    )
    output_token_throughput: Number | None = Field(
        description="Output tokens divided by `duration_s`, for runs of any size. Unit: tokens/s. Null when no output "
        "tokens are known.",
        examples=[204.5],
    )
    steady_window: SteadyWindow | None = Field(
        description="Throughput without ramp-up and tail. Null when the run is too short to have a steady part."
    )
    concurrency: ConcurrencyOut = Field(description="Requested and observed concurrency.")
    request_rate: RequestRateOut | None = Field(
        default=None, description="Requested and achieved rate of an open loop. Null in a closed loop."
    )
    tokens: TokenTotals = Field(description="Token totals.")
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
        description="Whether another worker continued the run after the first one stopped or died.", examples=[False]
    )
