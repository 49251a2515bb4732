"""A sweep as its caller writes it: the loads that are measured one after another. `load.sweep` of a spec."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator

from shared.benchmark.prompt import STRICT, to_tuple

MAX_POINTS = 100
MAX_SWEEP_CONCURRENCY = 1_024
MAX_SWEEP_RATE = 10_000
DEFAULT_POINT_S = 30.0
# Fewer requests than streams would never be in flight together. This many waves at least are a load.
LEAST_WAVES = 2
# `from` is a keyword of Python. The aliases are what callers write and what is stored.
_WITH_ALIASES = ConfigDict(**STRICT, populate_by_name=True, serialize_by_alias=True)

Streams = Annotated[int, Field(ge=1, le=MAX_SWEEP_CONCURRENCY)]
Rate = Annotated[FiniteFloat, Field(gt=0, le=MAX_SWEEP_RATE)]


class ConcurrencySteps(BaseModel):
    """Concurrencies in geometric steps: `from`, `from` x `factor`, …, `to`."""

    model_config = _WITH_ALIASES

    first: Streams = Field(default=1, alias="from", description="The lowest concurrency.", examples=[1])
    last: Streams = Field(
        default=MAX_SWEEP_CONCURRENCY, alias="to", description="The highest concurrency.", examples=[64]
    )
    factor: float = Field(default=2, ge=1.05, le=10, description="From one point to the next.", examples=[2])

    @model_validator(mode="after")
    def _rising(self) -> "ConcurrencySteps":
        _check_rising(self.first, self.last)
        return self

    @property
    def values(self) -> tuple[int, ...]:
        # Rounded to whole streams, each once: from 1, a factor of 1.05 would repeat 1 for a while.
        return tuple(dict.fromkeys(round(value) for value in _geometric(self.first, self.last, self.factor)))


class RateSteps(BaseModel):
    """Request rates in geometric steps: `from`, `from` x `factor`, …, `to`. Unit: requests/s."""

    model_config = _WITH_ALIASES

    first: Rate = Field(default=1, alias="from", description="The lowest rate. Unit: requests/s.", examples=[1])
    last: Rate = Field(
        default=MAX_SWEEP_RATE, alias="to", description="The highest rate. Unit: requests/s.", examples=[50]
    )
    factor: float = Field(default=2, ge=1.05, le=10, description="From one point to the next.", examples=[1.5])

    @model_validator(mode="after")
    def _rising(self) -> "RateSteps":
        _check_rising(self.first, self.last)
        return self

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(_geometric(self.first, self.last, self.factor))


class SweepSpec(BaseModel):
    """Measures one load after another, each as a stage with its own statistics. Together they are the load curve.

    Without `concurrency` and `request_rate` it goes from one stream in steps of 2 to saturation.
    """

    model_config = STRICT

    concurrency: (
        Annotated[
            tuple[Streams, ...],
            Field(min_length=1, max_length=MAX_POINTS),
            BeforeValidator(to_tuple, json_schema_input_type=list[Streams]),
        ]
        | ConcurrencySteps
        | None
    ) = Field(
        default=None,
        description="Concurrencies to measure: a list in the order to measure, or geometric steps "
        "`{from, to, factor}` (1, 1,024 and 2 by default). Not with `request_rate`.",
        examples=[[1, 2, 4, 8]],
    )
    request_rate: (
        Annotated[
            tuple[Rate, ...],
            Field(min_length=1, max_length=MAX_POINTS),
            BeforeValidator(to_tuple, json_schema_input_type=list[Rate]),
        ]
        | RateSteps
        | None
    ) = Field(
        default=None,
        description="Request rates to measure: a list, or geometric steps `{from, to, factor}`. "
        "Unit: requests/s. Not with `concurrency`.",
        examples=[[1, 2, 5, 10]],
    )
    requests: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description=f"Measured requests of each point; of a concurrency never fewer than {LEAST_WAVES} for each "
        "stream, since fewer requests would not carry the load. Not with `duration_s`.",
    )
    duration_s: float | None = Field(
        default=None,
        gt=0,
        le=7 * 86_400,
        description=f"How long each point is measured. {DEFAULT_POINT_S:g} if `requests` is left out as well. Unit: s.",
        examples=[30],
    )
    warmup_s: float = Field(
        default=10,
        ge=0,
        le=3_600,
        description="Warm-up before each point, at its load. A repeat of a point is warmed up for half as long. "
        "0: none. Unit: s.",
        examples=[10],
    )
    repeats: int = Field(
        default=1,
        ge=1,
        le=10,
        description="How often each point is measured. The whole sweep is repeated, so that slow changes of the server "
        "do not look like an effect of the load.",
        examples=[1],
    )
    to_saturation: bool | None = Field(
        default=None,
        description="Whether the sweep ends before its last point if more load brings no more throughput: two points "
        "in a row gained less than a tenth of what they added in load, or half of a point's requests failed. By "
        "default only if neither `concurrency` nor `request_rate` is given.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _consistent(self) -> "SweepSpec":
        if self.concurrency is not None and self.request_rate is not None:
            raise ValueError("a sweep is over `concurrency` or over `request_rate`, not both")
        if self.requests is not None and self.duration_s is not None:
            raise ValueError("a point ends after `requests` or after `duration_s`, not both")
        if (points := len(self.values) * self.repeats) > MAX_POINTS:
            raise ValueError(f"a sweep has at most {MAX_POINTS} points, repeats included; these are {points}")
        return self

    @property
    def control(self) -> Literal["concurrency", "request_rate"]:
        """What the sweep varies: `concurrency` or `request_rate`."""
        return "concurrency" if self.request_rate is None else "request_rate"

    @property
    def values(self) -> tuple[float, ...]:
        """The loads in the order in which they are measured, without repeats."""
        given = self.concurrency if self.request_rate is None else self.request_rate
        if given is None:
            return ConcurrencySteps().values
        return given if isinstance(given, tuple) else given.values

    @property
    def ends_at_saturation(self) -> bool:
        if self.to_saturation is None:
            return self.concurrency is None and self.request_rate is None
        return self.to_saturation

    def requests_at(self, value: float) -> int | None:
        """Measured requests of a point. None: it ends by time."""
        if self.requests is None or self.control == "request_rate":
            return self.requests
        return max(self.requests, LEAST_WAVES * int(value))

    @property
    def point_s(self) -> float | None:
        """How long a point is measured. None: until its `requests` have ended."""
        return None if self.requests is not None else self.duration_s or DEFAULT_POINT_S


def _check_rising(first: float, last: float) -> None:
    if last < first:
        raise ValueError(f"`to` must be at least `from`: {last:g} is less than {first:g}")


def _geometric(first: float, last: float, factor: float) -> list[float]:
    """`first`, `first` x `factor`, … below `last`, then `last` itself; at most one value more than MAX_POINTS."""
    values = [float(first)]
    # A last step of a few per cent would measure almost the same load again.
    while values[-1] * factor < last * 0.98 and len(values) < MAX_POINTS:
        values.append(values[-1] * factor)
    return values if first == last else [*values, float(last)]
