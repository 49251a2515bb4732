"""Reads bytes as a file of a dataset."""

import io
from collections.abc import Sequence
from typing import Any

from shared.workloads.formats.options import ReadOptions
from shared.workloads.formats.reading import Facts, read_file
from shared.workloads.row_blocks import Block, BlockRows
from shared.workloads.rows import AnyRow, Row, TraceRow


def words(texts: Sequence[str]) -> list[int]:
    """Tokens, for tests: a token is a word."""
    return [len(text.split()) for text in texts]


def read(content: bytes | str, file_format: str, **options: Any) -> tuple[list[AnyRow], Facts]:
    """(rows, facts) of a file."""
    chosen = ReadOptions.model_validate({"format": file_format, **options})
    raw = content.encode() if isinstance(content, str) else content
    blocks: list[Block] = []
    facts = read_file(io.BytesIO(raw), chosen, words, blocks.append)
    kind: Any = TraceRow if file_format in ("mooncake", "azure", "burstgpt") else Row
    return list(BlockRows(blocks, kind, facts.turns)), facts


def errors(content: bytes | str, file_format: str, **options: Any) -> list[tuple[int, str]]:
    """(line, message) of each error."""
    return [(error.line, error.message) for error in read(content, file_format, **options)[1].errors]
