"""Runs with stages: each has its own results, end and summary, also after a worker has died in the middle of one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.access.caller import LOCAL
from shared.benchmark.load.places import is_warmup, place_at
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.results import ResultRepository
from shared.db.runs.stages import RunStages
from shared.providers.key_ring import KeyRing
from shared.workloads.loads import load_of
from simulator.server import Simulator
from tests.shared.db.rows import make_record
from tests.support.service import Service, make_settings, running_service, running_worker
from tests.support.waiting import until
from worker.engine.children import Children
from worker.run.stages import merged

KEYS = KeyRing({})
FAST = "sim-ttft5-gap1-n2"


async def run(service: Service, load: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return await service.run(**{"model": FAST, "prompts": ["a", "b", "c"], "load": load, **changes})


async def test_each_stage_has_its_own_requests_end_and_summary(service: Service, simulator: Simulator) -> None:
    calm = {"name": "calm", "concurrency": 1, "requests": 4, "warmup": {"requests": 2}}
    done = await run(service, {"stages": [calm, {"concurrency": 3, "requests": 6}]})
    assert done["status"] == "completed"
    assert [(stage["number"], stage["label"], stage["ended_by"]) for stage in done["stages"]] == [
        (0, {"name": "calm", "concurrency": 1}, "requests"),
        (1, {"concurrency": 3}, "requests"),
    ]
    counts = [stage["summary"]["requests"] for stage in done["stages"]]
    assert [(count["warmup"], count["succeeded"]) for count in counts] == [(2, 4), (0, 6)]
    assert [stage["summary"]["concurrency"]["requested"] for stage in done["stages"]] == [1, 3]
    assert done["summary"]["requests"]["succeeded"] == 10
    assert (done["progress"]["total"], len(simulator.requests)) == (12, 12)
    assert sorted(result["stage"] for result in done["results"]) == [0] * 4 + [1] * 6
    # One stage begins when the one before it has ended.
    ends = [result["ended_at"] for result in done["results"] if result["stage"] == 0]
    assert max(ends) <= min(result["sent_at"] for result in done["results"] if result["stage"] == 1)


async def test_a_stage_with_a_duration_ends_by_it_and_cuts_off_what_goes_on(
    service: Service, simulator: Simulator
) -> None:
    load = {"concurrency": 2, "duration_s": 0.5, "grace_s": 0.2}
    done = await run(service, load, model="sim-ttft5-gap5-endless")
    assert (done["stages"][0]["ended_by"], done["progress"]["total"]) == ("duration", None)
    assert {result["outcome"] for result in done["results"]} == {"incomplete"}
    assert done["summary"]["requests"]["incomplete"] == 2
    assert done["summary"]["error_kinds"] == {}
    await simulator.wait_for(lambda server: server.in_flight == 0)


async def test_every_request_that_was_due_is_sent_or_dropped(service: Service, simulator: Simulator) -> None:
    """One stream is far too slow for this rate, and most requests never leave the worker."""
    load = {"request_rate": 1_000, "max_concurrency": 1, "duration_s": 1.5, "grace_s": 1}
    done = await run(service, load, model="sim-ttft200-gap1-n2")
    counts = done["summary"]["requests"]
    assert counts["dropped"] > 1_400
    assert counts["dropped"] + counts["succeeded"] + counts["incomplete"] == 1_500
    assert len(simulator.requests) == counts["succeeded"] + counts["incomplete"]
    assert done["stages"][0]["ended_by"] == "duration"
    rates = done["summary"]["request_rate"]
    assert rates["dropped"] == counts["dropped"]
    assert rates["due"] == pytest.approx(1_000, rel=0.01)
    assert rates["limited_by"] == "max_concurrency"


@pytest.mark.heavy
async def test_few_streams_carry_a_high_rate(service: Service, simulator: Simulator) -> None:
    """They do not wait for the database, which stores many requests at a time. `make bench-rates` has exact rates."""
    load = {"request_rate": 300, "max_concurrency": 30, "duration_s": 2}
    done = await run(service, load, model=FAST)
    rates = done["summary"]["request_rate"]
    assert rates["due"] == pytest.approx(300, rel=0.01)
    # On a busy machine the simulator answers late, and then 30 streams carry less.
    carried = 30 / (done["summary"]["latency_ms"]["mean"] / 1_000)
    assert rates["achieved"] > min(rates["due"], carried) / 2


async def test_only_the_first_results_of_an_open_end_keep_their_timelines(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    url = simulator.base_url
    async with running_service(database_url, redis_url, url, KEYS, children, timeline_max_requests=3) as service:
        # The first wave alone has more results than that, however slow the machine is.
        done = await run(service, {"concurrency": 8, "duration_s": 0.5})
        whole = (await service.client.get(f"/benchmarks/{done['id']}", params={"include": "timeline"})).json()
    kept = [result["timeline"] is not None for result in sorted(whole["results"], key=lambda each: each["id"])]
    assert len(kept) > 3
    assert kept == [True] * 3 + [False] * (len(kept) - 3)
    assert whole["summary"]["inter_chunk_latency_ms"]["count"] == len(kept), "the statistics know the gaps of all"


async def test_seamless_stages_follow_each_other_without_a_break(service: Service, simulator: Simulator) -> None:
    load = {
        "transition": "seamless",
        "stages": [{"concurrency": 1, "duration_s": 0.8}, {"concurrency": 4, "duration_s": 0.8}],
    }
    done = await run(service, load, model="sim-ttft1000-gap1-n2")
    few, many = ([result for result in done["results"] if result["stage"] == stage] for stage in (0, 1))
    assert [stage["ended_by"] for stage in done["stages"]] == ["duration", "duration"]
    assert [stage["summary"]["requests"]["succeeded"] for stage in done["stages"]] == [len(few), len(many)]
    assert 1 <= len(few) < len(many)
    # What was in flight at the change went on.
    assert max(result["ended_at"] for result in few) > min(result["sent_at"] for result in many)
    # Each stage says when it was, although one part sent both.
    for stage, results in zip(done["stages"], (few, many), strict=True):
        assert stage["started_at"] == min(result["sent_at"] for result in results)
        assert stage["ended_at"] == max(result["ended_at"] for result in results)
    assert done["summary"]["steady_window"] is None


async def test_a_stage_with_errors_ends_before_its_time(service: Service) -> None:
    done = await run(service, {"concurrency": 2, "duration_s": 60, "stop_on_error_rate": 0.5}, model="sim-err500")
    assert (done["status"], done["stages"][0]["ended_by"]) == ("failed", "error_rate")
    assert 10 <= len(done["results"]) < 30


async def test_a_cancel_ends_the_stage_in_progress(service: Service, simulator: Simulator) -> None:
    load = {"stages": [{"concurrency": 1, "requests": 5}] * 2}
    running = asyncio.create_task(run(service, load, model="sim-ttft5-gap1-endless"))
    await simulator.wait_for(lambda server: server.in_flight == 1)
    await service.client.post("/benchmarks/1/cancel")
    done = await running
    assert done["status"] == "cancelled"
    assert [(stage["number"], stage["ended_by"]) for stage in done["stages"]] == [(0, "cancelled")]


def spec(**load: Any) -> BenchmarkSpec:
    body = {"name": "test", "model": FAST, "prompts": ["a", "b", "c"], "load": load}
    return BenchmarkSpec.model_validate(body).with_defaults()


async def test_the_next_worker_goes_on_in_the_middle_of_a_stage(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """The first stage has ended, and of the second one request is stored; a third was marked."""
    wanted = spec(stages=[{"concurrency": 1, "requests": 2}, {"concurrency": 1, "requests": 4}])
    workload = load_of(wanted).workload
    benchmark = await BenchmarkRepository(LOCAL, database).create(wanted, "simulator")
    claimed = await LeaseRepository(database, lease_s=0).claim("dead")
    assert claimed is not None
    lease, stages = claimed[0], RunStages(database)
    await LeaseRepository(database, lease_s=0).begin(lease, dispatched=1, price=None)

    def at(stage: int, ordinal: int) -> Any:
        item = workload.item(place_at(stage, ordinal))
        assert item is not None
        return make_record(item.prompt_index, item.repetition, id=item.id, stage=stage)

    first = RunAggregate(1)
    await stages.enter(lease, dispatched=place_at(0, 2), stages={0: {}})
    await ResultRepository(database).record(lease, [at(0, 0), at(0, 1)], dispatched=place_at(0, 2))
    await stages.leave(lease, 0, ended_by="requests", aggregate=first.encode(), summary={})
    await stages.enter(lease, dispatched=place_at(1, 2), stages={1: {}})
    await ResultRepository(database).record(lease, [at(1, 0)], dispatched=place_at(1, 2))
    async with running_worker(make_settings(database_url, redis_url, simulator.base_url), KEYS, children):
        repository = BenchmarkRepository(LOCAL, database)

        async def ended() -> str | None:
            status = await repository.status(benchmark.id)
            return None if status in ("pending", "running") else status

        assert await until(ended) == "completed"
    document = await repository.get(benchmark.id)
    assert (document.done, document.interrupted) == (6, True)
    expected = [workload.item(place_at(1, ordinal)) for ordinal in (1, 2, 3)]
    assert [request.body["messages"] for request in simulator.requests] == [item.messages for item in expected if item]
    assert document.summary is not None
    # The marked request, and none of those that the ended stage never used.
    assert document.summary["possible_duplicates"]["requests"] == 1
    rows = await stages.of(benchmark.id)
    assert [row.ended_by for row in rows] == ["requests", "requests"]
    assert rows[1].summary is not None
    assert rows[1].summary["requests"]["succeeded"] == 4


async def test_a_stage_lasts_no_longer_because_its_worker_left(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """A dead worker has measured 4.5 of its 5 seconds."""
    wanted = spec(concurrency=1, duration_s=5)
    workload = load_of(wanted).workload
    repository, stages = BenchmarkRepository(LOCAL, database), RunStages(database)
    benchmark = await repository.create(wanted, "simulator")
    claimed = await LeaseRepository(database, lease_s=0).claim("dead")
    assert claimed is not None
    lease, begin = claimed[0], datetime.now(UTC) - timedelta(seconds=10)
    await LeaseRepository(database, lease_s=0).begin(lease, dispatched=1, price=None)
    await stages.enter(lease, dispatched=place_at(0, 2), stages={0: {}})
    records = []
    for ordinal, at_s in ((0, 0), (1, 4.5)):
        item = workload.item(place_at(0, ordinal))
        assert item is not None
        at = begin + timedelta(seconds=at_s)
        times = {"scheduled_at": at, "sent_at": at, "ended_at": at}
        records.append(make_record(item.prompt_index, item.repetition, id=item.id, stage=0, **times))
    await ResultRepository(database).record(lease, records, dispatched=place_at(0, 2))
    async with running_worker(make_settings(database_url, redis_url, simulator.base_url), KEYS, children):

        async def ended() -> str | None:
            status = await repository.status(benchmark.id)
            return None if status in ("pending", "running") else status

        assert await until(ended) == "completed"
    (row,) = await stages.of(benchmark.id)
    assert row.ended_by == "duration"
    received_ns = [request.received_ns for request in simulator.requests]
    assert received_ns
    # Half a second was left. Begun anew, the stage would send for five.
    assert (max(received_ns) - min(received_ns)) / 1e9 < 2.5


def test_places_say_what_they_belong_to() -> None:
    assert (is_warmup(place_at(3, 5, warmup=True)), is_warmup(place_at(3, 5))) == (True, False)
    with pytest.raises(ValueError, match="no request 1000000 of stage 3"):
        place_at(3, 1_000_000)


def test_parts_without_results_are_no_whole() -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        merged([None, None])
