"""Runs of one prompt set over time, and of several models."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from api.schemas.ids import RowId
from api.schemas.number import Number
from shared.text import StorableText

MetricName = Literal[
    "ttft_p50_ms",
    "ttft_p95_ms",
    "latency_p50_ms",
    "latency_p95_ms",
    "tokens_per_second_p50",
    "output_token_throughput",
    "cost_per_request_usd",
    "error_share",
]
DEFAULT_METRIC: MetricName = "ttft_p50_ms"
MAX_POINTS = 500

PromptSet = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_PROMPT_SET = "`prompt_set` of the benchmarks."
_SET_EXAMPLE = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
Model = Annotated[StorableText, Field(max_length=200)]
Provider = Annotated[StorableText, Field(max_length=63)]


class SetsQuery(BaseModel):
    """Which series to list."""

    model_config = ConfigDict(extra="forbid")

    model: Model | None = Field(default=None, description="Only this model, exactly.")
    provider: Provider | None = Field(default=None, description="Only this endpoint, exactly.")
    prompt_set: PromptSet | None = Field(default=None, description="Only this prompt set.")
    limit: int = Field(default=100, ge=1, le=500, description="The most series to list.")


class HistoryQuery(BaseModel):
    """Which history to read."""

    model_config = ConfigDict(extra="forbid")

    model: Model = Field(description="The model, exactly.", examples=["claude-3-haiku-20240307"])
    provider: Provider = Field(description="The endpoint, exactly.", examples=["anthropic"])
    prompt_set: PromptSet = Field(description=_PROMPT_SET, examples=[_SET_EXAMPLE])
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous answer, for older runs."
    )
    limit: int = Field(default=200, ge=1, le=MAX_POINTS, description="Runs of an answer, the newest first.")


class BoardQuery(BaseModel):
    """Which leaderboard to read."""

    model_config = ConfigDict(extra="forbid")

    prompt_set: PromptSet = Field(description=_PROMPT_SET, examples=[_SET_EXAMPLE])
    metric: MetricName = Field(default=DEFAULT_METRIC, description="What the rows are sorted by, the best first.")
    like: RowId | None = Field(
        default=None,
        description="Id of a run of this prompt set. Rows are the runs with its load and parameters. If left out, the "
        "settings that most models at endpoints have been run with.",
    )


class RunSeries(BaseModel):
    """The completed runs of a prompt set with one model at one endpoint."""

    model: str = Field(description="The model.", examples=["claude-3-haiku-20240307"])
    provider: str = Field(description="The endpoint.", examples=["anthropic"])
    prompt_set: str = Field(description=_PROMPT_SET, examples=[_SET_EXAMPLE])
    name: str = Field(description="Name of the newest run.", examples=["Nightly"])
    runs: int = Field(description="How many of the runs that were looked at.", examples=[31])
    newest_id: int = Field(description="Id of the newest run.", examples=[31])
    first_started_at: datetime = Field(description="UTC instant of its first run's start.")
    newest_started_at: datetime = Field(description="UTC instant of its newest run's start.")


class RunSeriesList(BaseModel):
    """The series that there are, the one with the newest run first."""

    items: list[RunSeries] = Field(description="The series.")
    searched: int = Field(
        description="So many of the newest completed runs that pass the filters are looked at. Older ones are not "
        "counted.",
        examples=[2000],
    )


class MetricOut(BaseModel):
    """What a number of a run means."""

    name: MetricName = Field(description="Its name.", examples=["ttft_p50_ms"])
    title: str = Field(description="Its title.", examples=["TTFT P50"])
    unit: str = Field(description="Its unit.", examples=["ms"])
    better: Literal["lower", "higher"] = Field(description="Which direction is better.", examples=["lower"])
    definition: str = Field(description="What it is.", examples=["Median time to first token"])


class ReadingOut(BaseModel):
    """A number of one run."""

    value: Number | None = Field(description="The number, in its unit. Null when it is unknown.", examples=[142.5])
    interval: tuple[Number, Number] | None = Field(
        description="Its 95 % interval. Null when there are too few values, or none is stored.",
        examples=[(138.1, 147.9)],
    )
    count: int | None = Field(description="Values that it is made of. Null when that is not known.", examples=[118])
    left_out: str = Field(
        default="",
        description="What it does not contain because it is unknown: requests of unknown cost. Empty if nothing.",
        examples=[""],
    )


class ChangeOut(BaseModel):
    """Whether a number differs from the up to five runs before that have the same settings."""

    verdict: Literal["changed", "unchanged", "unknown"] = Field(
        description="`changed`: the 95 % interval of this run and that of the median of the runs before do not "
        "overlap, and the difference exceeds 5 %, and 10 ms if the unit is ms (1 percentage point for error shares). "
        "`unknown`: see `reason`.",
        examples=["unchanged"],
    )
    reason: str | None = Field(default=None, description="Why it is unknown. Null otherwise.", examples=[None])
    reference: Number | None = Field(
        description="The median of the runs before. Null when it is unknown.", examples=[140.2]
    )
    reference_interval: tuple[Number, Number] | None = Field(
        description="Its 95 % interval: that of the run in the middle, or what those of the middle two cover. Null "
        "when it is unknown.",
        examples=[(135.0, 146.0)],
    )
    difference: Number | None = Field(description="This run less `reference`. Null when it is unknown.", examples=[2.3])
    against: list[int] = Field(description="Ids of the runs before.", examples=[[30, 29, 28]])


class SettingOut(BaseModel):
    """A setting in which a run differs from another one."""

    field: str = Field(
        description="The setting. The short form of a load is written as `load`.", examples=["load.concurrency"]
    )
    value: JsonValue = Field(description="Of this run. Null: not set.", examples=[8])
    other: JsonValue = Field(description="Of the other run. Null: not set.", examples=[4])


class RunOut(BaseModel):
    """A completed run with its numbers."""

    id: int = Field(description="Id of the benchmark.", examples=[31])
    name: str = Field(description="Its name.", examples=["Nightly"])
    model: str = Field(description="Its model.", examples=["claude-3-haiku-20240307"])
    provider: str = Field(description="Its endpoint.", examples=["anthropic"])
    started_at: datetime = Field(description="UTC instant of its start.", examples=["2025-01-15T10:30:00Z"])
    grade: Literal["A", "B", "C", "D"] | None = Field(
        description="How little the measuring itself may have distorted it. Null when it has no grade.", examples=["A"]
    )
    metrics: dict[MetricName, ReadingOut] = Field(
        description="Its numbers by name.",
        examples=[{"ttft_p50_ms": {"value": 142.5, "interval": [138.1, 147.9], "count": 118}}],
    )


class HistoryPointOut(RunOut):
    """A run in a history."""

    differs: list[SettingOut] = Field(
        description="Load, parameters and endpoint, as far as they differ from those of the newest run (`other`). What "
        "retention has deleted is not compared."
    )
    changes: dict[MetricName, ChangeOut] = Field(
        description="Whether each number has changed.",
        examples=[
            {
                "ttft_p50_ms": {
                    "verdict": "unchanged",
                    "reason": None,
                    "reference": 140.2,
                    "reference_interval": [135.0, 146.0],
                    "difference": 2.3,
                    "against": [30, 29, 28],
                }
            }
        ],
    )


NOTE = (
    "Runs at different times are not a fair experiment: the network, the hour and the load of others change too. A "
    "change is a reason to look, not a proof of its cause. To compare two models or versions, run them side by side."
)


class HistoryOut(BaseModel):
    """The history of a model at an endpoint with one prompt set."""

    note: str = Field(description="What to keep in mind.", examples=[NOTE])
    metrics: list[MetricOut] = Field(description="What the numbers mean.")
    points: list[HistoryPointOut] = Field(description="Completed runs, by the time of their start, oldest first.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for older runs. Null when there are none.", examples=[None]
    )


class RankedOut(RunOut):
    """A row of a leaderboard."""

    rank: int | None = Field(
        description="Its place by the value alone. Null when the value is unknown. Neighbours may be equal: see their "
        "intervals, and compare them.",
        examples=[1],
    )


class ApartOut(RunOut):
    """A run that is not ranked, because its settings are others."""

    differs: list[SettingOut] = Field(
        description="Load and parameters, as far as they differ from those of `like` (`other`)."
    )


class BoardOut(BaseModel):
    """The latest comparable run of each model at each endpoint, for one prompt set."""

    note: str = Field(description="What to keep in mind.", examples=[NOTE])
    metric: MetricOut = Field(description="What the rows are sorted by.")
    like: int | None = Field(description="Id of a run with the settings of all rows. Null: no rows.", examples=[31])
    rows: list[RankedOut] = Field(description="Runs with the same load and parameters, the best first.")
    apart: list[ApartOut] = Field(
        description="The latest runs of models at endpoints that have no run with these settings."
    )
    searched: int = Field(
        description="So many of the newest completed runs of the prompt set are looked at.", examples=[1000]
    )
