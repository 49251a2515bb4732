"""Workers, and up to which load their hosts measure exactly."""

from datetime import datetime

from pydantic import BaseModel, Field


class CalibrationLevel(BaseModel):
    """Errors of the time to first token at one load, against an endpoint that logs when it sent each token."""

    concurrency: int = Field(description="Streams at the same time.", examples=[256])
    requests: int = Field(description="Requests compared.", examples=[768])
    event_throughput: int = Field(description="Content events per second during the run.", examples=[11_800])
    error_p50_ms: float = Field(description="Median error of the TTFT. Unit: ms.", examples=[0.003])
    error_p99_ms: float = Field(description="99th percentile of the TTFT's error. Unit: ms.", examples=[0.04])
    doubtful_requests: int = Field(description="Requests flagged `ttft_doubtful`.", examples=[0])
    grade: str = Field(description="The grade of a run with this load.", examples=["A"])


class Calibration(BaseModel):
    """Up to which load this host measures exactly, found by `CALIBRATE_ON_START` or `llmbench calibrate`."""

    measured_at: datetime = Field(description="UTC instant of the calibration.")
    streams_within_1ms: int | None = Field(
        description="Concurrency up to which the P99 of the TTFT's error is below 1 ms. Null if one stream has more.",
        examples=[1024],
    )
    streams_within_5ms: int | None = Field(
        description="Concurrency up to which the P99 of the TTFT's error is below 5 ms. Null if one stream has more.",
        examples=[1024],
    )
    levels: list[CalibrationLevel] = Field(description="Each load that was tried, the smallest first.")


class WorkerOut(BaseModel):
    """A worker process that has reported here."""

    id: str = Field(description="Unique for each start of a worker.", examples=["bench-1-3f0c2a7be911"])
    hostname: str = Field(description="Host that it runs on.", examples=["bench-1"])
    pid: int = Field(description="Its process id on that host.", examples=[17])
    version: str = Field(description="Version of the service that it runs.", examples=["0.1.0"])
    alive: bool = Field(description="Whether it has reported within `LEASE_S`. It reports three times in that time.")
    running: int = Field(description="Benchmarks that it was running when it last reported.", examples=[1])
    providers: list[str] = Field(description="Endpoints that it can use: it has their key, or they need none.")
    calibration: Calibration | None = Field(description="Its host's calibration. Null if it was not calibrated.")
    started_at: datetime = Field(description="UTC instant of its start.")
    heartbeat_at: datetime = Field(description="UTC instant of its last report.")


class WorkerList(BaseModel):
    """Workers of the last day."""

    items: list[WorkerOut] = Field(description="The newest first. Workers that were shut down are not listed.")
