"""Query parameters of the routes that list and read benchmarks and prompts."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from shared.benchmark.status import Status
from shared.text import StorableText


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be in the years 1 to 9999 in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class PromptQuery(BaseModel):
    """Which prompts to read."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=100, ge=1, le=1_000, description="Prompts on a page.")


class BenchmarkQuery(BaseModel):
    """Which benchmarks to list."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = Field(default=None, description="Only benchmarks in this status.")
    model: Annotated[StorableText, Field(max_length=200)] | None = Field(
        default=None, description="Only this model, exactly."
    )
    provider: Annotated[StorableText, Field(max_length=63)] | None = Field(
        default=None, description="Only this endpoint, exactly."
    )
    name: Annotated[StorableText, Field(max_length=200)] | None = Field(
        default=None, description="Only names that contain this text; the case of ASCII letters does not matter."
    )
    rerun_of: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = Field(
        default=None, description="Only reruns of this benchmark."
    )
    created_from: Instant | None = Field(
        default=None, description="Only benchmarks created at or after this instant, e.g. `2025-01-15T00:00:00Z`."
    )
    created_before: Instant | None = Field(default=None, description="Only benchmarks created before this instant.")
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=20, ge=1, le=200, description="Benchmarks on a page.")


class ReadQuery(BaseModel):
    """How much of a benchmark to read."""

    model_config = ConfigDict(extra="forbid")

    include: str = Field(
        default="results",
        max_length=100,
        description="What to include, separated by commas: `results` (the default), `timeline` (results with every "
        "event), `warmup` (warm-up results too), or `none` to leave results out.",
        examples=["timeline"],
    )
