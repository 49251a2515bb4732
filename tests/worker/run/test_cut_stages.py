"""Runs with stages whose worker is stopped or whose caller cancels when every request of a stage was sent."""

from typing import Any

import pytest

from shared.access.caller import LOCAL
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.runs.stages import RunStages
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.service import Service, make_settings, running_worker
from tests.worker.run.test_cut_short import submit, until
from tests.worker.run.test_takeover import ended
from worker.engine.children import Children

KEYS = KeyRing({})
LAST, THEN_ONE_MORE = [2], [2, 1]


def with_stages(counts: list[int], **changes: Any) -> BenchmarkSpec:
    """Stages with so many requests, all of a stage at a time."""
    stages = [{"concurrency": count, "requests": count} for count in counts]
    body = {"name": "test", "model": "sim-ttft3000-gap1-n2", "prompts": ["a", "b", "c"], "load": {"stages": stages}}
    return BenchmarkSpec.model_validate({**body, **changes}).with_defaults()


@pytest.mark.parametrize("counts", [LAST, THEN_ONE_MORE])
async def test_what_the_end_of_the_grace_period_cuts_off_is_sent_again(
    database_url: str,
    database: Database,
    redis_url: str,
    simulator: Simulator,
    children: Children,
    counts: list[int],
) -> None:
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(with_stages(counts), "simulator")
    hasty = make_settings(database_url, redis_url, simulator.base_url, shutdown_grace_s=0.1)
    async with running_worker(hasty, KEYS, children):
        await simulator.wait_for(lambda server: server.in_flight == 2)
    document = await repository.get(benchmark.id)
    assert (document.status, document.done) == ("running", 0)
    assert [stage.ended_by for stage in await RunStages(database).of(benchmark.id)] == [None]
    async with running_worker(make_settings(database_url, redis_url, simulator.base_url), KEYS, children):
        assert await ended(database, benchmark.id) == "completed"
    document = await repository.get(benchmark.id)
    assert document.done == document.planned == sum(counts)
    assert document.summary is not None
    assert document.summary["requests"]["succeeded"] == sum(counts)
    stored = await RunStages(database).of(benchmark.id)
    assert [(stage.ended_by, (stage.summary or {})["requests"]["succeeded"]) for stage in stored] == [
        ("requests", count) for count in counts
    ]


async def test_a_cancel_ends_the_stage_in_progress_and_no_other_begins(service: Service, simulator: Simulator) -> None:
    spec = with_stages(THEN_ONE_MORE)
    assert spec.load is not None
    number = await submit(
        service, model="sim-ttft5-gap1-endless", load=spec.load.model_dump(mode="json", exclude_unset=True)
    )
    await simulator.wait_for(lambda server: server.in_flight == 2)
    await service.client.post(f"/benchmarks/{number}/cancel")
    document = await until(service, number, "cancelled")
    (stage,) = document["stages"]
    assert (stage["ended_by"], stage["summary"]["requests"]["cancelled"]) == ("cancelled", 2)
    assert len(simulator.requests) == 2
