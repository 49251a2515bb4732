"""POSTs that are sent twice, and benchmarks that are run again."""

import asyncio

import httpx2
import pytest
from sqlalchemy import update

from api.schemas.benchmark_request import BenchmarkBody
from api.submission.fingerprint import old_of_request
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import IdempotencyKey
from shared.db.tables.types import utc_now
from tests.api.documents import EXAMPLE, pages, problem, submit
from tests.shared.db.rows import Tables

KEY = {"Idempotency-Key": "nightly-2026-11-25"}


async def post(api: httpx2.AsyncClient, key: dict[str, str] = KEY, **changes: object) -> httpx2.Response:
    return await api.post("/benchmarks", json={**EXAMPLE, **changes}, headers=key)


async def test_the_same_post_with_the_same_key_gets_the_same_benchmark(api: httpx2.AsyncClient) -> None:
    first, second = await post(api), await post(api)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert len(await pages(api, "/benchmarks")) == 1


async def test_the_order_of_fields_does_not_make_another_request(api: httpx2.AsyncClient) -> None:
    first = await post(api, metadata={"a": 1, "b": 2})
    again = dict(reversed(list({**EXAMPLE, "metadata": {"b": 2, "a": 1}}.items())))
    second = await api.post("/benchmarks", json=again, headers=KEY)
    assert second.json()["id"] == first.json()["id"]


async def test_twenty_at_the_same_time_create_one(api: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(post(api) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len(await pages(api, "/benchmarks")) == 1


async def test_another_request_with_a_used_key_is_refused_and_stores_nothing(api: httpx2.AsyncClient) -> None:
    await post(api)
    document = problem(await post(api, repetitions=2), 422)
    assert document["code"] == "idempotency_key_reused"
    assert [error["field"] for error in document["errors"]] == ["Idempotency-Key"]
    assert len(await pages(api, "/benchmarks")) == 1


async def test_another_key_and_no_key_create_another(api: httpx2.AsyncClient) -> None:
    ids = {(await post(api, key)).json()["id"] for key in (KEY, {"Idempotency-Key": "other"}, {}, {})}
    assert len(ids) == 4


async def test_a_refused_post_does_not_use_up_its_key(api: httpx2.AsyncClient) -> None:
    problem(await post(api, provider="nobody"), 422)
    assert (await post(api)).status_code == 202


async def test_a_key_is_forgotten_after_a_day(api: httpx2.AsyncClient, database: Database) -> None:
    first = await post(api)
    async with database.write() as session:
        await session.execute(update(IdempotencyKey).values(created_at=utc_now(-24 * 3600 - 1)))
    second = await post(api, repetitions=2)
    assert second.status_code == 202
    assert second.json()["id"] != first.json()["id"]


async def test_a_key_that_an_older_version_stored_is_still_known(api: httpx2.AsyncClient, database: Database) -> None:
    """Its fingerprint covers the defaults of that version; the caller retries across the upgrade."""
    first = await post(api)
    request = BenchmarkBody.model_validate(EXAMPLE).request()
    async with database.write() as session:
        await session.execute(update(IdempotencyKey).values(fingerprint=old_of_request(request)))
    second = await post(api)
    assert (second.json()["id"], second.headers["idempotency-replayed"]) == (first.json()["id"], "true")
    assert problem(await post(api, repetitions=2), 422)["code"] == "idempotency_key_reused"


async def test_the_key_of_a_deleted_benchmark_creates_no_other(api: httpx2.AsyncClient) -> None:
    first = (await post(api)).json()
    await api.delete(f"/benchmarks/{first['id']}")
    assert problem(await post(api), 409)["code"] == "conflict"


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "ümlaut".encode()])
async def test_a_key_that_is_none_is_named(empty_api: httpx2.AsyncClient, key: str | bytes) -> None:
    headers = httpx2.Headers([(b"idempotency-key", key.encode() if isinstance(key, str) else key)])
    answer = await empty_api.post("/benchmarks", json=EXAMPLE, headers=headers)
    assert [error["field"].lower() for error in problem(answer, 422)["errors"]] == ["idempotency-key"]


