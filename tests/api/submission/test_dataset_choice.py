"""A benchmark is stored with id and hash of its dataset, and a dataset of the wrong kind is refused."""

from typing import Any

import pytest

from api.submission.dataset_choice import chosen, with_dataset
from shared.access.caller import LOCAL
from shared.benchmark.extra_body import STORED
from shared.benchmark.run_spec import MAX_CONCURRENCY
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.dataset_spec import DatasetSource
from shared.benchmark.workload.trace_spec import TraceSource
from shared.db.connection.database import Database
from shared.db.datasets.repository import DatasetRepository, NewDataset
from shared.errors import InvalidRequest
from shared.workloads.row_blocks import BlockWriter
from shared.workloads.rows import TraceRow

SHA = "a" * 64


async def stored(datasets: DatasetRepository, file_format: str, rows: int = 5) -> int:
    new = NewDataset("x", file_format, {}, SHA, f"{file_format} {rows}", 9, rows, rows, {})
    return (await datasets.add(new, []))[0].id


def spec(**changes: Any) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate({"name": "x", "model": "sim", **changes})


async def test_id_and_hash_are_both_written_down(database: Database) -> None:
    datasets = DatasetRepository(LOCAL, database)
    number = await stored(datasets, "jsonl")
    for source in (DatasetSource(id=number, max_turns=3), DatasetSource(sha256=SHA, max_turns=3)):
        found = await chosen(source, "prompts", "workload.dataset", datasets)
        assert found == DatasetSource(id=number, sha256=SHA, rows=5, turns=5, max_turns=3)


async def test_a_dataset_must_have_what_is_needed(database: Database) -> None:
    datasets = DatasetRepository(LOCAL, database)
    prompts, trace = await stored(datasets, "csv"), await stored(datasets, "azure")
    with pytest.raises(
        InvalidRequest, match=f"workload.trace: dataset {prompts} has prompts or conversations; this needs a"
    ):
        await chosen(TraceSource(id=prompts), "trace", "workload.trace", datasets)
    with pytest.raises(InvalidRequest, match=f"dataset {trace} has a trace; this needs prompts or conversations"):
        await chosen(DatasetSource(id=trace), "prompts", "workload.dataset", datasets)
    assert (await chosen(TraceSource(id=trace), "trace", "f", datasets)).id == trace


async def test_a_spec_without_a_dataset_stays_as_it_is(database: Database) -> None:
    plain = spec(prompts=["a"])
    assert await with_dataset(plain, DatasetRepository(LOCAL, database)) is plain


async def test_the_rows_say_how_many_requests_there_are(database: Database) -> None:
    datasets = DatasetRepository(LOCAL, database)
    number = await stored(datasets, "csv")
    workload = {"source": "dataset", "dataset": {"id": number, "rows": 999}}
    short = (await with_dataset(spec(workload=workload, repetitions=3, warmup=2), datasets)).with_defaults()
    assert (short.measured_requests, short.planned_requests, short.concurrency) == (15, 17, 8)
    loaded = (await with_dataset(spec(workload=workload, load={"concurrency": 2}), datasets)).with_defaults()
    assert loaded.planned_requests == 5
    # As a worker reads it.
    again = BenchmarkSpec.model_validate(loaded.model_dump(mode="json", exclude_none=True), context=STORED)
    assert again.planned_requests == 5


async def test_a_trace_is_sent_once_with_room_for_all_it_wants(database: Database) -> None:
    datasets = DatasetRepository(LOCAL, database)
    workload = {"source": "trace", "trace": {"id": await stored(datasets, "azure")}}
    slos = {"effective_latency_ms": 500.0}
    found = (await with_dataset(spec(workload=workload, repetitions=3, slos=slos), datasets)).with_defaults()
    assert (found.measured_requests, found.concurrency) == (5, MAX_CONCURRENCY)


async def test_too_many_requests_are_refused(database: Database) -> None:
    datasets = DatasetRepository(LOCAL, database)
    number = await stored(datasets, "csv", rows=600_000)
    workload = {"source": "dataset", "dataset": {"id": number}}
    with pytest.raises(InvalidRequest, match=r"repetitions: .* are 1,200,000 requests, at most 1,000,000"):
        await with_dataset(spec(workload=workload, repetitions=2), datasets)
    with pytest.raises(InvalidRequest, match=r"load: .* are 1,200,000 requests, at most 1,000,000"):
        await with_dataset(spec(workload=workload, load={"stages": [{"concurrency": 1}, {"concurrency": 2}]}), datasets)


async def test_of_a_window_only_its_requests_count(database: Database) -> None:
    datasets = DatasetRepository(LOCAL, database)
    writer = BlockWriter()
    for at_s in (0, 5, 10):
        writer.add(TraceRow(at_s * 10**9, 1, 1))
    block = writer.end()
    assert block is not None
    new = NewDataset("x", "azure", {}, SHA, "window", 9, 3, 3, {})
    number = (await datasets.add(new, [block]))[0].id

    async def of(**window: float) -> BenchmarkSpec:
        source = {"source": "trace", "trace": {"id": number, "window": window}}
        return await with_dataset(spec(workload=source), datasets)

    assert (await of(from_s=1.0)).planned_requests == 2
    with pytest.raises(InvalidRequest, match=r"workload\.trace\.window: no request"):
        await of(from_s=6.0, to_s=7.0)


async def test_nobody_knows_how_many_turns_of_conversations_are_sent(database: Database) -> None:
    datasets = DatasetRepository(LOCAL, database)
    new = NewDataset("x", "jsonl", {}, SHA, "turns", 9, 5, 8, {})
    number = (await datasets.add(new, []))[0].id
    for most, planned in ((None, None), (1, 5)):
        source = {"source": "dataset", "dataset": {"id": number, "max_turns": most}}
        named = await with_dataset(spec(workload=source), datasets)
        assert (named.measured_requests, named.planned_requests) == (5, planned)
