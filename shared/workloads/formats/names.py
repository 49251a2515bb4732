"""Names of the formats, which the CLI reads without loading any reader."""

from typing import Literal, get_args

Format = Literal["jsonl", "csv", "sharegpt", "mooncake", "azure", "burstgpt"]
FORMATS: tuple[Format, ...] = get_args(Format)
