"""A benchmark that is deleted while a worker has it: that is no failure of the run, and no lost lease."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import LOCAL
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Prompt
from shared.errors import NotFound
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.shared.db.rows import Tables
from tests.support.prometheus import samples, value
from tests.support.service import Service, make_context, make_settings
from tests.support.waiting import until
from tests.worker.run.test_cut_short import submit
from worker.engine.children import Children
from worker.run.control import BenchmarkRun


def lost(service_monitor: Any) -> float:
    return value(samples(generate_latest(service_monitor.registry).decode()), "llmbench_leases_lost_total")


def assert_no_failure_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    shown = capsys.readouterr()
    for word in ("run_broke", "lease_lost", "Traceback", "TEXT_RETENTION_DAYS"):
        assert word not in shown.out + shown.err


class DeletedMeanwhile(Database):
    """Deletes the benchmark between the statements of the next read."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__(url)
        self._benchmarks = BenchmarkRepository(LOCAL, Database(url))
        self._number = number

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with super().read() as session:
            plain = session.execute

            async def execute(*args: Any, **options: Any) -> Any:
                await self._delete()
                return await plain(*args, **options)

            session.execute = execute  # type: ignore[method-assign]
            yield session

    async def _delete(self) -> None:
        try:
            await self._benchmarks.delete(self._number)
        except NotFound:
            return

    async def close(self) -> None:
        await self._benchmarks._database.close()
        await super().close()


@pytest.mark.parametrize("while_it_reads", [False, True])
async def test_a_delete_between_claim_and_load_is_no_error(
    database: Database,
    database_url: str,
    simulator: Simulator,
    children: Children,
    capsys: pytest.CaptureFixture[str],
    while_it_reads: bool,
) -> None:
    tables = Tables(database)
    number = await tables.add()
    lease, benchmark = await tables.leases.claim("one") or pytest.fail("nothing to claim")
    racing = DeletedMeanwhile(database_url, number)
    if not while_it_reads:
        await tables.benchmarks.delete(number)
    settings = make_settings(database_url, "redis://127.0.0.1:1/0", simulator.base_url)
    context = make_context(settings, racing, KeyRing({}), children)
    await BenchmarkRun(context, lease, benchmark).run()
    await racing.close()
    assert lost(context.monitor) == 0
    assert_no_failure_is_logged(capsys)
    assert not simulator.requests


async def test_a_delete_of_a_running_benchmark_is_no_lost_lease(service: Service, simulator: Simulator) -> None:
    number = await submit(service, model="sim-ttft5-gap5-endless")
    await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
    assert (await service.client.delete(f"/benchmarks/{number}")).status_code == 204

    async def ended() -> bool:
        found = samples(generate_latest(service.monitor.registry).decode())
        return value(found, "llmbench_runs") == 0

    await until(ended)
    assert lost(service.monitor) == 0


async def test_a_pending_benchmark_without_its_prompts_fails_with_a_reason(
    database: Database, database_url: str, children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
    """Retention touches no open benchmark; somebody who changes the tables by hand does."""
    tables = Tables(database)
    number = await tables.add()
    async with database.write() as session:
        await session.execute(delete(Prompt).where(Prompt.benchmark_id == number))
    lease, benchmark = await tables.leases.claim("one") or pytest.fail("nothing to claim")
    settings = make_settings(database_url, "redis://127.0.0.1:1/0", "http://127.0.0.1:9")
    await BenchmarkRun(make_context(settings, database, KeyRing({}), children), lease, benchmark).run()
    error = (await tables.benchmarks.get(number)).error
    assert error is not None
    assert (error["kind"], f"the prompts of benchmark {number} were deleted" in error["message"]) == (
        "prompts_deleted",
        True,
    )
    assert_no_failure_is_logged(capsys)
