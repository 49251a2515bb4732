"""The load of one phase as its caller writes it: what controls it, its caps, and when it ends. Parts of `load`."""

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from shared.benchmark.prompt import STRICT, to_tuple
from shared.text import refuse_unstorable

MAX_STREAMS = 1_024
MAX_RATE = 10_000
MAX_STAGE_REQUESTS = 1_000_000
MAX_DURATION_S = 7 * 86_400
MAX_POINTS = 10_000
DEFAULT_GRACE_S = 30.0
# An open loop without `max_concurrency` has room for the requests of this many seconds.
OPEN_LOOP_ROOM_S = 10

Streams = Annotated[int, Field(ge=1, le=MAX_STREAMS)]
Seconds = Annotated[float, Field(gt=0, le=MAX_DURATION_S)]
RatePoint = Annotated[
    tuple[Annotated[float, Field(ge=0, le=MAX_DURATION_S)], Annotated[float, Field(ge=0, le=MAX_RATE)]],
    BeforeValidator(to_tuple, json_schema_input_type=Annotated[list[float], Field(min_length=2, max_length=2)]),
]
StageName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(refuse_unstorable)
]
Arrival = Literal["constant", "poisson", "gamma"]

CONTROLS = ("concurrency", "request_rate", "rate_series", "burst")
# The fields that a phase without a control of its own takes, with the control, from another.
WITH_CONTROL = (*CONTROLS, "arrival", "burstiness", "max_concurrency", "think_time_s")
# Only these have a schedule that `arrival` spaces.
_RATES = ("request_rate", "rate_series")


def optional(**options: Any) -> Any:
    """A field that is None if it was not given, and then is left out wherever the spec is written."""
    return Field(default=None, exclude_if=lambda value: value is None, **options)


class RampSpec(BaseModel):
    """Goes from a first value to that of `concurrency` or `request_rate`, linearly in time."""

    model_config = ConfigDict(**STRICT, serialize_by_alias=True)

    start: float = Field(
        alias="from",
        ge=0,
        le=MAX_RATE,
        description="Value at the start: streams (a whole number from 1) or requests/s.",
        examples=[1],
    )
    over_s: Seconds = Field(description="How long it takes. Unit: s.", examples=[60])


class BurstSpec(BaseModel):
    """Requests that are due at the same moment, again and again."""

    model_config = STRICT

    requests: int = Field(ge=1, le=MAX_STAGE_REQUESTS, description="Requests of each burst.", examples=[100])
    every_s: Seconds = Field(description="From one burst to the next. Unit: s.", examples=[10])


class PhaseSpec(BaseModel):
    """The fields that every phase has. None means that it was not given."""

    model_config = STRICT

    concurrency: Streams | None = optional(
        description="Closed loop: requests in flight; when one ends, the next is sent. 1 to 1,024.", examples=[32]
    )
    first_wave: Literal["together", "spread"] | None = optional(
        description="How a closed loop starts: all streams at once (default), or one after another over "
        "`first_wave_s`. Only with `concurrency`.",
        examples=["spread"],
    )
    first_wave_s: Seconds | None = optional(
        description="How long a `spread` first wave takes. About the latency of a request keeps the streams apart. "
        "Unit: s.",
        examples=[5],
    )
    think_time_s: Annotated[float, Field(ge=0, le=3_600)] | None = optional(
        description="Closed loop: how long each stream waits after an answer before its next request. Unit: s.",
        examples=[0.5],
    )
    request_rate: Annotated[float, Field(gt=0, le=MAX_RATE)] | None = optional(
        description="Open loop: requests per second on a schedule made beforehand, however long answers take. "
        "At most 10,000.",
        examples=[20],
    )
    arrival: Arrival | None = optional(
        description="How `request_rate` or `rate_series` spaces requests: evenly (default), at random as independent "
        "users do (`poisson`), or with gaps from a gamma distribution, which `burstiness` describes.",
        examples=["poisson"],
    )
    burstiness: Annotated[float, Field(ge=0.01, le=1_000)] | None = optional(
        description="Shape of the gamma distribution: 1 is Poisson, below 1 is bursty, above 1 is more even. Only with "
        "`arrival: gamma`, which needs it.",
        examples=[0.5],
    )
    rate_series: (
        Annotated[
            tuple[RatePoint, ...],
            Field(min_length=1, max_length=MAX_POINTS, fail_fast=True),
            BeforeValidator(to_tuple),
        ]
        | None
    ) = optional(
        description="Open loop: a rate that changes with time, as `[s, requests/s]` points, linear between them. "
        "Times rise. The phase ends at the last point if neither `requests` nor `duration_s` is given; after the last "
        "point the rate stays. At most 10,000 points.",
        examples=[[[0, 5], [30, 50], [60, 5]]],
    )
    ramp: RampSpec | None = optional(
        description="From this value to `concurrency` or `request_rate`, by time.", examples=[{"from": 1, "over_s": 60}]
    )
    burst: BurstSpec | None = optional(
        description="Open loop: this many requests at the same moment, every so many seconds.",
        examples=[{"requests": 100, "every_s": 10}],
    )
    max_concurrency: Streams | None = optional(
        description="Open loop: the most requests in flight. If left out: the requests of "
        f"{OPEN_LOOP_ROOM_S} s, at most 1,024. A request that finds no room is sent late.",
        examples=[500],
    )
    max_prefill: Streams | None = optional(
        description="The most requests that wait for the first byte of their answer's body.", examples=[8]
    )
    drop_after_s: Annotated[float, Field(gt=0, le=3_600)] | None = optional(
        description="Open loop: a request that could not be sent so long after its due time is not sent and counts as "
        "`dropped`. Unit: s. If left out, it is sent late.",
        examples=[5],
    )
    requests: Annotated[int, Field(ge=1, le=MAX_STAGE_REQUESTS)] | None = optional(
        description="Ends after this many requests. With `duration_s`: after whichever comes first. If neither is "
        "given: prompts x repetitions.",
        examples=[1_000],
    )
    duration_s: Seconds | None = optional(
        description="Sends for this long. Unit: s. At most 7 days and 1,000,000 requests.", examples=[60]
    )
    grace_s: Annotated[float, Field(ge=0, le=86_400)] | None = optional(
        description="How long requests in flight may take after `duration_s`, or after `stop_on_error_rate` or "
        f"`stop_when_saturated` has ended the load: {DEFAULT_GRACE_S:g} if left out. Then they are cut off and count "
        "as `incomplete`, neither as errors nor as successes. Unit: s.",
        examples=[30],
    )
    stop_on_error_rate: Annotated[float, Field(gt=0, le=1)] | None = optional(
        description="Ends if this share of the requests that ended has failed, once as many as there are streams, and "
        "at least 10, have ended.",
        examples=[0.5],
    )
    stop_when_saturated: bool | None = optional(
        description="Open loop: ends if requests in flight and TTFT both keep growing significantly, 30 s after the "
        "start or the ramp at the earliest.",
        examples=[True],
    )

    @property
    def control(self) -> str | None:
        """The field that controls the load; None if none is given."""
        return next((name for name in CONTROLS if getattr(self, name) is not None), None)

    def given(self) -> set[str]:
        """The names of the fields that have a value."""
        return {name for name in PhaseSpec.model_fields if getattr(self, name) is not None}

    @model_validator(mode="after")
    def _at_most_one_control(self) -> "PhaseSpec":
        controls = [name for name in CONTROLS if getattr(self, name) is not None]
        if len(controls) > 1:
            raise ValueError(f"{controls[0]} and {controls[1]} exclude each other: a load has one control")
        return self

    @model_validator(mode="after")
    def _series_rises(self) -> "PhaseSpec":
        points = self.rate_series or ()
        if any(later[0] <= earlier[0] for earlier, later in pairwise(points)):
            raise ValueError("rate_series: the times of its points must rise")
        if points and max(rate for _, rate in points) == 0:
            raise ValueError("rate_series: one of the rates must be above 0")
        return self


