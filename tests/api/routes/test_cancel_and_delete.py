"""Cancelling keeps what is there, deleting keeps nothing; neither changes an end."""

import httpx2
import pytest

from tests.api.documents import problem, submit
from tests.shared.db.rows import Tables, make_record, recorded


async def test_a_pending_benchmark_is_cancelled_at_once_and_stays_so(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    response = await api.post("/benchmarks/1/cancel")
    assert response.status_code == 202
    document = response.json()
    assert document["status"] == "cancelled"
    assert document["cancel_requested_at"] is not None
    assert document["completed_at"] is not None
    assert document["started_at"] is None
    again = await api.post("/benchmarks/1/cancel")
    assert (again.status_code, again.json()) == (202, document)
    assert await tables.leases.claim("one", look_first=False) is None


async def test_a_running_benchmark_is_asked_to_stop_and_keeps_its_first_cancel(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await submit(api)
    lease = await tables.claimed()
    first = (await api.post("/benchmarks/1/cancel")).json()
    assert first["status"] == "running"
    assert first["cancel_requested_at"] is not None
    assert (await api.post("/benchmarks/1/cancel")).json()["cancel_requested_at"] == first["cancel_requested_at"]
    assert await tables.leases.heartbeat(lease) is True


@pytest.mark.parametrize("status", ["completed", "failed"])
async def test_an_ended_benchmark_is_not_cancelled(api: httpx2.AsyncClient, tables: Tables, status: str) -> None:
    await submit(api)
    await tables.leases.finish(await tables.claimed(), status, summary=None, error=None)
    before = (await api.get("/benchmarks/1")).json()
    found = problem(await api.post("/benchmarks/1/cancel"), 409)
    assert (found["code"], status in found["detail"]) == ("conflict", True)
    assert (await api.get("/benchmarks/1")).json() == before


async def test_a_deleted_benchmark_is_gone_with_its_results(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    await submit(api)
    await tables.results.record(await tables.claimed(), [make_record()])
    response = await api.delete("/benchmarks/1")
    assert (response.status_code, response.content) == (204, b"")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/results")):
        problem(await api.request(method, f"/benchmarks/1{path}"), 404)
    assert await recorded(tables.results, 1) == set()
    assert await tables.prompt_count(1) == 0
    assert (await api.get("/benchmarks/2")).status_code == 200


async def test_an_id_is_never_given_again(api: httpx2.AsyncClient) -> None:
    """A link to a deleted benchmark must not lead to another one."""
    assert (await submit(api))["id"] == 1
    await api.delete("/benchmarks/1")
    assert (await submit(api))["id"] == 2
