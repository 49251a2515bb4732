"""A benchmark is stored with id and hash of its dataset, and a dataset of the wrong kind is refused."""

import pytest

from api.dataset_choice import chosen
from shared.benchmark.dataset_spec import DatasetSource
from shared.benchmark.trace_spec import TraceSource
from shared.db.database import Database
from shared.db.datasets import DatasetRepository, NewDataset
from shared.errors import InvalidRequest

SHA = "a" * 64


async def stored(datasets: DatasetRepository, file_format: str) -> int:
    new = NewDataset("x", file_format, {}, SHA, file_format, 9, 0, 0, {})
    return (await datasets.add(new, []))[0].id


async def test_id_and_hash_are_both_written_down(database: Database) -> None:
    datasets = DatasetRepository(database)
    number = await stored(datasets, "jsonl")
    for source in (DatasetSource(id=number, max_turns=3), DatasetSource(sha256=SHA, max_turns=3)):
        found = await chosen(source, "prompts", "workload.dataset", datasets)
        assert found == DatasetSource(id=number, sha256=SHA, max_turns=3)


async def test_a_dataset_must_have_what_is_needed(database: Database) -> None:
    datasets = DatasetRepository(database)
    prompts, trace = await stored(datasets, "csv"), await stored(datasets, "azure")
    with pytest.raises(
        InvalidRequest, match=f"workload.trace: dataset {prompts} has prompts or conversations; this needs a"
    ):
        await chosen(TraceSource(id=prompts), "trace", "workload.trace", datasets)
    with pytest.raises(InvalidRequest, match=f"dataset {trace} has a trace; this needs prompts or conversations"):
        await chosen(DatasetSource(id=trace), "prompts", "workload.dataset", datasets)
    assert (await chosen(TraceSource(id=trace), "trace", "f", datasets)).id == trace