def check_phase(phase: PhaseSpec, where: str = "") -> None:
    """Whether the fields of a phase with a control go together. Raises ValueError, which names the field.

    `where`: what comes before the names of the fields, such as `stages[1].`.
    """
    control, given = phase.control, phase.given()
    if control is None:
        raise ValueError(
            f"{where.removesuffix('.') or 'load'} has no control: give {', '.join(CONTROLS[:-1])} or {CONTROLS[-1]}"
        )
    closed = control == "concurrency"
    if closed:
        refuse(given, {"max_concurrency", "drop_after_s", "stop_when_saturated"}, where, "is for open loops")
    else:
        refuse(given, {"first_wave", "first_wave_s", "think_time_s"}, where, "goes only with concurrency")
    if control not in _RATES:
        refuse(given, {"arrival", "burstiness"}, where, "goes only with request_rate or rate_series")
    if control not in ("concurrency", "request_rate"):
        refuse(given, {"ramp"}, where, "goes only with concurrency or request_rate")
    if (phase.arrival == "gamma") != (phase.burstiness is not None):
        raise ValueError(f"{where}burstiness and arrival gamma belong together: give both or neither")
    if (phase.first_wave == "spread") != (phase.first_wave_s is not None):
        raise ValueError(f"{where}first_wave_s and first_wave spread belong together: give both or neither")
    if phase.ramp is not None and phase.first_wave == "spread":
        raise ValueError(f"{where}ramp and first_wave spread exclude each other: both say how the load starts")
    if phase.ramp is not None and closed and not (1 <= phase.ramp.start <= MAX_STREAMS and phase.ramp.start % 1 == 0):
        raise ValueError(f"{where}ramp.from must be a whole number of streams from 1 to {MAX_STREAMS:,}")
    if phase.grace_s is not None and not ends_early(phase):
        raise ValueError(f"{where}grace_s goes only with duration_s, stop_on_error_rate or stop_when_saturated")


def timed(phase: PhaseSpec) -> bool:
    """Whether the phase ends after a time: that of `duration_s`, or that of its rate series."""
    return phase.duration_s is not None or (phase.rate_series is not None and phase.requests is None)


def ends_early(phase: PhaseSpec) -> bool:
    """Whether the phase may end while requests are in flight, so that their time after it needs a limit."""
    return timed(phase) or phase.stop_on_error_rate is not None or bool(phase.stop_when_saturated)


def refuse(given: set[str], names: set[str], where: str, why: str) -> None:
    """Raises ValueError for the first of the names that is given."""
    if wrong := sorted(given & names):
        raise ValueError(f"{where}{wrong[0]} {why}")


class WarmupSpec(PhaseSpec):
    """Requests before the measured ones, as a phase of their own: stored and priced, but not in the statistics.

    Without a control of its own, it has that of its stage, without the ramp. It needs `requests` or `duration_s`.
    """

    @model_validator(mode="after")
    def _ends(self) -> "WarmupSpec":
        if self.requests is None and self.duration_s is None:
            raise ValueError("a warm-up needs requests or duration_s")
        return self


class StageSpec(PhaseSpec):
    """A measured part of the run, with its own load and statistics."""

    name: StageName | None = optional(
        description="What the stage is called in the statistics. 1 to 100 characters.", examples=["peak"]
    )
    warmup: WarmupSpec | None = optional(
        description="A phase before the measured one, with a load of its own.", examples=[{"requests": 10}]
    )
