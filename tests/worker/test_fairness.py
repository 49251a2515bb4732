"""Owners, ceilings and exclusive benchmarks end to end: API, two workers, real database, Redis and provider."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx2
from sqlalchemy import select

from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.api.access.keys import KeyMaker, bearer
from tests.support.service import make_settings, running_api, running_worker
from tests.support.waiting import until
from worker.dispatcher import Dispatcher
from worker.engine.children import Children

NO_KEYS = KeyRing({})
SPEC = {"name": "test", "model": "sim-ttft30-gap1-n4", "provider": "mine", "prompts": ["x"], "concurrency": 1}


def endpoint(simulator: Simulator, **changes: Any) -> dict[str, Any]:
    return {"name": "mine", "protocol": "openai", "base_url": f"{simulator.base_url}/v1", **changes}


@asynccontextmanager
async def two_workers(settings: Any, children: Children) -> AsyncIterator[None]:
    async with running_worker(settings, NO_KEYS, children), running_worker(settings, NO_KEYS, children):
        yield


async def submit(client: httpx2.AsyncClient, headers: dict[str, str] | None = None, **changes: Any) -> str:
    answer = await client.post("/benchmarks", json={**SPEC, **changes}, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


async def ended(
    client: httpx2.AsyncClient, urls: Sequence[str], headers: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]] | None:
        documents = [(await client.get(url, headers=headers)).json() for url in urls]
        return documents if all(document["completed_at"] for document in documents) else None

    return await until(look) or []


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_the_backlog_of_one_owner_delays_another_by_one_benchmark_a_worker(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    maker = KeyMaker(database)
    acme, beta = [bearer(await maker.make("run", owner)) for owner in ("acme", "beta")]
    settings = make_settings(
        database_url, redis_url, None, providers=[endpoint(simulator)], worker_max_benchmarks=1, sweep_s=0.2
    )
    async with running_api(settings, NO_KEYS) as client:
        backlog = [await submit(client, acme) for _ in range(8)]
        async with two_workers(settings, children):

            async def has_begun() -> bool:
                return bool((await client.get(backlog[0], headers=acme)).json()["started_at"])

            await until(has_begun)
            late = await submit(client, beta)
            (of_beta,) = await ended(client, [late], beta)
            of_acme = await ended(client, backlog, acme)
    # What was claimed between its submit and its start: at most one a worker.
    between = [
        item
        for item in of_acme
        if instant(of_beta["created_at"]) < instant(item["started_at"]) < instant(of_beta["started_at"])
    ]
    assert len(between) <= 2
    assert {item["status"] for item in [of_beta, *of_acme]} == {"completed"}
    # And the backlog was still long.
    assert sum(instant(item["started_at"]) > instant(of_beta["started_at"]) for item in of_acme) >= 3


async def test_two_benchmarks_never_have_more_streams_than_their_endpoint_allows(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, None, providers=[endpoint(simulator, max_streams=5)], sweep_s=0.2)
    async with running_api(settings, NO_KEYS) as client, two_workers(settings, children):
        urls = [await submit(client, concurrency=2, repetitions=8) for _ in range(5)]
        urls.append(await submit(client, concurrency=5, repetitions=10))
        documents = await ended(client, urls)
    assert {item["status"] for item in documents} == {"completed"}
    # As the provider saw it: several at once, and never too many.
    assert 2 < simulator.peak_in_flight <= 5


async def test_a_benchmark_that_shares_its_endpoint_runs_beside_a_full_one(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, None, providers=[endpoint(simulator, max_streams=2)])
    async with running_api(settings, NO_KEYS) as client, running_worker(settings, NO_KEYS, children):
        full = await submit(client, model="sim-ttft600000", concurrency=2, repetitions=2)

        async def is_full() -> bool:
            return simulator.in_flight == 2

        await until(is_full)
        waits = await submit(client)
        (shared,) = await ended(client, [await submit(client, concurrency=4, repetitions=4, share_endpoint=True)])
        waiting = (await client.get(waits)).json()
        await client.post(f"{full}/cancel")
        (after,) = await ended(client, [waits])
    assert (shared["status"], after["status"]) == ("completed", "completed")
    assert waiting["status"] == "pending"
    assert waiting["waits_for"]["kind"] == "ceiling"
    assert "2 of the 2" in waiting["waits_for"]["message"]
    assert after["waits_for"] is None


async def test_nothing_runs_beside_an_exclusive_benchmark(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, None, providers=[endpoint(simulator)], sweep_s=0.2)
    async with running_api(settings, NO_KEYS) as client, two_workers(settings, children):
        before = [await submit(client, repetitions=4) for _ in range(3)]
        alone = await submit(client, repetitions=6, exclusive=True)
        after = [await submit(client, repetitions=2) for _ in range(3)]
        (quiet, *others) = await ended(client, [alone, *before, *after])
    assert quiet["exclusive"] is True
    assert {item["status"] for item in [quiet, *others]} == {"completed"}
    begin, end = instant(quiet["started_at"]), instant(quiet["completed_at"])
    for item in others:
        assert instant(item["completed_at"]) <= begin or instant(item["started_at"]) >= end
    # Nothing overtook it: those that were submitted later started later.
    assert all(instant(item["started_at"]) >= end for item in others[3:])


async def test_a_benchmark_with_more_streams_than_its_endpoint_allows_is_refused(
    database_url: str, redis_url: str, simulator: Simulator
) -> None:
    settings = make_settings(database_url, redis_url, None, providers=[endpoint(simulator, max_streams=4)])
    stages = {"stages": [{"concurrency": 2, "requests": 4}, {"concurrency": 6, "requests": 12}]}
    async with running_api(settings, NO_KEYS) as client:
        body = {**SPEC, "concurrency": 5, "repetitions": 5}
        short = await client.post("/benchmarks", json=body)
        estimate = await client.post("/benchmarks/estimate", json=body)
        without = {name: value for name, value in SPEC.items() if name != "concurrency"}
        staged = await client.post("/benchmarks", json={**without, "load": stages})
        fits = await client.post("/benchmarks", json={**body, "concurrency": 4})
        shares = await client.post("/benchmarks", json={**body, "share_endpoint": True})
        # Its two requests cannot be five at a time.
        small = await client.post("/benchmarks", json={**body, "repetitions": 2})
    for answer, field, streams in ((short, "concurrency", 5), (estimate, "concurrency", 5), (staged, "load", 6)):
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == (field, "too_many_streams")
        assert f"up to {streams} requests in flight" in error["message"]
        assert "allows 4 for all benchmarks together (max_streams)" in error["message"]
    assert [fits.status_code, shares.status_code, small.status_code] == [202, 202, 202]


async def test_what_no_longer_fits_its_endpoint_says_so_and_fails(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """The ceiling was lowered after the submit. Nobody waits behind it."""
    before, after = (
        make_settings(
            database_url,
            redis_url,
            None,
            providers=[endpoint(simulator, max_streams=most)],
            sweep_s=0.2,
            unclaimed_after_s=1,
        )
        for most in (8, 4)
    )
    async with running_api(before, NO_KEYS) as client, running_worker(after, NO_KEYS, children):
        large, small = await submit(client, concurrency=8, repetitions=8), await submit(client)
        failed, done = await ended(client, [large, small])
    assert (failed["status"], failed["error"]["kind"]) == ("failed", "too_many_streams")
    assert "allows 4 streams there, and it has 8" in failed["error"]["message"]
    assert done["status"] == "completed"
    assert simulator.peak_in_flight <= 4


async def test_workers_of_older_versions_leave_exclusive_and_sharing_benchmarks_alone(
    database_url: str, database: Database, redis_url: str, simulator: Simulator
) -> None:
    settings = make_settings(database_url, redis_url, None, providers=[endpoint(simulator)])
    async with running_api(settings, NO_KEYS) as client:
        for changes in ({}, {"exclusive": True}, {"share_endpoint": True}):
            await submit(client, **changes)
    async with database.read() as session:
        rows = list(await session.scalars(select(Benchmark).order_by(Benchmark.id)))
    assert ["+owned" in str(row.endpoint_key) for row in rows] == [False, True, True]
    assert [(row.streams, row.exclusive) for row in rows] == [(1, False), (1, True), (None, False)]
    assert len({row.endpoint_lane for row in rows}) == 1


async def test_exclusive_and_shared_at_once_is_refused(database_url: str, redis_url: str, simulator: Simulator) -> None:
    settings = make_settings(database_url, redis_url, None, providers=[endpoint(simulator)])
    async with running_api(settings, NO_KEYS) as client:
        answer = await client.post("/benchmarks", json={**SPEC, "exclusive": True, "share_endpoint": True})
    assert answer.status_code == 422
    assert "exclusive and share_endpoint exclude each other" in answer.text


async def look_for_work(dispatcher: Dispatcher) -> None:
    """Returns when the worker has looked for a benchmark to run, and has begun one if it took any."""
    for _ in range(2):
        dispatcher.ring()

        async def has_heard() -> bool:
            return not dispatcher._rung.is_set()

        # When it hears the second bell, it is done with the first.
        await until(has_heard)


async def test_a_busy_worker_becomes_idle_for_an_exclusive_benchmark(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """It runs a benchmark of another endpoint, and more of those wait. It takes none of them before."""
    async with Simulator() as other:
        settings = make_settings(
            database_url,
            redis_url,
            None,
            providers=[endpoint(simulator), endpoint(other, name="other")],
            sweep_s=0.2,
        )
        async with running_api(settings, NO_KEYS) as client, running_worker(settings, NO_KEYS, children) as dispatcher:
            busy = await submit(client, provider="other", model="sim-ttft600000")

            async def is_busy() -> bool:
                return other.in_flight == 1

            await until(is_busy)
            alone = await submit(client, exclusive=True)
            later = [await submit(client, provider="other") for _ in range(2)]
            await look_for_work(dispatcher)
            waiting = [(await client.get(url)).json() for url in [alone, *later]]
            await client.post(f"{busy}/cancel")
            (quiet, *others) = await ended(client, [alone, *later])
    assert [item["status"] for item in waiting] == ["pending"] * 3
    assert waiting[0]["waits_for"] == {
        "kind": "exclusive",
        "message": "It is exclusive, so it waits for a worker that runs nothing else.",
    }
    assert all(instant(item["started_at"]) >= instant(quiet["completed_at"]) for item in others)