async def test_a_rerun_is_the_same_spec_as_a_new_benchmark(api: httpx2.AsyncClient) -> None:
    first = await submit(api, repetitions=3, metadata={"team": "search"}, parameters={"temperature": 0})
    answer = await api.post(f"/benchmarks/{first['id']}/rerun")
    assert answer.status_code == 202
    second = answer.json()
    assert answer.headers["location"] == f"/benchmarks/{second['id']}"
    assert (second["rerun_of"], first["rerun_of"], second["status"]) == (first["id"], None, "pending")
    own = {"id", "created_at", "rerun_of", "results_url", "waits_for"}
    assert {name: value for name, value in second.items() if name not in own} == {
        name: value for name, value in first.items() if name not in own
    }
    assert [item["id"] for item in await pages(api, "/benchmarks", rerun_of=first["id"])] == [second["id"]]


async def test_a_rerun_keeps_the_concurrency_that_was_stored(api: httpx2.AsyncClient, tables: Tables) -> None:
    """Also one that an older version stored, whose default was one request at a time."""
    first = await tables.add(prompts=["a", "b"], concurrency=1)
    assert (await api.post(f"/benchmarks/{first}/rerun")).json()["concurrency"] == 1


async def test_a_rerun_of_a_rerun_names_the_one_that_it_repeats(api: httpx2.AsyncClient) -> None:
    first = await submit(api)
    second = (await api.post(f"/benchmarks/{first['id']}/rerun")).json()
    third = (await api.post(f"/benchmarks/{second['id']}/rerun")).json()
    assert third["rerun_of"] == second["id"]


async def test_a_rerun_with_a_key_is_one(api: httpx2.AsyncClient) -> None:
    first = await submit(api)
    path = f"/benchmarks/{first['id']}/rerun"
    ids = [(await api.post(path, headers=KEY)).json()["id"] for _ in range(2)]
    assert ids[0] == ids[1]
    assert problem(await post(api), 422)["code"] == "idempotency_key_reused"


async def test_a_reruns_repetition_is_answered_after_the_original_was_deleted(api: httpx2.AsyncClient) -> None:
    first = await submit(api)
    path = f"/benchmarks/{first['id']}/rerun"
    second = await api.post(path, headers=KEY)
    await api.delete(f"/benchmarks/{first['id']}")
    again = await api.post(path, headers=KEY)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert again.json()["id"] == second.json()["id"]
    assert problem(await api.post(path, headers={"Idempotency-Key": "other"}), 404)["code"] == "not_found"


async def test_a_rerun_whose_key_an_older_version_stored_is_still_known(
    api: httpx2.AsyncClient, database: Database
) -> None:
    """Its fingerprint covers the stored spec. What the key created says which benchmark was repeated."""
    first, other = await submit(api), await submit(api)
    second = (await api.post(f"/benchmarks/{first['id']}/rerun", headers=KEY)).json()
    async with database.write() as session:
        await session.execute(update(IdempotencyKey).values(fingerprint="of an older version"))
    again = await api.post(f"/benchmarks/{first['id']}/rerun", headers=KEY)
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (second["id"], "true")
    refused = await api.post(f"/benchmarks/{other['id']}/rerun", headers=KEY)
    assert problem(refused, 422)["code"] == "idempotency_key_reused"


async def test_a_rerun_of_what_is_not_there_is_not_found(api: httpx2.AsyncClient) -> None:
    assert problem(await api.post("/benchmarks/99/rerun"), 404)["code"] == "not_found"


async def test_a_rerun_outlives_the_benchmark_that_it_repeats(api: httpx2.AsyncClient) -> None:
    first = await submit(api)
    second = (await api.post(f"/benchmarks/{first['id']}/rerun")).json()
    await api.delete(f"/benchmarks/{first['id']}")
    assert (await api.get(f"/benchmarks/{second['id']}")).json()["rerun_of"] == first["id"]
