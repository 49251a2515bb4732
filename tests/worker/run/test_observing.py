"""A run beside which the server's own metrics are read, stored, summed up and shown."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from shared.benchmark.results.aggregate import RunAggregate
from shared.clock import SystemClock, monotonic_ns
from shared.db.connection.database import Database
from shared.db.runs.lease import Lease
from shared.db.runs.observations import RunObservations
from shared.errors import LeaseLost, Unavailable
from shared.network.tls import client_context
from shared.observing.sample import Reading, Sample
from shared.providers.metrics_urls import MetricsRequest
from simulator.server import Simulator
from tests.shared.db.rows import Tables
from tests.support.servers.receiver import Receiver, hang, receiver
from tests.support.service import Service, running_service
from tests.support.waiting import until
from worker.engine.children import Children
from worker.run.observing import Observer, observed_of
from worker.run.probing import Prober
from worker.run.scraping import Scraper

# One request after another, each of about half a second: a run of several samples.
SLOW = "sim-ttft400-gap1-n2"


def counting(writer: asyncio.StreamWriter, number: int) -> None:
    """Request n finds n requests waiting, and 100 tokens more than the one before."""
    body = f"vllm:num_requests_waiting {number}\nvllm:generation_tokens_total {number * 100}\n"
    writer.write(f"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())


@asynccontextmanager
async def observed_service(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, folder: Path, *urls: str
) -> AsyncIterator[Service]:
    path = folder / "providers.yaml"
    endpoint = {"name": "mine", "protocol": "openai", "base_url": f"{simulator.base_url}/v1", "metrics_urls": urls}
    path.write_text(json.dumps([endpoint]))
    async with running_service(database_url, redis_url, None, children=children, providers_file=path) as service:
        yield service


def metrics_url(server: Receiver) -> str:
    return server.url.partition("?")[0]


async def observations(service: Service, **query: Any) -> dict[str, Any]:
    response = await service.client.get("/benchmarks/1/observations", params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_run_has_the_metrics_of_its_server(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, tmp_path: Path
) -> None:
    async with (
        receiver(counting) as server,
        observed_service(database_url, redis_url, simulator, children, tmp_path, metrics_url(server)) as service,
    ):
        begin_ns = monotonic_ns()
        stages = [{"name": "one", "concurrency": 1, "requests": 6}, {"name": "two", "concurrency": 1, "requests": 4}]
        done = await service.run(model=SLOW, provider="mine", prompts=["x"], load={"stages": stages})
        assert done["status"] == "completed"
        observed = done["summary"]["observed"]
        waiting = observed["series"]["waiting"]
        assert waiting["unit"] == "requests"
        assert waiting["max"] == waiting["end"] > waiting["mean"] > 0
        assert observed["series"]["generation_tokens_per_second"]["mean"] > 0
        assert observed["failures"] == {}
        # Stages one after the other have seen one part of it each.
        first, second = (stage["summary"]["observed"] for stage in done["stages"])
        assert first["end_at"] <= second["begin_at"]
        assert first["samples"] >= 2
        assert second["samples"] >= 1
        assert first["series"]["waiting"]["max"] < second["series"]["waiting"]["end"]

        whole = await observations(service)
        points = whole["series"]["waiting"]["points"]
        assert not whole["is_thinned"]
        assert [value for _, value in points] == list(range(len(points)))
        assert points == sorted(points)
        of_first = await observations(service, stage=0)
        assert [value for _, value in of_first["series"]["waiting"]["points"]] == [
            value for at, value in points if first["begin_at"] <= at <= first["end_at"]
        ]
        assert (await service.client.get("/benchmarks/1/observations?stage=2")).status_code == 404
        assert (await service.client.get("/benchmarks/2/observations")).status_code == 404
        assert (await service.client.get("/benchmarks/1/observations?stage=-1")).status_code == 422
        # One a second since the run began; a busy machine makes one late, and the next one comes in time again.
        assert len(server.received) - 1 <= (server.received[-1].at_ns - begin_ns) / 1e9


async def test_servers_that_hang_or_break_neither_end_nor_delay_a_run(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, tmp_path: Path
) -> None:
    def broken(writer: asyncio.StreamWriter, _: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"\x00" * 3_000_000)

    async with receiver(hang) as slow, receiver(broken) as huge:
        urls = [metrics_url(slow), metrics_url(huge), "http://127.0.0.1:1/metrics"]
        async with observed_service(database_url, redis_url, simulator, children, tmp_path, *urls) as service:
            done = await service.run(model=SLOW, provider="mine", prompts=["x"] * 6, concurrency=1)
            assert done["status"] == "completed", (done["error"], done["results"])
            assert done["summary"]["requests"]["succeeded"] == 6
            observed = done["summary"]["observed"]
            assert observed["series"] == {}
            assert observed["failures"].keys() == {"timed_out", "too_large", "unreachable"}
            assert (await observations(service))["failures"]["timed_out"] >= 1


async def test_nothing_is_read_where_the_caller_or_the_operator_wants_none(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, tmp_path: Path
) -> None:
    async with (
        receiver(counting) as server,
        observed_service(database_url, redis_url, simulator, children, tmp_path, metrics_url(server)) as service,
    ):
        done = await service.run(model=SLOW, provider="mine", prompts=["x"], observe=False)
        assert (done["observe"], done["summary"]["observed"], server.received) == (False, None, [])
        assert await observations(service) == {"samples": 0, "failures": {}, "is_thinned": False, "series": {}}


async def test_an_observer_that_lost_the_lease_ends_with_it(database: Database) -> None:
    tables = Tables(database)
    await tables.add()
    claimed = await tables.lapsing.claim("dead")
    assert claimed is not None
    async with receiver(counting) as server:
        scraper = Scraper(MetricsRequest(metrics_url(server), ()), client_context(), SystemClock())
        observations = RunObservations(tables.database)
        observer = Observer(observations, claimed[0], SystemClock(), [scraper], every_s=0.01, stored_every_s=0.01)
        running = asyncio.create_task(observer.run())
        await server.has(3)
        await until(lambda: tables.leases.claim("next"))
        with pytest.raises(LeaseLost):
            await running


class Away:
    """A database that does not answer at first. What it stores is in `stored`."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.back = False
        self.stored: list[Sample] = []

    async def add(self, _: Lease, samples: Sequence[Sample]) -> None:
        self.asked.set()
        if not self.back:
            raise Unavailable("the database is away")
        self.stored += samples


