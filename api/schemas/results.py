"""The result of one request, and the distribution of a metric over many."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.metric_fields import defined, result_fields, with_fields
from api.schemas.number import Number
from shared.benchmark.results.flags import FLAGS
from shared.benchmark.results.outcome import Outcome
from shared.numbers.percentiles import MIN_COUNT


class RequestErrorOut(BaseModel):
    """Why a request did not succeed. Keys are removed from the text, and its length is limited."""

    kind: str = Field(
        description="Kind of error, for programs: `rate_limited`, `ttft_timeout`, `truncated`, …; it never changes.",
        examples=["rate_limited"],
    )
    message: str = Field(
        description="The error in the provider's words or in ours.", examples=["Number of requests exceeded"]
    )
    http_status: int | None = Field(description="Status of an error answer. Null when there was none.", examples=[429])
    provider_code: str | None = Field(
        description="The provider's own error code or type. Null when it gave none.", examples=["rate_limit_error"]
    )
    phase: Literal["connect", "before_first_token", "mid_stream"] = Field(
        description="How far the request got.", examples=["before_first_token"]
    )
    retry_after_s: float | None = Field(
        description="How long the provider asked to wait. Unit: s. Null when it did not ask.", examples=[12.0]
    )


class TimelineEventOut(BaseModel):
    """One event of a response."""

    offset_ms: float = Field(description="Arrival. Unit: ms since the request was sent.", examples=[142.5])
    kind: str = Field(
        description="`first_byte`, `content`, `reasoning`, `tool`, `usage`, `finish`, `ping`, `error`, `done`, `end` "
        "or `other`.",
        examples=["content"],
    )
    size: int = Field(
        description="Text that the event carried. Unit: bytes of UTF-8. Of `usage`: output tokens so far, or 0.",
        examples=[6],
    )


@with_fields(result_fields(), after="response")
class ResultOut(BaseModel):
    """One request of a benchmark."""

    id: int = Field(description="Id of the result.", examples=[1])
    prompt: str = Field(
        description="The prompt's text: its last user turn, at most 4,000 characters of it. That of a `workload` is "
        "made again from the seed or the dataset; empty if that is not possible any more.",
        examples=["Say hello in exactly 3 words"],
    )
    response: str | None = Field(
        description="Visible text of the answer; partial if the answer broke off. Null when there was none.",
        examples=["Hello there, friend!"],
    )
    error: RequestErrorOut | None = Field(description="Why it did not succeed. Null when it did.", examples=[None])
    outcome: Outcome = defined("outcome", "succeeded")
    prompt_index: int = Field(description="Place of the prompt in `prompts`, from 0.", examples=[0])
    repetition: int = Field(
        description="0 for the first time a prompt is sent, then 1, 2, …; negative for warm-up.", examples=[0]
    )
    stage: int | None = Field(
        default=None, description="Number of its stage. Null: the benchmark has no `load`.", examples=[None]
    )
    turn: int | None = Field(
        default=None,
        description="Which turn of its conversation it is, from 0. Null: the workload has no conversations.",
        examples=[None],
    )
    warmup: bool = Field(
        description="Whether it was sent before the measured requests. Statistics leave such requests out.",
        examples=[False],
    )
    scheduled_at: datetime = defined("scheduled_at", "2025-01-15T10:30:00.000000Z")
    sent_at: datetime = defined("sent_at", "2025-01-15T10:30:00.001200Z")
    ended_at: datetime | None = defined("ended_at", "2025-01-15T10:30:00.825200Z")
    connection_reused: bool = defined("connection_reused", False)
    token_source: str | None = defined("token_source", "usage")
    served_model: str | None = defined("served_model", "claude-3-haiku-20240307")
    service_tier: str | None = defined("service_tier", "standard")
    system_fingerprint: str | None = defined("system_fingerprint", None)
    finish_reason: str | None = Field(
        description="Why the model stopped, in the provider's word. Null when it did not say.", examples=["end_turn"]
    )
    reasoning: str | None = Field(
        description="Text of the model's reasoning. Null when it showed none.", examples=[None]
    )
    flags: list[str] = Field(
        description=f"What is unusual about the answer: {', '.join(f'`{name}`' for name in sorted(FLAGS))}.",
        examples=[[]],
    )
    provider_request_id: str | None = Field(
        description="The provider's id of the request. Its support asks for it. Null when it gave none.",
        examples=["req_011C"],
    )
    prompt_cut: bool = Field(
        default=False,
        description="Whether the prompt's text is longer than `prompt`. `GET /benchmarks/{id}/prompts` has all of it. "
        "Also true if `prompt` is empty because making so many of them again would take too long.",
        examples=[False],
    )
    timeline: list[TimelineEventOut] | None = Field(
        default=None,
        description="Every event, with `include=timeline`. Null when not asked for or not stored: they are stored for "
        "runs of up to `TIMELINE_MAX_REQUESTS` requests, and for as many first results of a run whose number of "
        "requests is not known.",
    )


class ResultPage(BaseModel):
    """A page of results."""

    items: list[ResultOut] = Field(description="The results of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one. A page ends before it exceeds 8 MB.",
        examples=["WzE0Mi41LDFd"],
    )


class Distribution(BaseModel):
    """The distribution of a metric, in the metric's unit. A percentile is null if there are too few values for it."""

    count: int = Field(description="How many values.", examples=[120])
    min: Number | None = Field(description="Smallest value. Null when there is none.", examples=[98.1])
    max: Number | None = Field(description="Largest value. Null when there is none.", examples=[402.9])
    mean: Number | None = Field(description="Arithmetic mean. Null when there is no value.", examples=[151.2])
    stdev: Number | None = Field(
        description="Standard deviation of the sample (n - 1). Null below 2 values.", examples=[38.4]
    )
    p50: Number | None = Field(
        description="Median, by linear interpolation (type 7). Null when there is no value.", examples=[142.5]
    )
    p90: Number | None = Field(description=f"90th percentile. Null below {MIN_COUNT[90]} values.", examples=[201.0])
    p95: Number | None = Field(description=f"95th percentile. Null below {MIN_COUNT[95]} values.", examples=[240.7])
    p99: Number | None = Field(description=f"99th percentile. Null below {MIN_COUNT[99]} values.", examples=[371.3])
    p50_ci95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of p50, from order statistics. Null below 6 independent values, and when "
        "it is not known how the values depend on each other.",
        examples=[(136.0, 149.1)],
    )
    p95_ci95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of p95. Null below 72 independent values.", examples=[(214.2, 301.5)]
    )
    p99_ci95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of p99. Null below 368 independent values.", examples=[None]
    )
    interval_basis: Literal["requests", "prompts"] | None = Field(
        default=None,
        description="What the intervals take for independent. `requests`: each value. `prompts`: a prompt was sent "
        "more than once, so there are as many independent values as prompts. Null when neither is possible, as for "
        "the gaps within streams, and in summaries that were stored before it existed.",
        examples=["requests"],
    )
    relative_error: float = Field(
        default=0.0,
        description="Largest relative error of the percentiles: 0 (exact) up to 5,000 values, 0.005 (0.5 %) above.",
        examples=[0.0],
    )
