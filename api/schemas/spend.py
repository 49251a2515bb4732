"""What was spent: sums of the ledger."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.schemas.day import Day
from shared.db.money.spend_pages import SpendBy


class SpendQuery(BaseModel):
    """Which sums, of which days."""

    model_config = ConfigDict(extra="forbid", validate_by_name=False)

    by: SpendBy = Field(
        default="model",
        description="What each item adds up: a `key`, a `model` at an endpoint, a `day`, an `owner` or a `benchmark`.",
    )
    first: Day | None = Field(
        default=None, alias="from", description="First day, in UTC. By default the first day of this month."
    )
    last: Day | None = Field(default=None, alias="to", description="Last day, in UTC. By default today.")
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page; only with `by=benchmark`."
    )
    limit: int = Field(default=100, ge=1, le=1_000, description="The most items.")

    @model_validator(mode="after")
    def _in_order(self) -> "SpendQuery":
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError("`from` must not be after `to`")
        return self


class SpentOut(BaseModel):
    """A sum of the ledger."""

    spent_usd: float = Field(
        description="What was spent. Known costs are rounded up to a millionth; requests of unknown cost count with "
        "their worst case. Unit: USD.",
        examples=[12.25],
    )
    worst_case_usd: float = Field(
        description="How much of `spent_usd` is the worst case of requests whose cost is not known. Unit: USD.",
        examples=[0.5],
    )
    requests: int = Field(description="Requests that count in it, warm-up included.", examples=[48210])
    unpriced_requests: int = Field(
        description="Requests of models without a known price. They are not in `spent_usd`.", examples=[0]
    )
    benchmarks: int = Field(description="Benchmarks that sent them.", examples=[31])


class SpendItem(SpentOut):
    """What one key, model, day, owner or benchmark spent. Fields that do not belong to `by` are null."""

    owner: str | None = Field(default=None, description="The owner.", examples=["acme"])
    key_id: str | None = Field(
        default=None, description="Id of the key. Null by `key`: no key was needed.", examples=["ab12cd34"]
    )
    name: str | None = Field(
        default=None,
        description="Name of the key or of the benchmark. Null if it was deleted.",
        examples=["nightly"],
    )
    model: str | None = Field(default=None, description="The model.", examples=["claude-3-haiku-20240307"])
    provider: str | None = Field(default=None, description="The endpoint.", examples=["anthropic"])
    day: date | None = Field(default=None, description="The day, in UTC.", examples=["2026-11-27"])
    benchmark_id: int | None = Field(default=None, description="Id of the benchmark.", examples=[1])


class SpendReport(BaseModel):
    """What was spent in these days."""

    model_config = ConfigDict(populate_by_name=True)

    by: SpendBy = Field(description="What each item adds up.", examples=["model"])
    first: date = Field(alias="from", description="First day, in UTC.", examples=["2026-11-01"])
    last: date = Field(alias="to", description="Last day, in UTC.", examples=["2026-11-27"])
    total: SpentOut = Field(description="The sum over all items, those of other pages too.")
    items: list[SpendItem] = Field(
        description="The largest sums first; days and benchmarks, newest first. At most `limit`."
    )
    has_more: bool = Field(description="Whether there are more items than these.", examples=[False])
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next benchmarks. Null on the last page, and unless `by` is `benchmark`.",
        examples=[None],
    )
