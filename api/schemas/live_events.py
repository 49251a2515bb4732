"""The data of the events of `GET /benchmarks/{id}/events`."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.benchmarks import RunError
from shared.benchmark.status import Status


class StatusEvent(BaseModel):
    """The data of the event `status`: where the benchmark stands. Its fields are those of `GET /benchmarks/{id}`."""

    id: int = Field(description="Id of the benchmark.", examples=[1])
    status: Status = Field(description="Its status.", examples=["running"])
    created_at: datetime = Field(description="UTC instant of the submit.", examples=["2025-01-15T10:30:00Z"])
    started_at: datetime | None = Field(
        description="UTC instant of the first claim by a worker. Null while pending.", examples=["2025-01-15T10:30:00Z"]
    )
    completed_at: datetime | None = Field(
        description="UTC instant of the terminal status. Null before.", examples=[None]
    )
    cancel_requested_at: datetime | None = Field(
        description="UTC instant of the first cancel. Null when there was none.", examples=[None]
    )
    interrupted: bool = Field(description="Whether another worker continued it.", examples=[False])
    notices: list[str] = Field(description="Warnings, for example that no worker can run it at present.", examples=[[]])
    error: RunError | None = Field(description="Why it failed. Null when it did not.", examples=[None])


class EndEvent(BaseModel):
    """The data of the event `end`, the last one."""

    status: Status | None = Field(
        description="Its terminal status. Null: it was deleted meanwhile.", examples=["completed"]
    )
