"""What `GET /benchmarks/{id}/charts` answers."""

from datetime import datetime

from pydantic import BaseModel, Field

from shared.benchmark.results.outcome import Outcome
from shared.benchmark.status import Status


class HistogramOut(BaseModel):
    """Counts of values between edges. A bin includes its lower edge; the last one includes both."""

    edges: list[float] = Field(
        description="Ascending, one more than `counts`. Empty without values.", examples=[[100, 120, 140]]
    )
    counts: list[int] = Field(description="Requests in each bin.", examples=[[37, 21]])


class ChartedDistribution(BaseModel):
    """A metric over the succeeded requests, in few numbers. Unit: ms."""

    count: int = Field(description="How many values.", examples=[58])
    quantiles: list[float] = Field(
        description="All values, ascending, if there are at most 512. Else 512 quantiles; the k-th, from 0, is that of "
        "the share (k + 0.5) / 512.",
        examples=[[112.4, 120.9, 131.0]],
    )
    tail: list[float] = Field(
        description="The highest values above the last quantile, ascending, at most 100. The last one is the maximum.",
        examples=[[]],
    )
    histogram: HistogramOut = Field(description="Bins of equal width, at most about 60.")
    log_histogram: HistogramOut = Field(description="Bins of equal ratio, for a logarithmic axis.")


class OverTimeOut(BaseModel):
    """What happened in equal steps of time, at most 400. All lists are equally long."""

    begins_at: datetime | None = Field(
        description="When the first request was sent, a UTC instant. Null without requests.",
        examples=["2026-11-25T10:30:00.123456Z"],
    )
    step_s: float = Field(description="Length of a step. Unit: s.", examples=[1.0])
    offset_s: list[float] = Field(
        description="Where each step begins, after `begins_at`. Unit: s.", examples=[[0, 1, 2]]
    )
    sent: list[int] = Field(description="Requests that were sent.", examples=[[8, 6, 0]])
    succeeded: list[int] = Field(description="Requests that succeeded, by the time of their end.", examples=[[0, 7, 6]])
    failed: list[int] = Field(description="Requests that failed, by the time of their end.", examples=[[0, 1, 0]])
    output_token_throughput: list[float | None] = Field(
        description="Output tokens of succeeded requests, spread evenly from the first to the last content of each. "
        "Null when no usage is known. Unit: tokens/s.",
        examples=[[120.0, 310.5, 80.0]],
    )
    ttft_p50_ms: list[float | None] = Field(
        description="Median TTFT of the requests that were sent in the step and succeeded. Null without any. Unit: ms.",
        examples=[[131.0, 142.5, None]],
    )
    ttft_p95_ms: list[float | None] = Field(
        description="Their 95th percentile. Null below 20. Unit: ms.", examples=[[None, None, None]]
    )
    latency_p50_ms: list[float | None] = Field(
        description="Their median latency. Unit: ms.", examples=[[805.0, 823.4, None]]
    )


class ChartedRequests(BaseModel):
    """At most 2,000 requests as columns, in the order in which they were sent. All lists are equally long."""

    of: int = Field(description="From how many measured requests they are.", examples=[58])
    sampled: bool = Field(
        description="`true`: not all are here. Failures come first, at most 1,000 of them if there are others; the "
        "rest is a random sample that stays the same.",
        examples=[False],
    )
    id: list[int] = Field(description="Id of the result.", examples=[[1, 2]])
    prompt_index: list[int] = Field(description="Place of the prompt, from 0.", examples=[[0, 1]])
    repetition: list[int] = Field(description="Which sending of the prompt it was, from 0.", examples=[[0, 0]])
    stage: list[int | None] = Field(description="Number of its stage. Null without a `load`.", examples=[[None, None]])
    outcome: list[Outcome] = Field(description="What became of it.", examples=[["succeeded", "errored"]])
    sent_s: list[float] = Field(
        description="When it was sent, after `over_time.begins_at`. Unit: s.", examples=[[0, 0.001]]
    )
    ended_s: list[float | None] = Field(
        description="When it was over. Null when an older version stored it. Unit: s.", examples=[[0.82, 0.31]]
    )
    queue_ms: list[float] = Field(description="As in its result. Unit: ms.", examples=[[0.2, 0.3]])
    connect_ms: list[float | None] = Field(description="As in its result. Unit: ms.", examples=[[31.7, None]])
    ttft_ms: list[float | None] = Field(description="As in its result. Unit: ms.", examples=[[142.5, None]])
    latency_ms: list[float | None] = Field(description="As in its result. Unit: ms.", examples=[[823.4, None]])
    stream_close_ms: list[float | None] = Field(description="As in its result. Unit: ms.", examples=[[824.0, None]])
    input_tokens: list[int | None] = Field(
        description="All input tokens: `total_input_tokens`, or `input_tokens` where that is unknown.",
        examples=[[18, None]],
    )
    output_tokens: list[int | None] = Field(description="Its output tokens, as in its result.", examples=[[5, None]])


