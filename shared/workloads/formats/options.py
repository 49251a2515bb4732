"""Formats of datasets, and what a caller may set for each. The API, the CLI and the readers use them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from shared.workloads.formats.names import Format
from shared.workloads.rows import Kind

_SHAREGPT = (
    *("min_turns", "min_prompt_tokens", "max_prompt_tokens", "min_output_tokens", "max_total_tokens"),
    "max_pairs",
)
# Which format has which option. Others have none.
_OPTIONS: dict[str, tuple[str, ...]] = {"csv": ("column",), "sharegpt": _SHAREGPT}


def kind_of(file_format: str) -> Kind:
    return "prompts" if file_format in ("jsonl", "csv", "sharegpt") else "trace"


class ReadOptions(BaseModel):
    """How a file is read. Options of other formats are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format = Field(description="Format of the file.", examples=["jsonl"])
    column: str = Field(
        default="prompt",
        min_length=1,
        max_length=200,
        description="`csv`: the column with the prompts.",
        examples=["prompt"],
    )
    min_turns: int = Field(
        default=2,
        ge=2,
        le=2_000,
        description="`sharegpt`: conversations with fewer messages are left out.",
        examples=[2],
    )
    min_prompt_tokens: int = Field(
        default=4, ge=1, le=1_000_000, description="`sharegpt`: fewest tokens of a prompt.", examples=[4]
    )
    max_prompt_tokens: int = Field(
        default=1_024,
        ge=1,
        le=10_000_000,
        description="`sharegpt`: most tokens of a prompt, with the messages before it.",
        examples=[1_024],
    )
    min_output_tokens: int = Field(
        default=4, ge=1, le=1_000_000, description="`sharegpt`: fewest tokens of an answer.", examples=[4]
    )
    max_total_tokens: int = Field(
        default=2_048,
        ge=2,
        le=10_000_000,
        description="`sharegpt`: most tokens of a prompt, with the messages before it, and its answer.",
        examples=[2_048],
    )
    max_pairs: int = Field(
        default=1,
        ge=1,
        le=1_000,
        description="`sharegpt`: pairs of a human's message and its answer that are taken of each conversation. "
        "1 makes single prompts, more make conversations of several turns.",
        examples=[1],
    )

    @field_validator("column", *_SHAREGPT)
    @classmethod
    def _belongs_to_the_format(cls, value: Any, info: ValidationInfo) -> Any:
        # Only for fields that were set. `format` is missing if it was wrong itself.
        file_format = info.data.get("format")
        if file_format is not None and info.field_name not in _OPTIONS.get(file_format, ()):
            raise ValueError(f"cannot be set for the format {file_format}")
        return value

    @model_validator(mode="after")
    def _has_room(self) -> "ReadOptions":
        if self.min_prompt_tokens > self.max_prompt_tokens:
            raise ValueError("min_prompt_tokens must be at most max_prompt_tokens")
        return self

    def of_format(self) -> dict[str, int | str]:
        """The options that this format has, with their values."""
        return {name: getattr(self, name) for name in _OPTIONS.get(self.format, ())}
