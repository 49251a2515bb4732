"""Query parameters of exports."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.schemas.benchmark_queries import BenchmarkFilters
from api.schemas.comma_separated import comma_separated_words
from api.schemas.comparison import CompareQuery
from shared.exports.names import PARTS, Format, Part, TableFormat

MAX_CHARS = 200


def _split(value: Any) -> Any:
    return comma_separated_words(value, PARTS, MAX_CHARS)


class ExportQuery(BaseModel):
    """What to export of a benchmark, and how."""

    model_config = ConfigDict(extra="forbid")

    format: Format = Field(
        default="csv",
        description="`csv`, `jsonl` and `parquet`: a row for each request. `json`: the whole benchmark with everything "
        "that `POST /import` needs. `llmd`: the summary as a benchmark report 0.2 of llm-d, in YAML.",
        examples=["csv"],
    )
    include: Annotated[tuple[Part, ...], BeforeValidator(_split, json_schema_input_type=list[Part])] = Field(
        default=(),
        description="Columns that are left out otherwise, separated by commas: `prompt`, `response`, `reasoning`, "
        "`timeline`. `json` always has all of them.",
        examples=[["response"]],
    )
    warmup: bool = Field(default=False, description="Whether the rows of the warm-up are included. `json` has them.")


class BenchmarkExportQuery(BenchmarkFilters):
    """Which benchmarks to export, and how. The filters are those of the list."""

    format: TableFormat = Field(default="csv", description="`csv` or `jsonl`: a row for each benchmark.")


class CompareExportQuery(CompareQuery):
    """Which benchmarks to compare, and how to export that."""

    format: TableFormat = Field(default="csv", description="`csv` or `jsonl`.")