class FitLine(BaseModel):
    """Points of the fitted line with its 95 % confidence interval, from the fewest to the most tokens."""

    tokens: list[float] = Field(description="Numbers of tokens.", examples=[[10, 100]])
    ms: list[float] = Field(description="The line. Unit: ms.", examples=[[120, 138]])
    low_ms: list[float] | None = Field(description="Lower end. Null without an interval. Unit: ms.", examples=[None])
    high_ms: list[float] | None = Field(description="Upper end. Unit: ms.", examples=[None])


class FitOut(BaseModel):
    """A straight line by least squares, over succeeded requests whose tokens are known."""

    slope: float = Field(description="Unit: ms per token.", examples=[0.2])
    intercept: float = Field(description="Unit: ms.", examples=[118.0])
    slope_interval: tuple[float, float] | None = Field(
        description="95 % confidence interval, from the jackknife over prompts. Null below 10 prompts, or when all but "
        "one have the same number of tokens. Unit: ms per token.",
        examples=[(0.15, 0.25)],
    )
    explained: float | None = Field(
        description="Share of the variance that the line explains (R²), 0 to 1. Null when all times are equal.",
        examples=[0.42],
    )
    n: int = Field(description="Requests.", examples=[58])
    prompts: int = Field(description="Different prompts among them.", examples=[20])
    line: FitLine = Field(description="The line as points.")


class FitsOut(BaseModel):
    """How times depend on tokens. Null when there are fewer than two different numbers of tokens."""

    ttft_by_input: FitOut | None = Field(description="TTFT by input tokens. Null without two numbers of tokens.")
    ttft_by_output: FitOut | None = Field(description="TTFT by output tokens. Null without two numbers of tokens.")
    latency_by_input: FitOut | None = Field(description="Latency by input tokens. Null without two numbers of tokens.")
    latency_by_output: FitOut | None = Field(
        description="Latency by output tokens. Null without two numbers of tokens."
    )


class ErrorExampleOut(BaseModel):
    """The first failed request of its kind."""

    result_id: int = Field(description="Id of the result.", examples=[7])
    prompt_index: int = Field(description="Place of the prompt, from 0.", examples=[6])
    message: str | None = Field(
        description="The error in the provider's words or in ours. Null when it has none.",
        examples=["Number of requests exceeded"],
    )
    http_status: int | None = Field(description="Status of an error answer. Null when there was none.", examples=[429])


class ChartedError(BaseModel):
    """Failed requests with the same kind of error."""

    kind: str = Field(description="As `error.kind` of results.", examples=["rate_limited"])
    count: int = Field(description="How many.", examples=[3])
    example: ErrorExampleOut | None = Field(description="One of them. Null when it was deleted meanwhile.")


class ChartsOut(BaseModel):
    """The data of all charts of a benchmark, over its measured requests."""

    benchmark_id: int = Field(description="Id of the benchmark.", examples=[1])
    status: Status = Field(description="Its status when the charts were read.", examples=["completed"])
    cut: bool = Field(
        description="`true`: only the newest 50,000 requests of a running benchmark, or the newest million of one that "
        "has ended.",
        examples=[False],
    )
    ttft_ms: ChartedDistribution = Field(description="Time to first token. Unit: ms.")
    latency_ms: ChartedDistribution = Field(description="Latency. Unit: ms.")
    tpot_ms: ChartedDistribution = Field(description="Time per output token. Unit: ms per token.")
    over_time: OverTimeOut = Field(description="Requests, tokens and times over time.")
    requests: ChartedRequests = Field(description="Single requests, for scatter plots and swim lanes.")
    fits: FitsOut = Field(description="Lines through times by tokens.")
    errors: list[ChartedError] = Field(description="Errors by kind, the most frequent first.")
