"""The part of a workload that sends a recorded trace again: `workload.trace`."""

from pydantic import BaseModel, Field, model_validator

from shared.benchmark.prompt import STRICT
from shared.benchmark.workload.dataset_spec import DatasetReference

MAX_SECONDS = 366 * 86_400


class TraceWindow(BaseModel):
    """A part of a trace, in seconds of the trace's own time. The trace begins at 0 with its first request."""

    model_config = STRICT

    from_s: float = Field(default=0, ge=0, le=MAX_SECONDS, description="Where it begins. Unit: s.", examples=[600])
    to_s: float | None = Field(
        default=None,
        gt=0,
        le=MAX_SECONDS,
        description="Where it ends; a request at this moment is not part of it. Unit: s. Null: the trace's end.",
        examples=[1200],
    )

    @model_validator(mode="after")
    def _not_empty(self) -> "TraceWindow":
        if self.to_s is not None and self.to_s <= self.from_s:
            raise ValueError("to_s must be above from_s")
        return self


class TraceSource(DatasetReference):
    """Which trace is sent, and how its times are changed: first `window`, then `spread`, `time_scale`, `max_gap_s`."""

    window: TraceWindow | None = Field(
        default=None, description="Only the requests of this part of the trace. Null: all."
    )
    spread: bool = Field(
        default=False,
        description="Distribute requests with the same stamp evenly over the time up to the next stamp, as far as "
        "`spread_step_s`. Mooncake's stamps stand on steps of 3 s: without it, all requests of a step come at once.",
        examples=[True],
    )
    spread_step_s: float = Field(
        default=3,
        gt=0,
        le=3_600,
        description="`spread`: the longest time over which one stamp's requests are distributed. Unit: s.",
        examples=[3],
    )
    time_scale: float = Field(
        default=1,
        gt=0,
        le=1_000,
        description="Factor of all times. 0.5 sends the trace twice as fast, 2 half as fast.",
        examples=[0.5],
    )
    max_gap_s: float | None = Field(
        default=None,
        gt=0,
        le=MAX_SECONDS,
        description="A longer time without a request is cut to this, after `time_scale`. Unit: s. Null: no limit.",
        examples=[10],
    )
