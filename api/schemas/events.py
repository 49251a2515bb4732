"""What webhooks send: the events and their headers."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.benchmarks import RunError
from api.schemas.summary import Summary
from shared.benchmark.status import Status


class EventProgress(BaseModel):
    """How far the benchmark has come."""

    done: int = Field(description="Requests that have a result, warm-up included.", examples=[121])
    total: int = Field(description="Requests of the plan, warm-up included.", examples=[121])
    errors: int = Field(description="Results that did not succeed.", examples=[1])
    cost_usd: float | None = Field(
        description="Cost so far. Unit: USD. Null while no cost is known, never 0 for unknown.", examples=[0.0073]
    )


class EventData(BaseModel):
    """The benchmark at the time of the event. Results are not in it: `results_url` has them."""

    id: int = Field(description="Id of the benchmark.", examples=[1])
    sequence: int = Field(description="Number of the event among those of the benchmark, from 1.", examples=[2])
    name: str = Field(description="As submitted.", examples=["Haiku Speed Test"])
    model: str = Field(description="As submitted.", examples=["claude-3-haiku-20240307"])
    provider: str = Field(description="Endpoint that the requests go to.", examples=["anthropic"])
    status: Status = Field(description="The status that the event reports.", examples=["completed"])
    created_at: datetime = Field(description="UTC instant of the submit.", examples=["2025-01-15T10:30:00Z"])
    started_at: datetime | None = Field(
        description="UTC instant of the first claim by a worker. Null if no worker has claimed it.",
        examples=["2025-01-15T10:30:00Z"],
    )
    completed_at: datetime | None = Field(
        description="UTC instant of the terminal status. Null before.", examples=["2025-01-15T10:30:02Z"]
    )
    interrupted: bool = Field(
        description="Whether another worker continued it after the first one stopped or died.", examples=[False]
    )
    progress: EventProgress = Field(description="How far it has come.")
    error: RunError | None = Field(description="Why it failed. Null when it did not.", examples=[None])
    summary: Summary | None = Field(
        description="The run in numbers. Null before it has ended, and if the event would be larger than 20 kB."
    )
    url: str = Field(
        description="URL of the benchmark. It begins with `PUBLIC_URL`.",
        examples=["https://bench.example.com/benchmarks/1"],
    )
    results_url: str = Field(
        description="URL of its results. It begins with `PUBLIC_URL`.",
        examples=["https://bench.example.com/benchmarks/1/results"],
    )


class BenchmarkEventOut(BaseModel):
    """The body of a benchmark's event."""

    type: Literal["benchmark.started", "benchmark.completed", "benchmark.failed", "benchmark.cancelled"] = Field(
        description="Type of the event.", examples=["benchmark.completed"]
    )
    timestamp: datetime = Field(description="UTC instant of the event.", examples=["2025-01-15T10:30:02Z"])
    data: EventData = Field(description="The benchmark.")


class TestEventData(BaseModel):
    """What a test event says."""

    sequence: int = Field(description="Always 1.", examples=[1])
    message: str = Field(
        description="A text for people.", examples=["This is a test. Your endpoint works if it answers 2xx."]
    )


class TestEventOut(BaseModel):
    """The body of a test event."""

    type: Literal["webhook.test"] = Field(description="Type of the event.", examples=["webhook.test"])
    timestamp: datetime = Field(description="UTC instant of the event.", examples=["2025-01-15T10:30:02Z"])
    data: TestEventData = Field(description="What it says.")
