"""How far the measuring itself may have distorted the numbers: a part of summaries and segments."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.number import Number


class LoopLag(BaseModel):
    """How late the measuring loop woke, beyond its timer's resolution of 1 ms. Sampled every 10 ms while requests were
    in flight. Each sample weighs by the time that it covers, so a stall counts for as long as it lasted. P50 and P99
    are those of the process that was latest. Unit: ms.
    """

    p50: Number | None = Field(description="Unit: ms. Null when there was no sample.", examples=[0.0])
    p99: Number | None = Field(
        description="The loop was not later than this for 99 % of the time. Unit: ms. Null below 1 s (100 samples).",
        examples=[0.4],
    )
    max: Number | None = Field(description="Unit: ms. Null when there was no sample.", examples=[2.1])


class SendDelay(BaseModel):
    """From the moment when a request was due (and a slot free) to its first byte on the socket, without the time in
    which it made its own connection (`connect_ms`). Unit: ms.
    """

    p50: Number | None = Field(description="Unit: ms. Null when nothing was sent.", examples=[0.12])
    p99: Number | None = Field(description="Unit: ms. Null below 100 requests.", examples=[0.8])
    max: Number | None = Field(description="Unit: ms. Null when nothing was sent.", examples=[1.4])


class Calibrated(BaseModel):
    """Result of the host's calibration (`CALIBRATE_ON_START`); `GET /workers` has the details."""

    streams_within_1ms: int | None = Field(
        description="Concurrency up to which the P99 of the TTFT's error was below 1 ms. Null if one stream had more.",
        examples=[1024],
    )
    streams_within_5ms: int | None = Field(
        description="Concurrency up to which the P99 of the TTFT's error was below 5 ms. Null if one stream had more.",
        examples=[1024],
    )


class Measurement(BaseModel):
    """How far the measuring itself may have distorted the numbers."""

    grade: Literal["A", "B", "C", "D"] = Field(
        description="A: the client's own share of a TTFT is below 1 ms; B: below 5 ms; C: below 20 ms; D: it may be "
        "more. See docs/accuracy.md.",
        examples=["A"],
    )
    reasons: list[str] = Field(description="Why the grade is below A, in words.", examples=[[]])
    transport: Literal["socket", "sdk"] = Field(
        description="`socket`: the engine's own sockets. `sdk`: the official SDK's client, which is used through a "
        "proxy or if the endpoint says so.",
        examples=["socket"],
    )
    stamps: Literal["kernel", "selector"] = Field(
        description="Where times of arrival come from. `kernel`: the kernel noted them. `selector`: the process noted "
        "when it saw that a socket was readable.",
        examples=["kernel"],
    )
    processes: int = Field(description="Measuring processes that shared the load.", examples=[1])
    doubtful_requests: int = Field(
        description="Succeeded requests whose first token waited unread for more than 1 ms, together with later ones. "
        "It may have arrived that much earlier (flag `ttft_doubtful`).",
        examples=[0],
    )
    loop_lag_ms: LoopLag = Field(description="How late the measuring loop woke. Unit: ms.")
    send_delay_ms: SendDelay = Field(description="How late requests were sent. Unit: ms.")
    cpu_share: Number | None = Field(
        description="The largest share of a core that a measuring process used in any second. Null when unknown.",
        examples=[0.31],
    )
    calibrated: Calibrated | None = Field(
        default=None, description="Up to which load the worker's host measures exactly. Null if it was not calibrated."
    )
