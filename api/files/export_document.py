"""The pieces of a JSON export: the benchmark, its prompts, its results."""

import asyncio
from collections.abc import AsyncIterator

from api.files.exports import ResultBlocks
from api.state import State
from shared.db.results.export_rows import LARGE, ExportExtent
from shared.db.tables.benchmarks import Benchmark
from shared.exports import document

PROMPTS_AT_ONCE = 200


async def document_pieces(parts: State, benchmark: Benchmark, extent: ExportExtent) -> AsyncIterator[bytes]:
    """The whole document, which `POST /import` takes."""
    segments = await parts.segments.of(benchmark.id)
    stages = await parts.stages.of(benchmark.id)
    yield await asyncio.to_thread(document.head, benchmark, segments, stages)
    first, after = True, -1
    while listed := await parts.benchmark_pages.prompts(benchmark.id, after=after, limit=PROMPTS_AT_ONCE):
        found = await parts.benchmark_pages.prompt_documents(benchmark.id, [item.prompt_index for item in listed])
        items = [document.prompt_item(index, found[index]) for index in sorted(found)]
        yield document.joined(items, first=first)
        first, after = False, listed[-1].prompt_index
    yield document.BETWEEN
    first = True
    async for raw in ResultBlocks(parts, benchmark.id, extent, warmup=True, large=LARGE):
        made = await asyncio.to_thread(document.result_items, raw)
        yield document.joined(made, first=first)
        first = False
    yield document.END
