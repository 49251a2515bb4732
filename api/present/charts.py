"""The charts of a benchmark: made from its results in a thread, kept when it has ended, remembered while it runs."""

import asyncio
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from shared.benchmark.charts.version import VERSION
from shared.benchmark.status import TERMINAL
from shared.clock import Clock
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.results.chart_rows import ChartRepository

if TYPE_CHECKING:
    from shared.benchmark.charts.columns import ChartColumns

# The newest results that charts are made from: once for a benchmark that has ended, and again and again while it runs.
MOST_RESULTS = 1_000_000
MOST_WHILE_RUNNING = 50_000
# How long the charts of a running benchmark are shown before they are made again.
KEPT_S, KEPT = 5.0, 20


class KeptCharts:
    """What the makers of a process share. Each process has one."""

    def __init__(self) -> None:
        # By the id of a running benchmark: until when they are shown, and the charts.
        self.running: dict[int, tuple[int, dict[str, Any]]] = {}
        # One at a time each: columns of many results take memory. Running benchmarks must not wait for a large one.
        self.making_ended, self.making_running = asyncio.Lock(), asyncio.Lock()


class ChartMaker:
    """Makes charts for one caller. Once made, those of an ended benchmark are read in a few ms."""

    def __init__(self, rows: ChartRepository, benchmarks: BenchmarkRepository, clock: Clock, kept: KeptCharts) -> None:
        self._rows = rows
        self._benchmarks = benchmarks
        self._clock = clock
        self._kept = kept

    async def of(self, benchmark_id: int) -> dict[str, Any]:
        """The document that `GET /benchmarks/{id}/charts` shows. Raises NotFound."""
        # Only this asks whose benchmark it is: what is kept belongs to all who may see it.
        status = await self._benchmarks.status(benchmark_id)
        if status in TERMINAL:
            document = await self._of_ended(benchmark_id)
        else:
            document = await self._of_running(benchmark_id)
        return {"benchmark_id": benchmark_id, "status": status, **document, "errors": await self._errors(document)}

    async def are_kept(self, benchmark_id: int) -> bool:
        """Whether `of` answers at once."""
        return await self._rows.has(benchmark_id, VERSION)

    async def _of_ended(self, benchmark_id: int) -> dict[str, Any]:
        self._kept.running.pop(benchmark_id, None)
        stored = await self._stored(benchmark_id)
        if stored is not None:
            return stored
        async with self._kept.making_ended:
            stored = await self._stored(benchmark_id)
            if stored is None:
                stored = await self._made(benchmark_id, MOST_RESULTS)
                await self._rows.store(benchmark_id, VERSION, await asyncio.to_thread(_packed, stored))
            return stored

    async def _stored(self, benchmark_id: int) -> dict[str, Any] | None:
        stored = await self._rows.stored(benchmark_id)
        if stored is None or stored.version != VERSION:
            return None
        return await asyncio.to_thread(_unpacked, stored.document)

    async def _of_running(self, benchmark_id: int) -> dict[str, Any]:
        async with self._kept.making_running:
            now_ns = self._clock.monotonic_ns()
            until_ns, document = self._kept.running.pop(benchmark_id, (0, {}))
            if now_ns >= until_ns:
                document = await self._made(benchmark_id, MOST_WHILE_RUNNING)
                until_ns = self._clock.monotonic_ns() + round(KEPT_S * 1e9)
            # The newest last: the first one is forgotten.
            kept = self._kept.running
            kept[benchmark_id] = until_ns, document
            if len(kept) > KEPT:
                del kept[next(iter(kept))]
            return document

    async def _made(self, benchmark_id: int, most: int) -> dict[str, Any]:
        blocks = [await asyncio.to_thread(_columns, block) async for block in self._rows.blocks(benchmark_id, most)]
        errors = await self._rows.errors(benchmark_id)
        charts = await asyncio.to_thread(_charts, blocks)
        return {
            "cut": sum(len(block) for block in blocks) == most,
            **charts,
            # Without texts, which retention deletes from results.
            "errors": [{"kind": error.kind, "count": error.count, "result_id": error.example} for error in errors],
        }

    async def _errors(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        """With an example of each kind, as the results have it now."""
        examples = await self._rows.examples([error["result_id"] for error in document["errors"]])
        found = []
        for error in document["errors"]:
            example = examples.get(error["result_id"])
            told = (example and example.error) or {}
            found.append(
                {
                    "kind": error["kind"],
                    "count": error["count"],
                    "example": example
                    and {
                        "result_id": example.result_id,
                        "prompt_index": example.prompt_index,
                        "message": told.get("message"),
                        "http_status": told.get("http_status"),
                    },
                }
            )
        return found


def _columns(rows: Sequence[Sequence[Any]]) -> "ChartColumns":
    # Here, and in a thread, because numpy takes 0.1 s: the API starts without it.
    from shared.benchmark.charts.columns import ChartColumns

    return ChartColumns.of_rows(rows)


def _charts(blocks: "Sequence[ChartColumns]") -> dict[str, Any]:
    from shared.benchmark.charts.columns import ChartColumns
    from shared.benchmark.charts.document import charts_of

    return charts_of(ChartColumns.joined(blocks))


def _packed(document: dict[str, Any]) -> bytes:
    return zlib.compress(orjson.dumps(document))


def _unpacked(stored: bytes) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(zlib.decompress(stored))
    return document
