"""What webhooks send when a budget is reached."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from shared.budgets.cap_name import CapKind, Period


class EventBenchmark(BaseModel):
    """The benchmark whose requests the budget could not pay for."""

    id: int = Field(description="Id of the benchmark.", examples=[1])
    name: str = Field(description="As submitted.", examples=["Haiku Speed Test"])
    model: str = Field(description="As submitted.", examples=["claude-3-haiku-20240307"])
    provider: str = Field(description="Endpoint that its requests go to.", examples=["anthropic"])
    url: str = Field(
        description="URL of the benchmark. It begins with `PUBLIC_URL`.",
        examples=["https://bench.example.com/benchmarks/1"],
    )


class BudgetEventData(BaseModel):
    """The budget at the time of the event."""

    sequence: Literal[1] = Field(description="Always 1: a budget is reached once a day or month.", examples=[1])
    budget: str = Field(
        description="What was reached: `benchmark:ID`, or the day or month of a key or an owner.",
        examples=["owner:acme:month:2026-11"],
    )
    kind: CapKind = Field(description="Whose budget it is.", examples=["owner"])
    owner: str = Field(description="Owner of the benchmark, the key or the budget.", examples=["acme"])
    key_id: str | None = Field(description="Id of the key. Null: it is no key's budget.", examples=[None])
    period: Period | None = Field(description="Null: the budget of a benchmark.", examples=["month"])
    cap_usd: float = Field(description="The budget. Unit: USD.", examples=[50.0])
    spent_usd: float = Field(description="What was spent. Unit: USD.", examples=[49.75])
    reserved_usd: float = Field(
        description="What requests in flight may still cost, by their worst case. Unit: USD.", examples=[0.21]
    )
    resets_at: datetime | None = Field(
        description="UTC instant at which the next day or month begins. Null: the budget of a benchmark.",
        examples=["2026-12-01T00:00:00Z"],
    )
    benchmark: EventBenchmark = Field(description="The benchmark that it stopped.")


class BudgetEventOut(BaseModel):
    """The body of the event of a budget."""

    type: Literal["budget.reached"] = Field(description="Type of the event.", examples=["budget.reached"])
    timestamp: datetime = Field(description="UTC instant of the event.", examples=["2026-11-27T10:30:02Z"])
    data: BudgetEventData = Field(description="The budget.")
