"""The deadlines of one request. Part of a benchmark's spec."""

from pydantic import BaseModel, Field

from shared.benchmark.prompt import STRICT


class Timeouts(BaseModel):
    """Deadlines of one request, in seconds. A request that misses one is `timed_out`; each has its own error kind."""

    model_config = STRICT

    connect_s: float = Field(
        default=10, gt=0, le=600, description="DNS, TCP, a proxy's tunnel and TLS of a new connection. Unit: s."
    )
    ttft_s: float = Field(default=120, gt=0, le=3_600, description="Sent to first token. Unit: s.")
    idle_s: float = Field(
        default=60,
        gt=0,
        le=3_600,
        description="After the first token: between two events by which the answer goes on. Keep-alives, also comments "
        "and events without content, do not count. Unit: s.",
    )
    total_s: float = Field(default=600, gt=0, le=86_400, description="Sent to the end of the stream. Unit: s.")
