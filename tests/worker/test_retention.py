"""What is deleted by age, and what is not."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from shared.access.caller import LOCAL
from shared.db.access.sessions import SessionRepository
from shared.db.benchmarks.retention import STEP_ROWS, RetentionRepository
from shared.db.connection.database import Database
from shared.db.results.baselines import BaselineRepository
from shared.db.runs.stages import RunStages
from shared.db.tables.access import AuditEntry, Session
from shared.db.tables.benchmarks import Benchmark, BenchmarkMetadata, Prompt, Result
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookEvent
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository
from shared.db.webhooks.endpoints import WebhookRepository
from shared.errors import Conflict, NotFound
from shared.webhooks.message import NewEndpoint
from tests.shared.db.access_rows import add_key, age_session
from tests.shared.db.rows import Tables, make_record
from worker.retention import Retention

_DAY_S = 86_400


@pytest.fixture
def tables(database: Database) -> Tables:
    return Tables(database)


async def ended(tables: Tables, days_ago: float, results: int = 2) -> int:
    """A completed benchmark with results."""
    number = await tables.add(repetitions=max(1, results), metadata={"team": "search"})
    lease = await tables.claimed()
    records = [make_record(0, repetition, reasoning="Hm") for repetition in range(results)]
    await tables.results.record(lease, records)
    await tables.leases.finish(lease, "completed", summary={"kept": True}, error=None)
    await age(tables, number, days_ago)
    return number


async def age(tables: Tables, number: int, days_ago: float) -> None:
    async with tables.database.write() as session:
        values = {"completed_at": utc_now(-days_ago * _DAY_S), "created_at": utc_now(-days_ago * _DAY_S)}
        await session.execute(update(Benchmark).where(Benchmark.id == number).values(values))


async def count(tables: Tables, table: type, number: int) -> int:
    async with tables.database.read() as session:
        query = select(func.count()).select_from(table).where(table.benchmark_id == number)  # type: ignore[attr-defined]
        return await session.scalar(query) or 0


def retention(tables: Tables, **days: float | None) -> Retention:
    values = {"benchmark_days": None, "text_days": None, **days}
    return Retention(RetentionRepository(tables.database), **values)


async def test_old_benchmarks_go_with_all_that_they_have_and_younger_ones_stay(tables: Tables) -> None:
    old, young = await ended(tables, 31), await ended(tables, 29)
    await retention(tables, benchmark_days=30).sweep()
    with pytest.raises(NotFound):
        await tables.benchmarks.get(old)
    assert (await count(tables, Result, old), await count(tables, Prompt, old)) == (0, 0)
    assert (await count(tables, Result, young), await count(tables, Prompt, young)) == (2, 2)


async def test_sessions_that_have_ended_go_whatever_the_settings_are(tables: Tables) -> None:
    sessions = SessionRepository(tables.database, idle=timedelta(hours=12), absolute=timedelta(days=7))
    caller = await add_key(tables.database)
    for hashed in ("ended", "open"):
        await sessions.open(hashed, caller, key_name="CI")
    await age_session(tables.database, "ended", timedelta(hours=12))
    await retention(tables).sweep()
    async with tables.database.read() as session:
        assert (await session.scalars(select(Session.hash))).all() == ["open"]


async def test_two_workers_at_one_benchmark_each_delete_one_step(tables: Tables, database_url: str) -> None:
    old = await ended(tables, 31, results=STEP_ROWS + 500)
    other = Database(database_url)
    steps = [RetentionRepository(item).delete_step(old) for item in (tables.database, other)]
    # The second must not take the benchmark for empty and delete all the rest at once.
    assert await asyncio.gather(*steps) == [True, True]
    assert await count(tables, Result, old) == 0
    assert (await tables.benchmarks.get(old)).id == old
    steps = [RetentionRepository(item).delete_step(old) for item in (tables.database, other)]
    assert await asyncio.gather(*steps) == [False, False]
    with pytest.raises(NotFound):
        await tables.benchmarks.get(old)
    await other.close()


async def test_more_results_than_one_step_takes_go_too(tables: Tables) -> None:
    old = await ended(tables, 31, results=1_001)
    repository = RetentionRepository(tables.database)
    assert [await repository.delete_step(old) for _ in range(3)] == [True, True, False]
    with pytest.raises(NotFound):
        await tables.benchmarks.get(old)


async def test_what_is_open_stays_whatever_its_age(tables: Tables) -> None:
    pending, running = await tables.add(), await tables.add()
    await tables.claimed()
    for number in (pending, running):
        await age(tables, number, 1_000)
    await retention(tables, benchmark_days=1, text_days=1).sweep()
    assert {(await tables.benchmarks.get(number)).status for number in (pending, running)} == {"pending", "running"}
    assert await count(tables, Prompt, pending) == 2


async def test_texts_go_and_numbers_stay(tables: Tables) -> None:
    old, young = await ended(tables, 8), await ended(tables, 6)
    await retention(tables, text_days=7).sweep()
    benchmark = await tables.benchmarks.get(old)
    assert (benchmark.status, benchmark.done, benchmark.summary) == ("completed", 2, {"kept": True})
    async with tables.database.read() as session:
        rows = (await session.scalars(select(Result).where(Result.benchmark_id == old))).all()
    assert [(row.response, row.reasoning, row.ttft_ms, row.output_tokens) for row in rows] == [(None, None, 100, 5)] * 2
    assert await count(tables, Prompt, old) == 0
    assert await count(tables, Prompt, young) == 2
    assert await count(tables, BenchmarkMetadata, old) == 0
    assert await count(tables, BenchmarkMetadata, young) == 1
    # Done once; the next sweep finds nothing.
    assert await RetentionRepository(tables.database).ended_before(7 * _DAY_S, with_texts=True) == []


async def test_a_baseline_stays_and_only_its_texts_go(tables: Tables) -> None:
    kept, old = await ended(tables, 31), await ended(tables, 31)
    baselines = BaselineRepository(LOCAL, tables.database)
    await baselines.put("main", kept)
    await retention(tables, benchmark_days=30, text_days=30).sweep()
    assert (await tables.benchmarks.get(kept)).summary == {"kept": True}
    assert (await count(tables, Result, kept), await count(tables, Prompt, kept)) == (2, 0)
    with pytest.raises(NotFound):
        await tables.benchmarks.get(old)
    # A sweep may have found it before it got its name.
    assert await RetentionRepository(tables.database).delete_step(kept) is False
    assert await count(tables, Result, kept) == 2
    await baselines.delete("main")
    await retention(tables, benchmark_days=30).sweep()
    with pytest.raises(NotFound):
        await tables.benchmarks.get(kept)


async def test_texts_stay_while_an_event_is_on_its_way_to_an_enabled_endpoint(tables: Tables) -> None:
    """The event would be lost. A disabled endpoint may get it never, so it holds nothing up."""
    endpoints, deliveries = WebhookRepository(LOCAL, tables.database), DeliveryRepository(tables.database)
    endpoint = await endpoints.add(NewEndpoint("http://a.test/", None, []))
    delivered, waiting = await ended(tables, 8), await ended(tables, 8)
    # The start and the end of the first one.
    for due in await deliveries.claim(2):
        await deliveries.settle(due, Attempt(succeeded=True, duration_ms=1.0))
    await retention(tables, text_days=7).sweep()
    assert (await count(tables, Prompt, delivered), await count(tables, Prompt, waiting)) == (0, 2)
    assert await count(tables, WebhookEvent, waiting) == 2
    await endpoints.change(endpoint.id, {"enabled": False})
    await retention(tables, text_days=7).sweep()
    assert (await count(tables, Prompt, waiting), await count(tables, WebhookEvent, waiting)) == (0, 0)


async def test_a_benchmark_without_its_prompts_cannot_be_run_again(tables: Tables) -> None:
    old = await ended(tables, 8)
    await retention(tables, text_days=7).sweep()
    with pytest.raises(Conflict, match="TEXT_RETENTION_DAYS"):
        await tables.benchmarks.spec(old)


async def test_without_settings_all_stays(tables: Tables) -> None:
    old = await ended(tables, 10_000)
    await retention(tables).sweep()
    assert await count(tables, Result, old) == 2


async def test_names_of_stages_go_with_the_texts_and_the_rest_of_them_stays(tables: Tables) -> None:
    load = {"stages": [{"name": "Acme", "concurrency": 2, "requests": 2}, {"concurrency": 4, "requests": 2}]}
    number = await tables.add(repetitions=2, load=load)
    lease = await tables.claimed()
    stages = RunStages(tables.database)
    labels = {0: {"name": "Acme", "concurrency": 2}, 1: {"concurrency": 4}}
    await stages.enter(lease, dispatched=1, stages=labels)
    live = {"stage": {"number": 0, "label": labels[0]}}
    async with tables.database.write() as session:
        await session.execute(update(Benchmark).where(Benchmark.id == number).values(live=live))
    await tables.leases.finish(lease, "completed", summary={"kept": True}, error=None)
    await age(tables, number, 8)
    await retention(tables, text_days=7).sweep()
    assert [stage.label for stage in await stages.of(number)] == [{"concurrency": 2}, {"concurrency": 4}]
    benchmark = await tables.benchmarks.get(number)
    assert (benchmark.live, benchmark.spec.load is not None) == (None, True)


async def test_a_search_can_be_read_after_its_texts_are_deleted(tables: Tables) -> None:
    """Its bounds are numbers, and a search without them is no valid spec."""
    number = await tables.add(load={"search": {"max": 8, "probe_requests": 10}}, slos={"ttft_ms": 500})
    await tables.leases.finish(await tables.claimed(), "completed", summary={"kept": True}, error=None)
    await age(tables, number, 8)
    await retention(tables, text_days=7).sweep()
    spec = (await tables.benchmarks.get(number)).spec
    assert spec.slos is not None
    assert spec.slos.ttft_ms == 500


async def test_a_trace_with_a_bound_on_its_schedule_can_be_read_after_its_texts_are_deleted(tables: Tables) -> None:
    """Without its workload, nothing in the spec says that requests were due at times of their own."""
    workload = {"source": "trace", "trace": {"sha256": "0" * 64, "rows": 2}}
    number = await tables.add(prompts=(), workload=workload, slos={"effective_latency_ms": 500})
    await tables.leases.finish(await tables.claimed(), "completed", summary={"kept": True}, error=None)
    await age(tables, number, 8)
    await retention(tables, text_days=7).sweep()
    spec = (await tables.benchmarks.get(number)).spec
    assert (spec.workload, spec.slos and spec.slos.effective_latency_ms) == (None, 500)


async def log_of(tables: Tables) -> list[tuple[str, str, str, dict[str, int]]]:
    query = select(AuditEntry).where(AuditEntry.action == "retention.done").order_by(AuditEntry.id)
    async with tables.database.read() as session:
        entries = (await session.scalars(query)).all()
    return [(entry.owner, entry.via, entry.target_kind, entry.details) for entry in entries]


async def test_the_audit_log_has_one_entry_for_each_owner_and_sweep(tables: Tables) -> None:
    numbers = [await ended(tables, 40) for _ in range(3)]
    async with tables.database.write() as session:
        await session.execute(update(Benchmark).where(Benchmark.id == numbers[0]).values(owner="acme"))
    both = retention(tables, benchmark_days=30, text_days=7)
    await both.sweep()
    assert sorted(await log_of(tables)) == [
        ("acme", "worker", "retention", {"benchmarks_deleted": 1}),
        ("default", "worker", "retention", {"benchmarks_deleted": 2}),
    ]
    await both.sweep()
    assert len(await log_of(tables)) == 2
    await ended(tables, 10)
    await both.sweep()
    assert (await log_of(tables))[2:] == [("default", "worker", "retention", {"texts_deleted_of": 1})]
