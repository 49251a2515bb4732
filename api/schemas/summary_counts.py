"""The parts of a summary that count: requests, tokens, cost, findings."""

from pydantic import BaseModel, Field

from api.schemas.number import Number
from shared.benchmark.results.costs import PER_SUCCEEDED


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
        description="Measured requests that were in flight at the end of `grace_s` and were cut off; neither errors "
        "nor successes.",
        examples=[0],
    )
    dropped: int = Field(
        default=0,
        description="Measured requests that were never sent, because they were `drop_after_s` late or still waited "
        "when the load ended; neither errors nor successes.",
        examples=[0],
    )


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
    per_estimate: float | None = Field(
        default=None,
        description="Input tokens that the provider counted for each one that the workload's tokenizer counts, warm-up "
        "included. Pass it as `workload.token_factor` to get texts that are as long as the provider counts them. Null "
        "if the lengths of the texts were not given, and below 3 results.",
        examples=[1.08],
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
        description=f"{PER_SUCCEEDED}. Unit: USD. Null when unknown. Where `priced_succeeded` is null, an older "
        "version divided `measured_usd` by all requests that succeeded: too low if some of these have an unknown cost.",
        examples=[0.000061],
    )
    priced_succeeded: int | None = Field(
        default=None,
        description="Succeeded requests of known cost, by whose number `per_succeeded_usd` is divided. Null in old "
        "runs that did not count them.",
        examples=[118],
    )
    unpriced_requests: int = Field(
        description="Measured requests whose cost is unknown, failed ones included; all other numbers leave them out.",
        examples=[0],
    )
    unpriced_warmup: int | None = Field(
        default=None,
        description="Warm-up requests whose cost is unknown; the sums leave them out. Null in old runs that did not "
        "count them.",
        examples=[0],
    )
    provider_usd: float | None = Field(
        default=None,
        description="What the provider itself says the measured requests cost. Unit: USD. Null when it does not say.",
        examples=[None],
    )


class SpendOut(BaseModel):
    """What the run has cost its budgets: what was spent for certain, and the worst case of the rest."""

    spent_usd: float = Field(
        description="What it spent, each request rounded up to a millionth. Unit: USD.", examples=[0.0075]
    )
    worst_case_usd: float = Field(
        description="How much of `spent_usd` is the worst case of requests whose cost nobody knows: cut off in "
        "mid-stream, lost with a worker, sent twice over a closed connection. Unit: USD.",
        examples=[0.0002],
    )
    requests: int = Field(description="Requests that were sent, or may have been.", examples=[121])
    unpriced_requests: int = Field(description="How many of them have no price and count nothing.", examples=[0])


class Finding(BaseModel):
    """An oddity of the provider's streams that was met in this run."""

    finding: str = Field(description="Its name: a flag of results.", examples=["keep_alive_data"])
    requests: int = Field(description="Measured requests that have it.", examples=[118])
    meaning: str = Field(description="What was seen.", examples=["Keep-alives were sent as data, not as comments"])
    effect: str = Field(
        description="What it does to the numbers.", examples=["None: they are neither tokens nor signs of life"]
    )


class RunOverTime(BaseModel):
    """The run in at most 40 equal steps of time."""

    step_s: Number = Field(description="Length of a step. Unit: s.", examples=[0.66])
    ttft_ms: list[Number | None] = Field(
        description="Median TTFT of the succeeded requests that were sent in each step, of a sample of 5,000 if there "
        "are more. Null where none was sent. Unit: ms.",
        examples=[[131.0, 142.5, None]],
    )
    failed: list[int] = Field(description="Failed requests that ended in each step.", examples=[[0, 1, 0]])


class ServedOut(BaseModel):
    """What the answers say they came from: measured requests by the provider's word."""

    models: dict[str, int] = Field(description="By `served_model`.", examples=[{"claude-3-haiku-20240307": 118}])
    service_tiers: dict[str, int] = Field(description="By `service_tier`.", examples=[{"standard": 118}])


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
