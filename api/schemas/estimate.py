"""What a benchmark will send, take and cost, as far as that is known before it starts."""

from pydantic import BaseModel, Field

from api.schemas.budgets import CapOut
from api.schemas.number import Number


class DurationRange(BaseModel):
    """Bounds of the duration."""

    low: Number | None = Field(
        description="At least. Unit: s. Null: not known, because it depends on how fast the endpoint answers.",
        examples=[59.8],
    )
    high: Number | None = Field(
        description="At most, if each request takes until its deadlines (`timeouts`). Unit: s. Null: not known.",
        examples=[660.0],
    )


class TokenRange(BaseModel):
    """Bounds of the output tokens."""

    low: int = Field(
        description="At least: `min_tokens`, or `max_tokens` with `ignore_eos`, of `extra_body`; else 0. Unit: tokens.",
        examples=[0],
    )
    high: int = Field(description="At most: `max_tokens` of each request. Unit: tokens.", examples=[76800])


class CostRange(BaseModel):
    """Bounds of the cost, at today's prices of the standard service tier, without cache discounts."""

    low: float = Field(description="With the fewest output tokens. Unit: USD.", examples=[0.0012])
    high: float = Field(description="With the most output tokens. Unit: USD.", examples=[0.0972])


class EstimateOut(BaseModel):
    """An estimate from the spec alone, warm-up included. It reads no earlier results."""

    requests: int | None = Field(
        description="Requests that will be sent. Null: a duration or results decide.", examples=[300]
    )
    warmup_requests: int | None = Field(description="How many of them are warm-up. Null: not known.", examples=[10])
    input_tokens: int | None = Field(
        description="Input tokens of all requests, an estimate without the chat template's. Unit: tokens. Null: not "
        "known.",
        examples=[4800],
    )
    output_tokens: TokenRange | None = Field(
        description="Output tokens of all requests. Unit: tokens. Null: not known."
    )
    duration_s: DurationRange | None = Field(description="How long it takes. Unit: s. Null: not known.")
    cost_usd: CostRange | None = Field(
        description="What it costs. Unit: USD. Null: the model has no known price, or tokens are not known."
    )
    worst_case_usd: float | None = Field(
        default=None,
        description="The most that it can cost: each token of input at the dearest price that may apply, and all the "
        "output that `max_tokens` allows. Budgets count this before requests are sent. Unit: USD. Null: the model has "
        "no known price, or the requests are not known.",
        examples=[0.43],
    )
    budgets: list[CapOut] = Field(
        default=[], description="Which budgets count what it spends. Empty: none does.", examples=[[]]
    )
    tokens_counted_by: str = Field(
        description="`bytes`: a token is taken for 4 bytes of text. `tokenizer`: a tokenizer counted them. Both are "
        "estimates.",
        examples=["bytes"],
    )
    notes: list[str] = Field(description="What else limits the estimate.", examples=[[]])


class DryRun(BaseModel):
    """What `POST /benchmarks` would do with this body. Nothing was stored."""

    provider: str = Field(description="Endpoint that the requests would go to.", examples=["anthropic"])
    notices: list[str] = Field(description="Warnings that the benchmark would have.", examples=[[]])
    estimate: EstimateOut = Field(description="What it would send, take and cost.")
