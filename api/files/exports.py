"""Writes an export piece by piece: reads a block of results, makes its bytes in a thread, and sends them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.files.export_prompts import ExportPrompts
from api.state import State
from shared.db.results.export_rows import LARGE, ExportExtent
from shared.errors import LlmBenchError
from shared.exports import csv_table, json_lines
from shared.exports.cells import Cells, RawColumns, cells_of
from shared.exports.columns import Column, columns_with
from shared.exports.formats import FILE_TYPES, file_name
from shared.exports.names import Format, Part

# Rows that are read together, and how many of them with large columns, of about so many bytes.
ROWS_AT_ONCE, LARGE_ROWS_AT_ONCE, BYTES_AT_ONCE = 2_000, 200, 2_000_000
# Tells a client how many rows the file will have.
ROWS_HEADER = "Export-Rows"


class ExportBroken(LlmBenchError):
    """What is exported was deleted meanwhile. Raised in mid-answer, so that the connection breaks off."""

    code = "export_broken"


class TableWriter(Protocol):
    """Writes a table of some columns: first `begin`, then each block of cells, then `end`."""

    def begin(self) -> bytes: ...
    def block(self, cells: Cells) -> bytes: ...
    def end(self) -> bytes: ...


class CsvWriter:
    """Writes CSV."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        return csv_table.header(column.name for column in self._columns)

    def block(self, cells: Cells) -> bytes:
        return csv_table.rows(self._columns, cells)

    def end(self) -> bytes:
        return b""


class LinesWriter:
    """Writes JSON Lines."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        return b""

    def block(self, cells: Cells) -> bytes:
        return json_lines.lines(self._columns, cells)

    def end(self) -> bytes:
        return b""


class ResultBlocks:
    """The results of a benchmark that were stored when the export began, in blocks of raw columns."""

    def __init__(self, parts: State, benchmark_id: int, extent: ExportExtent, *, warmup: bool, large: Sequence[str]):
        self._parts = parts
        self._id = benchmark_id
        self._extent = extent
        self._warmup = warmup
        self._large = large

    async def __aiter__(self) -> AsyncIterator[dict[str, Sequence[Any]]]:
        """Raises ExportBroken if the results are not all there any more."""
        seen = after = 0
        begun = await self._parts.benchmarks.get(self._id)
        # One block after the other. SQLite's driver releases the interpreter's lock at each row. If a thread wrote the
        # block before meanwhile, it would wait milliseconds for the lock each time.
        while block := await self._block(after):
            seen, after = seen + len(block["id"]), block["id"][-1]
            yield block
        ended = await self._parts.benchmarks.get(self._id)
        if seen != self._extent.rows or (self._large and ended.texts_deleted_at != begun.texts_deleted_at):
            raise ExportBroken(f"results of benchmark {self._id} were deleted while it was exported")

    async def _block(self, after: int) -> dict[str, Sequence[Any]]:
        where: dict[str, Any] = {"warmup": self._warmup, "after": after, "last_id": self._extent.last_id}
        limit = ROWS_AT_ONCE
        if self._large:
            fit = await self._parts.export_rows.group(
                self._id, **where, most_bytes=BYTES_AT_ONCE, large=[name for name in self._large if name in LARGE]
            )
            limit = min(fit, LARGE_ROWS_AT_ONCE)
        return await self._parts.export_rows.block(self._id, **where, limit=limit, large=self._large)


async def table_pieces(
    parts: State,
    benchmark_id: int,
    extent: ExportExtent,
    writer: Callable[[Sequence[Column]], TableWriter],
    include: Sequence[Part],
    *,
    warmup: bool,
) -> AsyncIterator[bytes]:
    """A file with a row for each result."""
    columns = columns_with(include)
    prompts = ExportPrompts(parts, benchmark_id) if "prompt" in include else None
    # In a thread, as the writer of a format may import a large library.
    writing = await asyncio.to_thread(writer, columns)

    def write(raw: RawColumns, texts: Sequence[str | None] | None) -> bytes:
        with_texts: Mapping[str, Any] = raw if texts is None else {**raw, "prompt": texts}
        return writing.block(cells_of(with_texts, columns, benchmark_id))

    yield writing.begin()
    async for raw in ResultBlocks(parts, benchmark_id, extent, warmup=warmup, large=include):
        texts = None if prompts is None else await prompts.of(raw["prompt_index"], raw["repetition"])
        yield await asyncio.to_thread(write, raw, texts)
    yield await asyncio.to_thread(writing.end)


async def file_answer(
    request: Request, format_name: Format, pieces: AsyncIterator[bytes], *named: str | int, rows: int | None = None
) -> Response:
    """Sends a file. A failure in its first pieces is still an error; after that the connection breaks off."""
    kind = FILE_TYPES[format_name]
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(format_name, *named)}"',
        "Cache-Control": "no-store",
        **({} if rows is None else {ROWS_HEADER: str(rows)}),
    }
    if getattr(request.state, "is_head", False):
        answer = Response(headers=headers, media_type=kind.media_type)
        # The size of the file is not known.
        del answer.headers["content-length"]
        return answer
    first = [piece async for _, piece in _first(pieces, 2)]

    async def all_pieces() -> AsyncIterator[bytes]:
        try:
            for piece in first:
                yield piece
            async for piece in pieces:
                yield piece
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    return StreamingResponse(all_pieces(), headers=headers, media_type=kind.media_type)


async def _first(pieces: AsyncIterator[bytes], count: int) -> AsyncIterator[tuple[int, bytes]]:
    for number in range(count):
        try:
            yield number, await anext(pieces)
        except StopAsyncIteration:
            return
