"""The names of formats and parts of exports, for the API and the CLI. It imports nothing slow."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Format = Literal["csv", "jsonl", "json", "parquet", "llmd"]
TableFormat = Literal["csv", "jsonl"]
# Parts that an export has only if they are asked for.
Part = Literal["prompt", "response", "reasoning", "timeline"]
PARTS: tuple[Part, ...] = get_args(Part)
# What the ending of a file says about its format.
FORMAT_OF_ENDING: Mapping[str, Format] = MappingProxyType(
    {
        ".csv": "csv",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".json": "json",
        ".parquet": "parquet",
        ".yaml": "llmd",
        ".yml": "llmd",
    }
)
