"""What the stages of a sweep or a search together have shown."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.number import Number


class AttainmentOut(BaseModel):
    """How many requests of one load met the SLOs."""

    concurrency: int = Field(description="The load.", examples=[24])
    met: int = Field(description="Requests that met all SLOs.", examples=[190])
    attempted: int = Field(description="Requests that were attempted.", examples=[192])
    attainment: Number | None = Field(
        description="`met` divided by `attempted`. Null when nothing was attempted.", examples=[0.99]
    )
    attainment_ci95: tuple[Number, Number] | None = Field(
        description="Its 95 % Wilson interval. Null when nothing was attempted.", examples=[(0.963, 0.997)]
    )
    passed: bool = Field(description="Whether `attainment` is at least the target.", examples=[True])
    resolved: bool = Field(
        description="Whether the whole interval is on one side of the target. Otherwise the load is measured again.",
        examples=[True],
    )
    aborted: bool = Field(
        description="Whether it was broken off, by errors or saturation, or missed the SLOs while more than "
        "5 % of its first tokens were doubtful, because the measuring machine was late. Then it bounds nothing.",
        examples=[False],
    )


class ProbeOut(AttainmentOut):
    """One probe of a search."""

    request_throughput: Number = Field(description="Succeeded requests. Unit: requests/s.", examples=[6.8])


class SustainedOut(AttainmentOut):
    """A load that was sustained at the end of a search."""

    met_slos: bool = Field(description="Whether it passed to the end.", examples=[True])


class SearchOut(BaseModel):
    """The answer of a search for the highest load that meets the SLOs."""

    kind: Literal["search"] = Field(description="That it was a search.")
    control: Literal["concurrency"] = Field(description="What was varied.")
    attainment_target: float = Field(description="Share of requests that must meet the SLOs.", examples=[0.95])
    status: Literal["converged", "unmet_at_minimum", "met_at_maximum", "indeterminate"] = Field(
        description="`converged`: the answer and the lowest load that fails are resolved and near to each other. "
        "`unmet_at_minimum`: no load passes. `met_at_maximum`: the highest allowed load passes. `indeterminate`: "
        "unresolved or aborted probes, or too few of them, leave it open; `concurrency` is then the best estimate.",
        examples=["converged"],
    )
    reason: str = Field(
        description="The status in words.", examples=["the SLOs are met at concurrency 24 and not at 26"]
    )
    concurrency: int | None = Field(
        description="The answer: the highest load that meets the SLOs, after the step back if it could not be "
        "sustained. Null when no load passes.",
        examples=[24],
    )
    highest_passing: int | None = Field(
        description="The highest load that passed, below every one that failed. Null when there is none.", examples=[24]
    )
    lowest_failing: int | None = Field(
        description="The lowest load that failed. Null when there is none.", examples=[26]
    )
    flags: list[Literal["cliff", "non_monotone"]] = Field(
        description="`cliff`: at the first load that fails, less than half of the requests meet the SLOs, so keep a "
        "distance. `non_monotone`: a load fails for certain although a higher one passes for certain.",
        examples=[[]],
    )
    is_sustained: bool | None = Field(
        description="Whether the SLOs were met for `sustain_s` at `concurrency`. Null: it was not tried.",
        examples=[True],
    )
    sustained: list[SustainedOut] = Field(description="The loads that were sustained, in order: at most two.")
    probes: list[ProbeOut] = Field(description="Every probe in its order.")


class SweepOut(BaseModel):
    """What a sweep measured. `GET /benchmarks/{id}/curve` has its numbers."""

    kind: Literal["sweep"] = Field(description="That it was a sweep.")
    control: Literal["concurrency", "request_rate"] = Field(description="What was varied.", examples=["concurrency"])
    values: list[Number] = Field(description="The loads that were measured.", examples=[[1, 2, 4, 8, 16, 32]])
    repeats: int = Field(description="How often each was to be measured.", examples=[1])
    saturated_load: Number | None = Field(
        description="The load at which the sweep saw that more load brings nothing more. Null: it did not.",
        examples=[32],
    )
