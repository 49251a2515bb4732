"""A stage that another worker went on with: the time between the workers is neither load nor time of the stage."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.access.caller import LOCAL
from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop, ConstantRate, Pace
from shared.benchmark.load.places import place_at
from shared.benchmark.load.plan import Stage
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.results import ResultRepository
from shared.db.runs.stages import RunStages
from shared.db.tables.benchmarks import Benchmark, StageRow
from shared.providers.key_ring import KeyRing
from shared.workloads.loads import load_of
from simulator.server import Simulator
from tests.shared.db.rows import make_record
from tests.support.service import make_settings, running_worker
from tests.support.waiting import until
from tests.worker.run.test_statistics import result
from worker.engine.children import Children
from worker.run.stages import merged
from worker.run.summary import summary_of_stage

Finish = Callable[[Benchmark], Awaitable[Sequence[StageRow]]]


def measured(segment: int, *at_ms: float, concurrency: int) -> RunAggregate:
    """What a worker has measured: requests of 100 ms, sent at these times."""
    results = RunAggregate(concurrency)
    for number, each_ms in enumerate(at_ms):
        results.add(result(number, at_ms=each_ms), segment=segment)
    return results


@pytest.mark.parametrize(
    ("pace", "each_ms", "streams"), [(ClosedLoop(4), 100, 4), (ConstantRate(1, 8), 1_000, 1)], ids=["closed", "open"]
)
def test_a_stage_of_two_workers_has_the_time_and_the_load_of_both(pace: Pace, each_ms: int, streams: int) -> None:
    """Each has measured 30 s, with five minutes between them."""
    waves = [number * each_ms for number in range(30_000 // each_ms)]
    first, second = (
        measured(segment, *[begin_ms + wave for wave in waves] * streams, concurrency=pace.max_in_flight)
        for segment, begin_ms in ((1, 0), (4, 330_000))
    )
    found = summary_of_stage(Stage(0, Phase(pace)), merged([first, second]))
    assert (found["interrupted"], found["steady_window"]) == (True, None)
    assert found["duration_s"] == pytest.approx(60, rel=0.05)
    assert found["request_throughput"] == pytest.approx(streams * 1_000 / each_ms, rel=0.05)
    assert found["concurrency"]["mean"] == pytest.approx(streams * 100 / each_ms, rel=0.05)


def test_a_stage_of_one_worker_is_not_interrupted() -> None:
    """Also if another worker began it, and stored nothing."""
    whole = merged([RunAggregate(1), measured(4, *range(0, 1_000, 100), concurrency=1)])
    found = summary_of_stage(Stage(0, Phase(ClosedLoop(1))), whole)
    assert found["interrupted"] is False
    assert found["steady_window"] is not None


def spec(**load: Any) -> BenchmarkSpec:
    body = {"name": "test", "model": "sim-ttft5-gap1-n2", "prompts": ["a", "b", "c"], "load": load}
    return BenchmarkSpec.model_validate(body).with_defaults()


async def die(
    database: Database, wanted: BenchmarkSpec, *, ordinals: Sequence[int], begin: datetime, took_s: float
) -> None:
    """A worker goes on with stage 0, stores these results, the last at the end of so many seconds, and is gone."""
    claimed = await LeaseRepository(database, lease_s=0).claim("dead")
    assert claimed is not None
    lease, workload = claimed[0], load_of(wanted).workload
    leases, stages, mark = (
        LeaseRepository(database, lease_s=0),
        RunStages(database),
        place_at(0, max(ordinals, default=0) + 1),
    )
    await leases.end_crashed(lease, [])
    await leases.begin(lease, dispatched=mark, price=None)
    await stages.enter(lease, dispatched=mark, stages={0: {}})
    records = []
    for number, ordinal in enumerate(ordinals):
        item = workload.item(place_at(0, ordinal))
        assert item is not None
        at = begin + timedelta(seconds=took_s * number / (len(ordinals) - 1))
        times = {"scheduled_at": at, "sent_at": at, "ended_at": at}
        records.append(make_record(item.prompt_index, item.repetition, id=item.id, stage=0, **times))
    await ResultRepository(database).record(lease, records, dispatched=mark)


@pytest.fixture
def finish(database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children) -> Finish:
    """Lets a living worker run a benchmark to its end, and returns its stages."""

    async def finished(benchmark: Benchmark) -> Sequence[StageRow]:
        repository = BenchmarkRepository(LOCAL, database)
        settings = make_settings(database_url, redis_url, simulator.base_url)
        async with running_worker(settings, KeyRing({}), children):

            async def ended() -> str | None:
                status = await repository.status(benchmark.id)
                return None if status in ("pending", "running") else status

            assert await until(ended) == "completed"
        return await RunStages(database).of(benchmark.id)

    return finished


async def test_a_stage_that_was_taken_over_twice_lasts_as_long_as_it_was_to(
    database: Database, simulator: Simulator, finish: Finish
) -> None:
    """Two dead workers have measured 2 and 3.5 of its 6 seconds, with five minutes between them."""
    wanted, now = spec(concurrency=1, duration_s=6), datetime.now(UTC)
    benchmark = await BenchmarkRepository(LOCAL, database).create(wanted, "simulator")
    await die(database, wanted, ordinals=range(3), begin=now - timedelta(seconds=320), took_s=2)
    await die(database, wanted, ordinals=range(3, 8), begin=now - timedelta(seconds=10), took_s=3.5)
    (row,) = await finish(benchmark)
    assert row.ended_by == "duration"
    received_ns = [request.received_ns for request in simulator.requests]
    # Half a second was left.
    assert received_ns
    assert (max(received_ns) - min(received_ns)) / 1e9 < 2.5
    assert row.summary is not None
    assert (row.summary["interrupted"], row.summary["steady_window"]) == (True, None)
    assert 5.5 < row.summary["duration_s"] < 9
    succeeded = row.summary["requests"]["succeeded"]
    assert succeeded == 8 + len(received_ns)
    assert row.summary["request_throughput"] == pytest.approx(succeeded / row.summary["duration_s"])
    document = await BenchmarkRepository(LOCAL, database).get(benchmark.id)
    assert document.summary is not None
    # The stage is the whole run.
    assert document.summary["duration_s"] == pytest.approx(row.summary["duration_s"])


async def test_a_stage_that_was_begun_without_a_result_has_its_own_first_wave(
    database: Database, finish: Finish
) -> None:
    """Not that of the stage with the most streams, behind which it would have no steady window."""
    wanted = spec(stages=[{"concurrency": 1, "requests": 8}, {"concurrency": 16, "requests": 16}])
    benchmark = await BenchmarkRepository(LOCAL, database).create(wanted, "simulator")
    await die(database, wanted, ordinals=(), begin=datetime.now(UTC), took_s=0)
    few, _ = await finish(benchmark)
    assert few.summary is not None
    assert (few.summary["interrupted"], few.summary["requests"]["succeeded"]) == (False, 8)
    assert few.summary["steady_window"] is not None
