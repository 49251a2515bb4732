"""Workers, and what their hosts can measure."""

from datetime import datetime

from pydantic import BaseModel, Field


class CalibrationLevel(BaseModel):
    """Errors of the time to first token at one load, against an endpoint that logs when it sent each token."""

    concurrency: int = Field(description="Streams at the same time.", examples=[256])
    requests: int = Field(description="Requests compared.", examples=[768])
    event_throughput: int = Field(description="Content events per second meanwhile.", examples=[11_800])
    error_p50_ms: float = Field(description="Unit: ms.", examples=[0.003])
    error_p99_ms: float = Field(description="Unit: ms.", examples=[0.04])
    doubtful_requests: int = Field(description="Requests flagged `ttft_doubtful`.", examples=[0])
    grade: str = Field(description="The grade that such a run gets.", examples=["A"])


class Calibration(BaseModel):
    """Up to which load this host measures right, found by `CALIBRATE_ON_START` or `llmbench calibrate`."""

    measured_at: datetime = Field(description="UTC instant at which it was found.")
    streams_within_1ms: int | None = Field(
        description="Concurrency up to which the P99 of the TTFT's error is below 1 ms. Null where one stream is not.",
        examples=[1024],
    )
    streams_within_5ms: int | None = Field(description="The same for 5 ms.", examples=[1024])
    levels: list[CalibrationLevel] = Field(description="Each load that was tried, rising.")


class WorkerOut(BaseModel):
    """A worker process that has reported here."""

    id: str = Field(description="Unique for each start of a worker.", examples=["bench-1-3f0c2a7be911"])
    hostname: str = Field(description="Where it runs.", examples=["bench-1"])
    pid: int = Field(description="Its process id there.", examples=[17])
    version: str = Field(description="Version of the service that it runs.", examples=["0.1.0"])
    alive: bool = Field(description="It has reported within `LEASE_S`; it reports every third of that.")
    running: int = Field(description="Benchmarks that it ran when it last reported.", examples=[1])
    providers: list[str] = Field(description="Endpoints that it could use: they need no key, or it holds it.")
    calibration: Calibration | None = Field(description="Null where it was not asked to find out.")
    started_at: datetime = Field(description="UTC instant of its start.")
    heartbeat_at: datetime = Field(description="UTC instant of its last report.")


class WorkerList(BaseModel):
    """Workers of the last day."""

    items: list[WorkerOut] = Field(description="The newest first. One that ended in good order is not listed.")
