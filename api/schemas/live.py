"""The numbers of a running benchmark as the API shows them."""

from pydantic import BaseModel, Field, JsonValue

from api.schemas.number import Number


class PercentilesSoFar(BaseModel):
    """A metric over the requests that have succeeded so far, in the metric's unit."""

    count: int = Field(description="How many values.", examples=[42])
    p50: Number | None = Field(description="Median. Null when there is no value.", examples=[142.5])
    p95: Number | None = Field(description="95th percentile. Null below 20 values.", examples=[240.7])


class StageNow(BaseModel):
    """The stage in progress."""

    number: int = Field(description="Its place in the run, from 0.", examples=[2])
    label: dict[str, JsonValue] = Field(
        description="What tells it from the other stages.", examples=[{"concurrency": 8}]
    )


class Recently(BaseModel):
    """The requests that ended in the last 10 s, or since the stage began; the newest 5,000 at most."""

    seconds: Number = Field(description="How long that is. Unit: s.", examples=[10])
    request_rate: Number = Field(description="Requests that ended in it. Unit: requests/s.", examples=[19.8])
    failed: int = Field(description="How many of them failed.", examples=[0])
    queue_ms: PercentilesSoFar = Field(
        description="How late they were sent: `queue_ms` of all of them. Above a few ms, the load is not the one that "
        "was asked for. Unit: ms."
    )
    ttft_ms: PercentilesSoFar = Field(description="Time to first token. Unit: ms.")
    latency_ms: PercentilesSoFar = Field(description="Latency. Unit: ms.")


class LiveMetrics(BaseModel):
    """The numbers so far of a running benchmark, at most about a second old."""

    ttft_ms: PercentilesSoFar = Field(description="Time to first token, in this stage so far. Unit: ms.")
    latency_ms: PercentilesSoFar = Field(description="Latency, in this stage so far. Unit: ms.")
    stage: StageNow | None = Field(
        default=None, description="The stage in progress. Null: the benchmark has no `load`.", examples=[None]
    )
    in_flight: int = Field(
        default=0,
        description="Requests in flight: sent and not ended, at most half a second ago.",
        examples=[8],
    )
    recent: Recently | None = Field(
        default=None, description="The last seconds. Null: a worker of an older version runs it."
    )