class Counting:
    """An endpoint that is read at once; each reading has its number."""

    def __init__(self) -> None:
        self.count = 0

    async def __aenter__(self) -> "Counting":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def scrape(self) -> Reading:
        self.count += 1
        return Reading(self.count, {"running": float(self.count)})


async def test_a_database_that_is_away_delays_no_reading_and_gets_all_samples_later() -> None:
    database, endpoint = Away(), Counting()
    observer = Observer(
        cast("RunObservations", database),
        Lease(1, 1, "one"),
        SystemClock(),
        [cast("Scraper", endpoint)],
        every_s=0.001,
        stored_every_s=0.001,
    )
    running = asyncio.create_task(observer.run())
    await database.asked.wait()

    async def has_gone_on(before: int = endpoint.count) -> bool:
        return endpoint.count > before + 5

    await until(has_gone_on)
    database.back = True
    await observer.settle()
    running.cancel()
    values = [sample.values["running"] for sample in database.stored]
    assert len(values) > 5
    assert values == [float(number) for number in range(1, len(values) + 1)]


@pytest.mark.parametrize("error", [LeaseLost("it has another worker"), Unavailable("the database is away")])
async def test_what_ends_the_observing_is_raised_as_it_is(error: Exception) -> None:
    """Else the run would take it for a fault of its own, and fail."""

    class Broken:
        async def run(self, _: object) -> None:
            raise error

    observer = Observer(
        cast("RunObservations", Away()), Lease(1, 1, "one"), SystemClock(), [], cast("Prober", Broken())
    )
    with pytest.raises(type(error)):
        await observer.run()


async def test_the_summary_has_what_each_worker_observed(database: Database) -> None:
    """The first worker died; the second one has observed the rest."""
    tables, repository = Tables(database), RunObservations(database)
    benchmark_id = await tables.add()
    claimed = await tables.lapsing.claim("dead")
    assert claimed is not None
    await repository.add(claimed[0], [Sample(second * 1_000_000, {"running": 2.0}) for second in range(4)])
    lease = await tables.claimed("next")
    await repository.add(lease, [Sample(second * 1_000_000, {"running": 5.0}) for second in range(60, 62)])
    results = RunAggregate(1)
    results.activity.add(1_000_000, 61_000_000, succeeded=True)
    observed = (await observed_of(repository, benchmark_id, results))["observed"]
    assert (observed["begin_at"], observed["end_at"]) == ("1970-01-01T00:00:01Z", "1970-01-01T00:01:01Z")
    assert observed["series"]["running"] == {"unit": "requests", "mean": 3.2, "max": 5.0, "end": 5.0, "samples": 5}
    assert await observed_of(repository, benchmark_id, RunAggregate(1)) == {}
