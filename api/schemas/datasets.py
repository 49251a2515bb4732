"""Datasets: what an upload says, what is known of a dataset, and its rows."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.benchmark.run_spec import Name
from shared.workloads.formats.names import Format
from shared.workloads.formats.options import ReadOptions
from shared.workloads.rows import Kind


class DatasetUpload(ReadOptions):
    """How an uploaded file is called and read."""

    name: Name = Field(
        description="For people. It need not be unique. 1 to 200 characters.", examples=["Support chats"]
    )


class LengthsOut(BaseModel):
    """A distribution of numbers of tokens."""

    count: int = Field(description="How many lengths there are.", examples=[500])
    total: int = Field(description="Their sum. Unit: tokens.", examples=[120_500])
    min: int = Field(description="The shortest. Unit: tokens.", examples=[4])
    mean: float = Field(description="The mean. Unit: tokens.", examples=[241.0])
    p50: float = Field(description="The median. Unit: tokens.", examples=[180.0])
    p90: float = Field(description="90 % are at most this. Unit: tokens.", examples=[612.0])
    p99: float = Field(description="99 % are at most this. Unit: tokens.", examples=[1_004.0])
    max: int = Field(description="The longest. Unit: tokens.", examples=[1_021])


class DatasetOut(BaseModel):
    """A stored file. It never changes."""

    id: int = Field(description="Id of the dataset.", examples=[1])
    name: str = Field(description="The name of its first upload.", examples=["Support chats"])
    format: Format = Field(description="Format of the file.", examples=["jsonl"])
    kind: Kind = Field(
        description="`prompts`: rows are conversations of one or more turns. `trace`: they are requests with times and "
        "lengths, without texts.",
        examples=["prompts"],
    )
    options: dict[str, int | str] = Field(
        description="How the file was read: the options of its format.", examples=[{"column": "prompt"}]
    )
    sha256: str = Field(
        description="SHA-256 of the file, as `sha256sum` prints it. Benchmarks may name a dataset by it.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    size_bytes: int = Field(description="Size of the file. Unit: bytes.", examples=[482_133])
    rows: int = Field(description="Rows that a benchmark sends.", examples=[500])
    conversations: int = Field(description="Rows of more than one turn.", examples=[0])
    turns: int = Field(description="Requests that all rows stand for: one for each turn.", examples=[500])
    left_out: dict[str, int] = Field(
        description="Rows of the file that were left out, by reason. `sharegpt`: `too_few_turns`, `no_pair`, "
        "`prompt_too_short`, `prompt_too_long`, `answer_too_short`, `sum_too_long`. Traces: `failed_request` "
        "(`burstgpt`: no response tokens), `no_output_tokens`, `no_input_tokens`.",
        examples=[{}],
    )
    input_tokens: LengthsOut = Field(
        description="Input tokens of each row: of all its texts, without answers. Unit: tokens."
    )
    output_tokens: LengthsOut | None = Field(
        description="Output tokens that each turn asks for, or that each request of the trace had. Unit: tokens. Null "
        "if no row says how many."
    )
    token_source: Literal["estimate", "trace"] = Field(
        description="`estimate`: counted by a tokenizer of this service. `trace`: as the file says.",
        examples=["estimate"],
    )
    tokenizer: str | None = Field(
        description="The encoding that counted the tokens. Null in traces.", examples=["o200k"]
    )
    span_s: float | None = Field(
        description="From the first to the last request of a trace. Unit: s. Null for prompts.", examples=[None]
    )
    created_at: datetime = Field(description="UTC instant of its upload.", examples=["2025-01-15T10:30:00Z"])


class DatasetPage(BaseModel):
    """A page of datasets, newest first."""

    items: list[DatasetOut] = Field(description="The datasets of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=["WzQyXQ"]
    )


class HistoryMessageOut(BaseModel):
    """A message that is sent before the first turn."""

    role: str = Field(description="Who speaks: `user` or `assistant`.", examples=["user"])
    content: str = Field(description="Text of the message.", examples=["Hello"])


class TurnOut(BaseModel):
    """What the user says in one turn."""

    text: str = Field(description="Text of the turn.", examples=["What is 2 + 2?"])
    max_tokens: int | None = Field(description="Most output tokens. Null: what the benchmark says.", examples=[128])
    think_s: float = Field(description="Wait after the answer to the turn before. Unit: s.", examples=[0.0])


class DatasetRowOut(BaseModel):
    """A row. Rows of prompts have `turns`, rows of traces have times and lengths; the other fields are null."""

    row: int = Field(description="Number of the row, from 0.", examples=[0])
    system: str | None = Field(description="System text. Null: that of the benchmark is sent.", examples=[None])
    history: list[HistoryMessageOut] | None = Field(description="Messages before the first turn. Null in traces.")
    turns: list[TurnOut] | None = Field(description="The turns, first to last. Null in traces.")
    at_s: float | None = Field(description="When the trace sent it. Unit: s. Null for prompts.", examples=[None])
    input_tokens: int | None = Field(
        description="Length of its prompt. Unit: tokens. Null for prompts.", examples=[None]
    )
    output_tokens: int | None = Field(
        description="Length of its answer. Unit: tokens. Null for prompts.", examples=[None]
    )
    hash_ids: list[int] | None = Field(
        description="One for each block of 512 input tokens; equal blocks have equal ids. Null for prompts.",
        examples=[None],
    )


class DatasetRowPage(BaseModel):
    """A page of rows, in the order of the file. It ends early when it has several megabytes."""

    items: list[DatasetRowOut] = Field(description="The rows of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=["WzQyXQ"]
    )


class RowQuery(BaseModel):
    """Which page of rows to read."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=50, ge=1, le=1_000, description="Rows on a page.")
