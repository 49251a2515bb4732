"""The formats of exports: their names, media types and file endings. The API and the CLI use them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.exports import csv_table, json_lines
from shared.exports.names import Format

# Characters of a name that its file name shows.
NAME_SHOWN = 60
_OTHER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file of a format is called, and its media type."""

    ending: str
    media_type: str


FILE_TYPES: Mapping[Format, FileType] = MappingProxyType(
    {
        "csv": FileType("csv", csv_table.MEDIA_TYPE),
        "jsonl": FileType("jsonl", json_lines.MEDIA_TYPE),
        "json": FileType("json", "application/json"),
        "parquet": FileType("parquet", "application/vnd.apache.parquet"),
        "llmd": FileType("yaml", "application/yaml"),
    }
)


def file_name(format_name: Format, *parts: str | int) -> str:
    """`benchmark-12-haiku-speed-test.csv`: letters a to z, digits and hyphens, whatever the parts are."""
    stem = "-".join(filter(None, (_OTHER.sub("-", str(part).lower())[:NAME_SHOWN].strip("-") for part in parts)))
    return f"{stem}.{FILE_TYPES[format_name].ending}"
