"""Stages of a benchmark as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, Field, JsonValue

from api.schemas.summary import Summary


class StageOut(BaseModel):
    """A measured part of a run with its own load and statistics."""

    number: int = Field(description="Its place in the run, from 0.", examples=[0])
    label: dict[str, JsonValue] = Field(
        description="What tells it from the other stages, such as its `name` or its `concurrency`.",
        examples=[{"concurrency": 8}],
    )
    started_at: datetime = Field(
        description="UTC instant at which its warm-up began, or its measured part if it has none. Of seamless stages "
        "that have ended, when the first of its requests was sent; while they run, when the first of them began.",
        examples=["2025-01-15T10:30:00Z"],
    )
    ended_at: datetime | None = Field(
        description="UTC instant at which its last request had ended. Null while it runs.",
        examples=["2025-01-15T10:31:02Z"],
    )
    ended_by: str | None = Field(
        description="What ended it: `requests` (all were sent), `workload` (it had no more), `duration`, `error_rate`, "
        "`saturated`, `cancelled`, `budget` (no money was left), or `failed` (the run broke). Null while it runs.",
        examples=["duration"],
    )
    summary: Summary | None = Field(description="The statistics of its requests alone. Null while it runs.")
