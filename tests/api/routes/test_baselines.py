"""Names of benchmarks that later ones are compared with."""

import httpx2
import pytest

from tests.api.documents import pages, problem, submit
from tests.shared.db.rows import Tables


async def completed(api: httpx2.AsyncClient, tables: Tables) -> int:
    number: int = (await submit(api))["id"]
    await tables.leases.finish(await tables.claimed(), "completed", summary=None, error=None)
    return number


async def test_a_name_is_given_moved_read_and_deleted(api: httpx2.AsyncClient, tables: Tables) -> None:
    first, second = await completed(api, tables), await completed(api, tables)
    new = await api.put("/baselines/main", json={"benchmark_id": first})
    assert new.status_code == 201
    assert {key: value for key, value in new.json().items() if key != "created_at"} == {
        "name": "main",
        "benchmark_id": first,
        "benchmark_name": "Haiku Speed Test",
        "model": "claude-3-haiku-20240307",
        "provider": (await api.get("/benchmarks/1")).json()["provider"],
    }
    moved = await api.put("/baselines/main", json={"benchmark_id": second})
    assert (moved.status_code, moved.json()["benchmark_id"]) == (200, second)
    assert (await api.get("/baselines/main")).json() == moved.json()
    assert (await api.delete("/baselines/main")).status_code == 204
    for method in ("GET", "DELETE"):
        assert problem(await api.request(method, "/baselines/main"), 404)["detail"] == "there is no baseline 'main'"
    assert (await api.get(f"/benchmarks/{second}")).status_code == 200


async def test_the_list_is_in_the_order_of_names_and_has_pages(api: httpx2.AsyncClient, tables: Tables) -> None:
    number = await completed(api, tables)
    for name in ("main", "2025-01-release", "a_b.c"):
        assert (await api.put(f"/baselines/{name}", json={"benchmark_id": number})).status_code == 201
    assert [item["name"] for item in await pages(api, "/baselines", limit=1)] == ["2025-01-release", "a_b.c", "main"]
    problem(await api.get("/baselines?cursor=WzFd"), 422)


async def test_the_benchmark_of_a_name_is_not_deleted(api: httpx2.AsyncClient, tables: Tables) -> None:
    number = await completed(api, tables)
    await api.put("/baselines/main", json={"benchmark_id": number})
    found = problem(await api.delete(f"/benchmarks/{number}"), 409)
    assert (found["code"], "the baseline main:" in found["detail"]) == ("conflict", True)
    await api.delete("/baselines/main")
    assert (await api.delete(f"/benchmarks/{number}")).status_code == 204


async def test_a_benchmark_that_has_not_completed_gets_no_name(api: httpx2.AsyncClient) -> None:
    number = (await submit(api))["id"]
    found = problem(await api.put("/baselines/main", json={"benchmark_id": number}), 409)
    assert "is pending" in found["detail"]
    found = problem(await api.put("/baselines/main", json={"benchmark_id": 404}), 404)
    assert found["detail"] == "there is no benchmark 404"
    assert (await api.get("/baselines")).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("name", ["7", "Main", "-a", ".a", "a%20b", "%C3%A9", "a" * 101, "a%3Cb"])
async def test_a_name_that_is_none_is_refused(empty_api: httpx2.AsyncClient, name: str) -> None:
    problem(await empty_api.put(f"/baselines/{name}", json={"benchmark_id": 1}), 422)


@pytest.mark.parametrize("body", [{}, {"benchmark_id": "1"}, {"benchmark_id": 0}, {"benchmark_id": 1, "more": 1}, []])
async def test_a_body_that_names_no_benchmark_is_refused(empty_api: httpx2.AsyncClient, body: object) -> None:
    assert problem(await empty_api.put("/baselines/main", json=body), 422)["errors"]
