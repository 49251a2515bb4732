"""Compares stored benchmarks, and keeps what ended ones gave. The route, the page and the export ask it."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.benchmark.prompt_set import prompt_set
from shared.benchmark.status import TERMINAL
from shared.comparison.compared import LABELS, Compared
from shared.comparison.measure import Margins
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.results.comparison_rows import ComparisonRows
from shared.db.tables.benchmarks import Benchmark
from shared.errors import Conflict, InvalidRequest, NotFound

LEAST, MOST = 2, len(LABELS)
# Comparisons that are kept, each of some ten kB.
_KEPT = 64
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Key:
    ids: tuple[int, ...]
    margins: Margins
    # Which of them have lost their texts: a comparison shows names and parameters.
    have_texts: tuple[bool, ...]


class KeptComparisons:
    """The comparisons that a process has made. Each process has one."""

    def __init__(self) -> None:
        self.documents: OrderedDict[_Key, Document] = OrderedDict()
        # One at a time: a comparison uses a core, which other requests need too.
        self.making = asyncio.Lock()


class Comparisons:
    """Comparisons of benchmarks that have ended. Their results never change; retention may delete their texts."""

    def __init__(self, benchmarks: BenchmarkRepository, rows: ComparisonRows, kept: KeptComparisons) -> None:
        self._benchmarks = benchmarks
        self._rows = rows
        self._kept = kept

    async def of(self, ids: Sequence[int], margins: Margins) -> Document:
        """The document of `GET /compare`, the first id being the reference.

        Raises InvalidRequest for fewer than two or more than eight ids, and for one that is named twice; NotFound; and
        Conflict if a benchmark has not ended or has no result to compare.
        """
        check_ids(ids)
        # What is kept belongs to all who may see each of them: this asks for every comparison.
        found = [await self._ended(number) for number in ids]
        key = _Key(tuple(ids), margins, tuple(benchmark.texts_deleted_at is None for benchmark in found))
        kept = self._kept.documents
        if key not in kept:
            async with self._kept.making:
                if key not in kept:
                    kept[key] = await self._compared(found, margins)
        kept.move_to_end(key)
        document = kept[key]
        while len(kept) > _KEPT:
            kept.popitem(last=False)
        return document

    async def _ended(self, number: int) -> Benchmark:
        benchmark = await self._benchmarks.get(number)
        if benchmark.status not in TERMINAL:
            raise Conflict(f"benchmark {number} is {benchmark.status}: compare it when it has ended")
        counts = (benchmark.summary or {}).get("requests") or {}
        if not counts.get("succeeded"):
            raise Conflict(f"benchmark {number} has no request that succeeded: there is nothing to compare")
        return benchmark

    async def _compared(self, found: Sequence[Benchmark], margins: Margins) -> Document:
        runs = [await self._described(label, benchmark) for label, benchmark in zip(LABELS, found, strict=False)]
        rows = [await self._rows.of(benchmark.id, benchmark.done) for benchmark in found]

        def compare() -> Document:
            # Here, so that the API does not import numpy at its start.
            from shared.comparison.comparison import comparison_of

            return comparison_of(runs, rows, margins)

        return await asyncio.to_thread(compare)

    async def _described(self, label: str, benchmark: Benchmark) -> Compared:
        return Compared(
            label=label,
            id=benchmark.id,
            name=benchmark.name,
            model=benchmark.model,
            provider=benchmark.provider,
            status=benchmark.status,
            spec=benchmark.spec,
            summary=benchmark.summary or {},
            endpoint=benchmark.endpoint,
            prompt_set=benchmark.prompt_set or await self._prompt_set(benchmark.id),
            started_at=benchmark.started_at,
            completed_at=benchmark.completed_at,
            has_texts=benchmark.texts_deleted_at is None,
        )

    async def _prompt_set(self, number: int) -> str | None:
        """Of a benchmark that a version before stored. None: its prompts were deleted."""
        try:
            spec, _ = await self._benchmarks.spec(number)
        except (Conflict, NotFound):
            return None
        return await asyncio.to_thread(prompt_set, spec)


def check_ids(ids: Sequence[int]) -> None:
    """Raises InvalidRequest."""
    if len(ids) < LEAST:
        raise InvalidRequest.of("ids", f"must name at least {LEAST} benchmarks, as in ids=1,2", "too_short")
    if len(ids) > MOST:
        raise InvalidRequest.of("ids", f"must name at most {MOST} benchmarks; these are {len(ids)}", "too_long")
    twice = next((number for number in ids if list(ids).count(number) > 1), None)
    if twice is not None:
        raise InvalidRequest.of("ids", f"names benchmark {twice} twice", "not_unique")
