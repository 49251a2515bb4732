"""Prompts that are not stored: those of generated, builtin, dataset and trace workloads, made again from the spec."""

import asyncio
from collections.abc import Iterable, Sequence

import orjson

from shared.benchmark.workload.workload import WorkItem, Workload
from shared.clock import Clock
from shared.db.benchmarks.pages import BenchmarkPages
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.datasets.repository import DatasetRepository
from shared.errors import Conflict, InvalidRequest, NotFound

# A workload is kept for those who page through its results, and not for long: it may hold the rows of a dataset.
KEPT_S, KEPT = 60.0, 3

# The prompt index and the repetition of a result.
Key = tuple[int, int]


class KeptWorkloads:
    """The workloads that a process has made lately, by benchmark. Each process has one."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self.kept_s = kept_s
        self.workloads: dict[int, Workload | None] = {}
        # One at a time: the same benchmark is not made twice, and many large ones do not take memory together.
        self.making = asyncio.Lock()


class MadePrompts:
    """Makes what the requests of a benchmark said. After retention has deleted its texts, it makes none."""

    def __init__(
        self,
        pages: BenchmarkPages,
        benchmarks: BenchmarkRepository,
        datasets: DatasetRepository,
        kept: KeptWorkloads,
    ) -> None:
        self._pages = pages
        self._benchmarks = benchmarks
        self._datasets = datasets
        self._kept = kept

    async def is_needed(self, benchmark_id: int) -> bool:
        """Whether the benchmark's prompts come from elsewhere. False after its texts were deleted."""
        return await self._pages.makes_prompts(benchmark_id)

    async def workload(self, benchmark_id: int) -> Workload | None:
        """What makes the prompts of a benchmark. None: they are stored, were deleted, or cannot be made here.

        They cannot be made if the dataset was deleted, or if the tokenizer is a file that only workers have.
        """
        kept = self._kept.workloads
        if not await self.is_needed(benchmark_id):
            kept.pop(benchmark_id, None)
            return None
        async with self._kept.making:
            if benchmark_id not in kept:
                made = kept[benchmark_id] = await self._make(benchmark_id)
                asyncio.get_running_loop().call_later(self._kept.kept_s, self._forget, benchmark_id, made)
                if len(kept) > KEPT:
                    del kept[next(iter(kept))]
            return kept[benchmark_id]

    def _forget(self, benchmark_id: int, made: Workload | None) -> None:
        """Unless it was made again meanwhile."""
        if self._kept.workloads.get(benchmark_id) is made:
            self._kept.workloads.pop(benchmark_id, None)

    async def _make(self, benchmark_id: int) -> Workload | None:
        # Here, because tokenizer and corpus take a while to load.
        from shared.workloads.loads import load_of

        try:
            spec, _ = await self._benchmarks.spec(benchmark_id)
            rows = await self._datasets.rows_of(spec)
            load = await asyncio.to_thread(load_of, spec, rows=rows)
        except (Conflict, InvalidRequest, NotFound):
            return None
        return load.workload


def item_of(workload: Workload, key: Key) -> WorkItem | None:
    """The request of a stored result. The answers that a later turn of a conversation carried are not in it."""
    request = workload.id_of(*key)
    return workload.item(request.place, request.turn, [""] * request.turn)


def texts_of(workload: Workload, keys: Iterable[Key], clock: Clock, most_s: float) -> tuple[dict[Key, str], float]:
    """(last user turns, seconds that this took). In a thread. It stops after `most_s`; the rest is then missing."""
    begin_ns, texts = clock.monotonic_ns(), {}
    spent_s = 0.0
    for key in keys:
        if spent_s >= most_s:
            break
        item = item_of(workload, key)
        if item is not None:
            texts[key] = item.messages[-1]["content"]
        spent_s = (clock.monotonic_ns() - begin_ns) / 1e9
    return texts, spent_s


def documents_of(workload: Workload, keys: Sequence[Key], system: str | None) -> list[bytes | None]:
    """Each prompt as the JSON of a `PromptOut`. In a thread. `system`: the benchmark's."""
    return [_document(item_of(workload, key), system) for key in keys]


def _document(item: WorkItem | None, system: str | None) -> bytes | None:
    if item is None:
        return None
    return orjson.dumps(
        {
            "prompt_index": item.prompt_index,
            "system": None if item.system == system else item.system,
            "messages": list(item.messages[-1:] if item.id.turn else item.messages),
            "parameters": item.parameters.model_dump(mode="json"),
        }
    )
