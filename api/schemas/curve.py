"""The load curve of a benchmark."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.number import Number
from shared.benchmark.results.curve import METRICS, PERCENTILES, CurveSlo

SLO_PATTERN = (
    rf"^({'|'.join(METRICS)}):p({'|'.join(str(percent) for percent in PERCENTILES)}):[0-9]{{1,9}}(\.[0-9]{{1,6}})?$"
)
SloText = Annotated[str, StringConstraints(pattern=SLO_PATTERN)]


class CurveQuery(BaseModel):
    """Which SLOs the highest load is to meet."""

    model_config = ConfigDict(extra="forbid")

    slo: list[SloText] = Field(
        default=[],
        max_length=10,
        description="A bound of a percentile, as `METRIC:PERCENTILE:MOST_MS`; repeatable. `highest` is then the "
        "highest load that meets all of them. Without it, the attainment of the benchmark's own `slos` counts. "
        f"Metrics: {', '.join(f'`{name}`' for name in METRICS)}; percentiles: `p50`, `p95`, `p99`.",
        examples=[["ttft_ms:p95:500"]],
    )

    @property
    def slos(self) -> list[CurveSlo]:
        parts = [text.split(":") for text in self.slo]
        return [CurveSlo(metric, int(percentile[1:]), float(at_most)) for metric, percentile, at_most in parts]


class CurveThroughputOut(BaseModel):
    """A throughput with its confidence interval."""

    value: Number = Field(
        description="In the steady windows of its stages; of a stage without one, over its whole length. The mean if a "
        "load was measured more than once.",
        examples=[6.8],
    )
    ci95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval. Null when there are too few requests.", examples=[(6.6, 7.0)]
    )
    ci95_from: Literal["repeats", "latency", "count"] | None = Field(
        description="Where the interval comes from. `repeats`: Student's t over the repeats of the load. `latency`: a "
        "closed loop's throughput is its concurrency divided by the mean latency, so it is as sure as that mean. "
        "`count`: an open loop's, as if requests ended independently of each other. Null without an interval.",
        examples=["latency"],
    )


class CurveLatencyOut(BaseModel):
    """Percentiles of a metric at one load, the means if it was measured more than once. Unit: ms."""

    p50: Number | None = Field(description="Median. Unit: ms. Null when there are too few values.", examples=[142.5])
    p50_ci95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of p50. Unit: ms. Null when it is not known.", examples=[(136.0, 149.1)]
    )
    p95: Number | None = Field(
        description="95th percentile. Unit: ms. Null when there are too few values.", examples=[240.7]
    )
    p95_ci95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of p95. Unit: ms. Null when it is not known.", examples=[(214.2, 301.5)]
    )
    p99: Number | None = Field(
        description="99th percentile. Unit: ms. Null when there are too few values.", examples=[371.3]
    )
    p99_ci95: tuple[Number, Number] | None = Field(
        description="95 % confidence interval of p99. Unit: ms. Null when it is not known.", examples=[None]
    )


class CurveAttainmentOut(BaseModel):
    """How many requests of a load met the SLOs of the benchmark."""

    value: Number = Field(description="Requests that met all SLOs, divided by attempted ones.", examples=[0.98])
    ci95: tuple[Number, Number] = Field(description="Its 95 % Wilson interval.", examples=[(0.962, 0.99)])
    target: float = Field(description="The share that the SLOs ask for.", examples=[0.95])


class CurvePointOut(BaseModel):
    """One load, and what it gave."""

    load: Number = Field(description="Concurrency or requests/s, as `control` says.", examples=[8])
    stages: list[int] = Field(description="Numbers of the stages that measured it.", examples=[[3]])
    broken_off: bool = Field(
        description="Whether every stage of this load was broken off, by errors, saturation or a cancel. Such a point "
        "is no part of the knee and meets no SLO.",
        examples=[False],
    )
    succeeded: int = Field(description="Measured requests that succeeded.", examples=[400])
    failed: int = Field(description="Measured requests that failed.", examples=[0])
    request_throughput: CurveThroughputOut = Field(description="Succeeded requests. Unit: requests/s.")
    output_token_throughput: CurveThroughputOut | None = Field(
        description="Output tokens. Unit: tokens/s. Null when they are not known."
    )
    ttft_ms: CurveLatencyOut | None = Field(description="Time to first token. Unit: ms. Null when it is not known.")
    tpot_ms: CurveLatencyOut | None = Field(description="Time per output token. Unit: ms. Null when it is not known.")
    latency_ms: CurveLatencyOut | None = Field(description="Latency. Unit: ms. Null when it is not known.")
    effective_latency_ms: CurveLatencyOut | None = Field(
        description="Latency from the schedule. Unit: ms. Null in a closed loop."
    )
    attainment: CurveAttainmentOut | None = Field(
        description="How many requests met the benchmark's `slos`. Null without them."
    )
    goodput: Number | None = Field(
        description="Requests that met all SLOs. Unit: requests/s. Null without SLOs.", examples=[6.7]
    )


class KneeOut(BaseModel):
    """Where throughput stops rising with the load: two lines that meet there fit the points best."""

    load: Number = Field(description="Load at the knee, which may lie between two points.", examples=[7.9])
    request_throughput: Number = Field(description="Throughput there. Unit: requests/s.", examples=[6.8])
    nearest_point: Number = Field(description="The measured load that is nearest to it.", examples=[8])
    tail_slope_share: Number = Field(
        description="Slope of the throughput behind the knee, divided by the slope before it. At most 0.25.",
        examples=[0.01],
    )
    error_reduction: Number = Field(
        description="By which share two lines reduce the squared error of one. At least 0.5.", examples=[0.97]
    )
    peak_share: Number = Field(
        description="Throughput at the knee, divided by the highest that was measured. At least 0.85.", examples=[0.99]
    )


class HighestOut(BaseModel):
    """The highest load that meets the SLOs, below the first that does not."""

    load: Number = Field(description="Concurrency or requests/s.", examples=[8])
    request_throughput: Number = Field(description="Throughput there. Unit: requests/s.", examples=[6.8])
    is_sure: bool = Field(description="Whether its whole confidence intervals meet them.", examples=[True])
    first_missing: Number | None = Field(
        description="The lowest load that does not meet them. Null: all that were measured meet them.", examples=[16]
    )


class CurveOut(BaseModel):
    """Throughput and latency by load."""

    control: Literal["concurrency", "request_rate"] | None = Field(
        description="What `load` is of the points. Null before the first stage has ended.", examples=["concurrency"]
    )
    points: list[CurvePointOut] = Field(
        description="The loads in rising order, from the stages that have ended. Stages of the same load are one point."
    )
    knee: KneeOut | None = Field(description="The knee. Null when there is none; `knee_reason` says why.")
    knee_reason: str = Field(
        description="Why there is a knee, or why there is none; and how many stages are no points, because they had a "
        "rate and the others a concurrency.",
        examples=["throughput rises to the knee and hardly any more behind it"],
    )
    highest: HighestOut | None = Field(
        description="The highest load that meets the SLOs. Null when the lowest load misses them, or without SLOs."
    )
