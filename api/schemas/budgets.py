"""Budgets of keys and owners."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.benchmark.budget_spec import BudgetUsd
from shared.budgets.cap_name import Holder, Period


class BudgetIn(BaseModel):
    """How much may be spent."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    cap_usd: BudgetUsd = Field(
        description="The most that may be spent in each of these days or months. Unit: USD, to a millionth.",
        examples=[50.0],
    )


class BudgetQuery(BaseModel):
    """Which page of budgets to read."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=100, ge=1, le=200, description="Budgets on a page.")


class BudgetOut(BaseModel):
    """A budget, and what this day or month has used of it. Days and months are those of UTC."""

    holder: Holder = Field(description="Whether it is the budget of a key or of an owner.", examples=["owner"])
    id: str = Field(description="Id of the key, or name of the owner.", examples=["acme"])
    period: Period = Field(description="What it holds for: each day or each month.", examples=["month"])
    owner: str = Field(description="The owner, or the owner of the key.", examples=["acme"])
    cap_usd: float = Field(description="The most that may be spent. Unit: USD.", examples=[50.0])
    spent_usd: float = Field(
        description="What was spent in this day or month; requests of unknown cost count with their worst case. "
        "Unit: USD.",
        examples=[12.25],
    )
    reserved_usd: float = Field(
        description="What requests that are about to be sent, or in flight, can cost at most. Unit: USD.",
        examples=[0.75],
    )
    left_usd: float = Field(
        description="What may still be reserved. 0 if the budget is below what was spent. Unit: USD.", examples=[37.0]
    )
    reached_at: datetime | None = Field(
        description="UTC instant at which it first could not pay for a request in this day or month. Null: it could.",
        examples=[None],
    )
    resets_at: datetime = Field(
        description="UTC instant at which the next day or month begins.", examples=["2026-12-01T00:00:00Z"]
    )
    created_at: datetime = Field(
        description="UTC instant at which it was first set.", examples=["2026-11-02T08:00:00Z"]
    )


class BudgetPage(BaseModel):
    """A page of budgets, those of keys before those of owners."""

    items: list[BudgetOut] = Field(description="The budgets of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=[None]
    )


class CapOut(BaseModel):
    """A budget that counts what a benchmark spends."""

    budget: str = Field(
        description="`benchmark`: its own. Else the day or month of its key or owner.",
        examples=["owner:acme:month:2026-11"],
    )
    cap_usd: float = Field(description="The most that may be spent. Unit: USD.", examples=[50.0])
    left_usd: float = Field(description="What may still be reserved of it. Unit: USD.", examples=[37.0])
    resets_at: datetime | None = Field(
        description="UTC instant at which the next day or month begins. Null: the benchmark's own.",
        examples=["2026-12-01T00:00:00Z"],
    )
