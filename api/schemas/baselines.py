"""Baselines: names for the benchmarks that later ones are compared with."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.ids import RowId
from shared.benchmark.baseline_name import MAX_CHARS, NAME_PATTERN

BaselineName = Annotated[str, StringConstraints(max_length=MAX_CHARS, pattern=NAME_PATTERN)]


class BaselineIn(BaseModel):
    """Which benchmark gets the name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    benchmark_id: RowId = Field(description="Id of a completed benchmark.", examples=[7])


class BaselineOut(BaseModel):
    """A name for a completed benchmark. It stays with this benchmark until somebody changes it."""

    name: str = Field(description="The name.", examples=["main"])
    benchmark_id: int = Field(description="Id of its benchmark.", examples=[7])
    benchmark_name: str = Field(description="Name of that benchmark.", examples=["Haiku Speed Test"])
    model: str = Field(description="Model of that benchmark.", examples=["claude-3-haiku-20240307"])
    provider: str = Field(description="Endpoint that its requests went to.", examples=["anthropic"])
    created_at: datetime = Field(
        description="UTC instant when the name was given to this benchmark.", examples=["2025-01-15T10:35:00Z"]
    )


class BaselinePage(BaseModel):
    """A page of baselines."""

    items: list[BaselineOut] = Field(description="The baselines of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=[None]
    )
