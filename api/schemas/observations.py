"""What the server under test said about itself during a run."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.number import Number
from api.schemas.results import Distribution
from shared.observing.thinning import MAX_POINTS

FAILURES = (
    "Reads of a Prometheus endpoint that gave nothing, by reason: `unreachable`, `timed_out`, `http_error`, "
    "`too_large`, `unreadable`, or `no_known_series`."
)


class ObservedSeriesOut(BaseModel):
    """Statistics of one series, over its samples of one second each."""

    unit: str = Field(description="Unit of the values.", examples=["requests"])
    mean: Number = Field(description="Mean of the samples.", examples=[31.4])
    max: Number = Field(description="Highest sample.", examples=[64])
    end: Number = Field(description="Last sample.", examples=[2])
    samples: int = Field(description="Samples that have a value.", examples=[60])


class ObservedOut(BaseModel):
    """The server's own metrics while the requests ran: from the first one sent to the end of the last."""

    begin_at: datetime = Field(description="UTC instant of the first request.", examples=["2025-01-15T10:30:00Z"])
    end_at: datetime = Field(description="UTC instant of the end of the last.", examples=["2025-01-15T10:31:00Z"])
    samples: int = Field(description="Samples in this time, one a second.", examples=[60])
    failures: dict[str, int] = Field(description=FAILURES, examples=[{"timed_out": 1}])
    series: dict[str, ObservedSeriesOut] = Field(
        description="By name, as in `GET /benchmarks/{id}/observations`. A series that the server does not have is "
        "left out."
    )


class ProbeCounts(BaseModel):
    """Probes by outcome."""

    succeeded: int = Field(description="Answered.", examples=[58])
    failed: int = Field(description="Failed.", examples=[1])
    dropped: int = Field(description="Not sent, because the ones before them were still in flight.", examples=[0])


class ProbesOut(BaseModel):
    """Requests of one token that were sent beside the load (`probe_rate`). They count for nothing else."""

    requests: ProbeCounts = Field(description="How many were sent in this time, and how they ended.")
    ttft_ms: Distribution = Field(description="Time to first token of those that succeeded. Unit: ms.")
    cost_usd: str | None = Field(
        description="What they cost; no part of `cost`. Unit: USD. Null when no cost is known.", examples=["0.000058"]
    )
    unpriced_requests: int = Field(description="Probes of unknown cost.", examples=[0])


class ObservationQuery(BaseModel):
    """Which part of the run."""

    model_config = ConfigDict(extra="forbid")

    stage: int | None = Field(
        default=None,
        ge=0,
        description="Number of a stage: only the time in which its requests ran. While it runs, from its start, "
        "warm-up included. By default, the whole run.",
        examples=[0],
    )


class SeriesOut(BaseModel):
    """One series."""

    unit: str = Field(description="Unit of the values.", examples=["requests"])
    points: list[tuple[datetime, Number]] = Field(
        description=f"`[at, value]` in the order of time, `at` by the worker's clock. At most {MAX_POINTS:,}.",
        examples=[[("2025-01-15T10:30:00Z", 3), ("2025-01-15T10:30:01Z", 4)]],
    )


class ObservationsOut(BaseModel):
    """The server's own metrics over time."""

    samples: int = Field(description="Samples in this time, one a second.", examples=[60])
    failures: dict[str, int] = Field(description=FAILURES, examples=[{"timed_out": 1}])
    is_thinned: bool = Field(
        description="Whether points were left out. Of each stretch of time, the lowest and the highest value stay.",
        examples=[False],
    )
    series: dict[str, SeriesOut] = Field(
        description="By name: `running`, `waiting`, `kv_cache_usage`, `preemptions_per_second`, "
        "`prompt_tokens_per_second`, `generation_tokens_per_second`, `prefix_cache_queries_per_second`, "
        "`prefix_cache_hits_per_second`, `prefix_cache_hit_rate`, `power_w`, `gpu_usage`, `gpu_memory_mib`. A series "
        "that the server does not have is left out."
    )
