"""Comparisons: what `GET /compare` takes and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.schemas.comma_separated import comma_separated
from api.schemas.ids import RowId
from api.schemas.number import Number
from api.schemas.summary_counts import RequestCounts
from shared.benchmark.status import Status
from shared.comparison.measure import METRICS, Better, Margins, Statistic
from shared.comparison.settings import Area
from shared.comparison.verdict import Verdict

MAX_CHARS = 400


def split(value: Any) -> Any:
    """The ids of a comparison."""
    return comma_separated(value, MAX_CHARS)


Metric = Literal["ttft_ms", "latency_ms", "tpot_ms", "tokens_per_second", "cost_usd_per_1000", "error_rate"]


class MarginQuery(BaseModel):
    """Differences that do not matter, fixed before anybody looks at the numbers."""

    model_config = ConfigDict(extra="forbid")

    margin_percent: float = Field(
        default=5,
        ge=0,
        le=1_000,
        allow_inf_nan=False,
        description="Differences up to this share of the reference's value do not matter. Unit: %.",
        examples=[5],
    )
    margin_ms: float = Field(
        default=10,
        ge=0,
        le=1e9,
        allow_inf_nan=False,
        description="Nor do differences of TTFT and latency up to this. The larger of both margins holds. Unit: ms.",
        examples=[10],
    )
    margin_points: float = Field(
        default=1,
        ge=0,
        le=100,
        allow_inf_nan=False,
        description="Differences of error shares up to this do not matter. Unit: percentage points.",
        examples=[1],
    )

    @property
    def margins(self) -> Margins:
        return Margins(self.margin_percent, self.margin_ms, self.margin_points)


class CompareQuery(MarginQuery):
    """What to compare."""

    ids: Annotated[tuple[RowId, ...], BeforeValidator(split, json_schema_input_type=list[RowId])] = Field(
        description="Two to eight benchmarks that have ended, separated by commas. The first is the reference that the "
        "others are compared with.",
        examples=[[1, 2]],
    )
    metric: Annotated[tuple[Metric, ...], BeforeValidator(split, json_schema_input_type=list[Metric])] = Field(
        default=(), max_length=len(METRICS), description="Only these metrics. All if left out.", examples=[["ttft_ms"]]
    )


class ComparedRunOut(BaseModel):
    """One of the compared benchmarks."""

    label: str = Field(description="The letter that sentences call it: `A` is the reference.", examples=["A"])
    id: int = Field(description="Id of the benchmark.", examples=[1])
    name: str = Field(description="As submitted.", examples=["Haiku Speed Test"])
    model: str = Field(description="As submitted.", examples=["claude-3-haiku-20240307"])
    provider: str = Field(description="Endpoint that the requests went to.", examples=["anthropic"])
    status: Status = Field(description="How it ended.", examples=["completed"])
    grade: Literal["A", "B", "C", "D"] | None = Field(
        description="How far the measuring itself may have distorted it. Null when it is not known.", examples=["A"]
    )
    started_at: datetime | None = Field(
        description="UTC instant of its start. Null when it never started.", examples=["2025-01-15T10:30:00Z"]
    )
    completed_at: datetime | None = Field(
        description="UTC instant of its end. Null when it is not known.", examples=["2025-01-15T10:30:26Z"]
    )
    requests: RequestCounts | None = Field(description="Its requests by outcome. Null when not counted.")


class DifferingSettingOut(BaseModel):
    """A setting that is not the same in all of them."""

    field: str = Field(description="Its name.", examples=["load.concurrency"])
    area: Area = Field(description="What it belongs to.", examples=["load"])
    values: list[Any] = Field(
        description="Its values, in the order of `runs`. Null: not set. Long ones are cut after 200 characters.",
        examples=[[8, 32]],
    )
    withholds: bool = Field(
        description="Whether there is no verdict because of it: load, workload, prompts, parameters and grade must be "
        "the same.",
        examples=[True],
    )


class ComparedValueOut(BaseModel):
    """The statistic of one benchmark."""

    id: int = Field(description="Id of the benchmark.", examples=[1])
    n: int = Field(description="Values that it comes from.", examples=[118])
    value: Number | None = Field(description="In the unit of the metric. Null when there are too few.", examples=[240])
    interval: tuple[Number, Number] | None = Field(
        description="95 % confidence interval. Null when it is not known.", examples=[(214.2, 301.5)]
    )
    needed: int | None = Field(description="Values that it needs. Null when it has them.", examples=[None])


class DifferenceOut(BaseModel):
    """What one benchmark has more or less than the reference, and how sure that is."""

    id: int = Field(description="Id of the benchmark.", examples=[2])
    difference: Number | None = Field(
        description="Its value less the reference's. Null when one of them is not known.", examples=[-180]
    )
    interval_95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of the difference. Null when too few values are independent.",
        examples=[(-240, -120)],
    )
    interval_90: tuple[Number, Number] | None = Field(
        description="90 % confidence interval, which decides about `practically_equal`. Null like `interval_95`.",
        examples=[(-231, -129)],
    )
    ratio: Number | None = Field(
        description="Its value divided by the reference's. Null when that is 0 or not known.", examples=[0.57]
    )
    ratio_interval: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of the ratio. Null when it is not known.", examples=[(0.49, 0.68)]
    )
    margin: Number | None = Field(
        description="Differences up to this do not matter, in the unit of the metric. Null when the reference has no "
        "value.",
        examples=[21],
    )
    verdict: Verdict = Field(
        description="`different`: the 95 % interval excludes 0, and the difference exceeds the margin. "
        "`too_small_to_matter`: the interval excludes 0, but the difference does not exceed the margin. "
        "`practically_equal`: the 90 % interval is within the margin. `too_early`: nobody can tell yet. `withheld`: "
        "settings differ, see `withheld`.",
        examples=["different"],
    )
    better: bool | None = Field(
        description="Whether it is better than the reference. Null unless the verdict is `different`.", examples=[True]
    )
    more_requests: int | None = Field(
        description="How many more requests each run needs for a verdict, about. Null with a verdict, and when nobody "
        "can say.",
        examples=[None],
    )
    basis: Literal["prompts", "time"] | None = Field(
        description="What was drawn for the intervals: prompts with all their requests, or blocks of time. Null for "
        "error shares, and without intervals.",
        examples=["time"],
    )
    sentence: str = Field(
        description="The same in words. `[low, high]` is the 95 % interval.",
        examples=["B's P95 TTFT is 180 ms lower [120, 240]"],
    )


class ComparedMetricOut(BaseModel):
    """A statistic of a metric."""

    metric: Metric = Field(description="Its name.", examples=["ttft_ms"])
    statistic: Statistic = Field(description="What of it is compared.", examples=["p95"])
    title: str = Field(description="Both in words.", examples=["P95 TTFT"])
    unit: str = Field(description="Unit of values, differences and intervals.", examples=["ms"])
    better: Better = Field(description="Which values are better.", examples=["lower"])
    values: list[ComparedValueOut] = Field(description="One for each benchmark, in the order of `runs`.")
    differences: list[DifferenceOut] = Field(description="One for each benchmark but the reference.")


class MarginsOut(BaseModel):
    """The margins that were used."""

    percent: float = Field(description="Of the reference's value. Unit: %.", examples=[5])
    ms: float = Field(description="Of TTFT and latency. Unit: ms.", examples=[10])
    points: float = Field(description="Of error shares. Unit: percentage points.", examples=[1])


class ComparisonOut(BaseModel):
    """Benchmarks compared with the first of them. docs/comparing.md says how."""

    reference: int = Field(description="Id of the benchmark that the others are compared with.", examples=[1])
    runs: list[ComparedRunOut] = Field(description="The benchmarks, as asked for.")
    differs: list[DifferingSettingOut] = Field(
        description="Settings that are not the same in all of them; first those that withhold verdicts."
    )
    fair: bool = Field(
        description="Whether they ran at the same time with the same settings. Two runs at different times are not a "
        "fair experiment.",
        examples=[False],
    )
    withheld: list[str] = Field(description="Why there are no verdicts. Empty: there are.", examples=[[]])
    notes: list[str] = Field(
        description="What to know before believing it.",
        examples=[["A and B ran at different times, which is not a fair experiment."]],
    )
    margins: MarginsOut = Field(description="Differences that do not matter.")
    metrics: list[ComparedMetricOut] = Field(description="The statistics that were compared.")
