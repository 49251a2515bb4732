"""Takes imports: receives the file onto the disk, checks it in a thread, and stores it in one transaction."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from api.files.import_reader import ReadImport, read_import
from api.files.packed_results import PackedResults
from api.files.uploads import receive, temporary_file
from api.http.at_once import AtOnce
from api.submission.dataset_choice import with_dataset
from shared.benchmark.prompt_set import prompt_set
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.imports import ImportRepository, NewImport
from shared.db.datasets.repository import DatasetRepository
from shared.db.tables.benchmarks import Benchmark
from shared.errors import InvalidRequest
from shared.exports.imported import BenchmarkIn

MAX_IMPORT_BYTES = 512_000_000
# A file must have arrived this long after its request began.
ARRIVAL_S = 600.0
# Each takes up to twice MAX_IMPORT_BYTES on the disk, and a core while it is read.
IMPORTS_AT_ONCE = 2


class Imports:
    """Takes imports of one caller. `places`: of the process."""

    def __init__(
        self,
        imports: ImportRepository,
        datasets: DatasetRepository,
        places: AtOnce,
        max_prompt_bytes: int,
        max_bytes: int = MAX_IMPORT_BYTES,
    ) -> None:
        self._imports = imports
        self._datasets = datasets
        self._max_prompt_bytes = max_prompt_bytes
        self._max_bytes = max_bytes
        self._places = places

    async def take(self, pieces: AsyncIterator[bytes], *, gzipped: bool) -> tuple[Benchmark, bool]:
        """(benchmark, whether it is new). The same content is stored once.

        Raises InvalidRequest that names what is wrong, and HTTPException for a file that is too large or if too many
        arrive at the same time.
        """
        with self._places.place(), temporary_file() as received, temporary_file() as kept:
            upload = await receive(pieces, received, self._max_bytes, gzipped=gzipped)
            packed = PackedResults(kept)
            read = await asyncio.to_thread(read_import, upload.file, packed, self._max_prompt_bytes)
            stored = await self._imports.by_key(read.key)
            if stored is not None:
                return stored, False
            return await self._imports.add(await self._new(read, packed))

    async def _new(self, read: ReadImport, packed: PackedResults) -> NewImport:
        head = read.head
        row = _row(head.benchmark)
        spec: dict[str, Any] = head.benchmark.spec
        if read.spec is not None:
            here = await self._with_dataset(read.spec)
            spec = here.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
            row["prompt_set"] = await asyncio.to_thread(prompt_set, here)

        async def results() -> AsyncIterator[Sequence[dict[str, Any]]]:
            for block in packed.blocks():
                yield await asyncio.to_thread(block)

        return NewImport(
            key=read.key,
            benchmark=row,
            spec=spec,
            segments=[dict(segment) for segment in head.segments],
            stages=[dict(stage) for stage in head.stages],
            prompts=[{"prompt_index": index, "document": document} for index, document in enumerate(read.prompts)],
            results=results,
        )

    async def _with_dataset(self, spec: BenchmarkSpec) -> BenchmarkSpec:
        """The spec with the id of its dataset on this server, if it has the same file."""
        try:
            return await with_dataset(spec, self._datasets)
        except InvalidRequest:
            return spec


def _row(benchmark: BenchmarkIn) -> dict[str, Any]:
    row = dict(benchmark)
    del row["id"], row["spec"]
    # An import that has ended is no worker's.
    return row
