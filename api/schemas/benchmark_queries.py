"""Query parameters of the routes that list and read benchmarks and prompts."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.schemas.ids import RowId
from api.schemas.include import Include
from api.schemas.instant import Instant
from shared.benchmark.metadata import MAX_PAIR_CHARS
from shared.benchmark.status import Status
from shared.text import StorableText


class PromptQuery(BaseModel):
    """Which prompts to read."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=100, ge=1, le=1_000, description="Prompts on a page.")


def _key_and_value(value: str) -> str:
    if ":" not in value:
        raise ValueError("must be a key and its value, as `key:value`")
    return value


MetadataPair = Annotated[StorableText, Field(max_length=MAX_PAIR_CHARS), AfterValidator(_key_and_value)]
# Pairs of one query.
MAX_PAIRS = 10


class BenchmarkFilters(BaseModel):
    """Which benchmarks."""

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
    rerun_of: RowId | None = Field(default=None, description="Only reruns of this benchmark.")
    metadata: Annotated[tuple[MetadataPair, ...], Field(max_length=MAX_PAIRS)] = Field(
        default=(),
        description="Only benchmarks whose `metadata` has this key with this value, as `key:value`. Numbers, booleans "
        "and null are written as in JSON; objects and arrays are not searched, nor is anything longer than "
        f"{MAX_PAIR_CHARS} characters. May be repeated: then all must match.",
        examples=[["team:search"]],
    )
    created_from: Instant | None = Field(
        default=None,
        description="Only benchmarks created at or after this instant, e.g. `2025-01-15T00:00:00Z`, or after the "
        "beginning of this day in UTC, e.g. `2025-01-15`.",
    )
    created_before: Instant | None = Field(
        default=None, description="Only benchmarks created before this instant or day."
    )


class BenchmarkQuery(BenchmarkFilters):
    """Which benchmarks to list."""

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=20, ge=1, le=200, description="Benchmarks on a page.")


class ReadQuery(BaseModel):
    """How much of a benchmark to read."""

    model_config = ConfigDict(extra="forbid")

    include: Include = Field(
        default=("results",),
        description="What to include, separated by commas: `results` (the default), `timeline` (results with every "
        "event), `warmup` (warm-up results too), or `none` to leave results out.",
        examples=[["timeline"]],
    )
