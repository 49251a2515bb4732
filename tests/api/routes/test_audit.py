"""`GET /audit`: each change leaves one entry, which tells of no secret and of no text."""

import copy
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from shared.access.api_key import parse
from shared.access.audit import ACTIONS
from shared.providers.key_ring import KeyRing
from shared.webhooks.secret_box import new_key
from tests.api.access.browsers import Browser
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE, pages, problem, submit
from tests.api.pages.forms_of import send
from tests.shared.db.rows import Tables
from tests.support.databases.many_rows import a_summary
from tests.support.servers.receiver import LOOPBACK
from tests.support.service import make_settings, running_api

# Stands in every text, URL and secret that a caller sends.
CANARY = "canary0123456789"
SECRET = "whsec_" + "Y2FuYXJ5" * 4
# What the other test leaves in the log, and what no request does.
OF_ACCESS = {
    *("key.created", "key.revoked", "session.opened", "session.closed", "login.refused"),
    *("budget.set", "budget.deleted"),
}
OF_WORKERS = {"retention.done"}
NDJSON = {"content-type": "application/x-ndjson"}
Json = dict[str, Any]


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """It can seal secrets, and URLs of this machine are allowed."""
    options = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK}
    async with running_api(make_settings(database_url, redis_url, SIMULATOR, **options), KeyRing({})) as client:
        yield client


async def entries(api: httpx2.AsyncClient, **query: Any) -> list[Json]:
    """Oldest first."""
    return (await pages(api, "/audit", **query))[::-1]


async def actions(api: httpx2.AsyncClient) -> list[tuple[str, str]]:
    return [(entry["action"], entry["target"]) for entry in await entries(api)]


async def ended(tables: Tables) -> None:
    await tables.leases.finish(await tables.claimed(), "completed", summary=a_summary(), error=None)


async def test_each_change_has_one_entry_without_secrets_and_texts(api: httpx2.AsyncClient, tables: Tables) -> None:
    texts = {
        "name": CANARY,
        "prompts": [CANARY],
        "system": CANARY,
        "metadata": {"team": CANARY},
        "webhook_url": f"http://127.0.0.1:9/{CANARY}?token={CANARY}",
        "webhook_secret": SECRET,
    }
    first = (await submit(api, **texts))["id"]
    await ended(tables)
    deliveries = (await api.get(f"/benchmarks/{first}/webhook-deliveries")).json()["items"]
    redeliver = f"/benchmarks/{first}/webhook-deliveries/{deliveries[0]['id']}/redeliver"
    assert (await api.post(redeliver)).status_code == 202
    assert (await api.put("/baselines/main", json={"benchmark_id": first})).status_code == 201
    document = (await api.get(f"/benchmarks/{first}/export", params={"format": "json"})).json()
    assert (await api.delete("/baselines/main")).status_code == 204
    again = (await api.post(f"/benchmarks/{first}/rerun")).json()["id"]
    assert (await api.post(f"/benchmarks/{again}/cancel")).status_code == 202
    assert (await api.delete(f"/benchmarks/{again}")).status_code == 204
    assert (await api.post("/import", json=document)).status_code == 201
    rows = f'{{"prompt": "{CANARY}"}}\n'.encode()
    added = await api.post("/datasets", params={"name": CANARY, "format": "jsonl"}, content=rows, headers=NDJSON)
    assert (await api.delete(f"/datasets/{added.json()['id']}")).status_code == 204
    webhook = {"url": f"http://127.0.0.1:9/{CANARY}", "description": CANARY, "secret": SECRET}
    hook = f"/webhooks/{(await api.post('/webhooks', json=webhook)).json()['id']}"
    assert (await api.patch(hook, json={"url": f"http://127.0.0.2:9/{CANARY}", "enabled": False})).status_code == 200
    rotated = (await api.post(f"{hook}/rotate-secret")).json()["secret"]
    assert (await api.post(f"{hook}/test")).status_code == 202
    assert (await api.delete(hook)).status_code == 204

    found = await entries(api)
    told = [(entry["action"], entry["kind"], entry["details"]) for entry in found]
    of_benchmark = {"model": EXAMPLE["model"], "provider": "simulator"}
    host = {"host": "127.0.0.1"}
    assert [item for item in told if item[0] not in ("dataset.added", "webhook.redelivered")] == [
        ("benchmark.created", "benchmark", {**of_benchmark, "planned_requests": 1}),
        ("baseline.set", "baseline", {"benchmark_id": first}),
        ("baseline.deleted", "baseline", {}),
        ("benchmark.created", "benchmark", {**of_benchmark, "planned_requests": 1, "rerun_of": first}),
        ("benchmark.cancelled", "benchmark", {"status": "pending"}),
        ("benchmark.deleted", "benchmark", {**of_benchmark, "status": "cancelled"}),
        ("import.done", "benchmark", {**of_benchmark, "status": "completed"}),
        ("dataset.deleted", "dataset", {}),
        ("webhook.created", "webhook", host),
        ("webhook.changed", "webhook", {"changed": ["enabled", "url"], "host": "127.0.0.2"}),
        ("webhook.secret_rotated", "webhook", {}),
        ("webhook.tested", "webhook", {}),
        ("webhook.deleted", "webhook", {"host": "127.0.0.2"}),
    ]
    (dataset,) = (entry for entry in found if entry["action"] == "dataset.added")
    assert (dataset["details"]["rows"], len(dataset["details"]["sha256"])) == (1, 64)
    (redelivered,) = (entry for entry in found if entry["action"] == "webhook.redelivered")
    assert (redelivered["kind"], redelivered["details"]) == ("delivery", {"benchmark_id": first})
    assert {(entry["owner"], entry["via"], entry["key_id"]) for entry in found} == {("default", "local", None)}
    for hidden in (CANARY, SECRET, rotated):
        assert hidden not in str(found)
    assert {entry["action"] for entry in found} | OF_ACCESS | OF_WORKERS == set(ACTIONS)


async def test_keys_sessions_and_budgets_have_entries_without_the_secrets(api: httpx2.AsyncClient) -> None:
    """Pages write them as the API does."""
    key = (await api.post("/keys", json={"name": "admin", "scope": "admin"})).json()["key"]
    admin = {"authorization": f"Bearer {key}"}
    made = (await api.post("/keys", json={"name": "gone", "scope": "run", "owner": "acme"}, headers=admin)).json()
    assert (await api.put("/budgets/owners/acme/day", json={"cap_usd": 5.0}, headers=admin)).status_code == 201
    assert (await api.delete("/budgets/owners/acme/day", headers=admin)).status_code == 204
    assert (await api.delete(f"/keys/{made['id']}", headers=admin)).status_code == 204
    await send(api, "/ui/login", {"key": made["key"]})
    browser = Browser(api)
    await browser.log_in(key)
    cookie = str(browser.cookie)
    await browser.send("/ui/logout")
    api.headers.update({**admin, "accept": "application/json"})
    found = await entries(api, owner="*")
    assert {entry["action"] for entry in found} == OF_ACCESS
    for hidden in (key, made["key"], parse(key).secret, parse(made["key"]).secret, cookie):
        assert hidden not in str(found)
    # Whose thing it is, and who did it.
    assert {entry["owner"] for entry in found if entry["action"].startswith("budget.")} == {"acme"}
    assert {entry["key_id"] for entry in found if entry["action"].startswith("budget.")} == {parse(key).id}


async def test_an_owner_reads_the_entries_of_his_own_and_an_admin_those_of_all_if_he_asks(
    api: httpx2.AsyncClient,
) -> None:
    key = (await api.post("/keys", json={"name": "admin", "scope": "admin"})).json()["key"]
    admin = {"authorization": f"Bearer {key}"}
    other = (await api.post("/keys", json={"name": "x", "scope": "admin", "owner": "acme"}, headers=admin)).json()
    acme = {"authorization": f"Bearer {other['key']}"}
    assert (await api.post("/benchmarks", json=EXAMPLE, headers=acme)).status_code == 202

    async def owners(headers: dict[str, str], **query: str) -> set[str]:
        answer = await api.get("/audit", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        return {entry["owner"] for entry in answer.json()["items"]}

    assert await owners(acme) == {"acme"}
    assert await owners(admin) == {"default"}
    assert await owners(admin, owner="acme") == {"acme"}
    assert await owners(admin, owner="*") == {"acme", "default"}
    small = (await api.post("/keys", json={"name": "x", "scope": "run"}, headers=admin)).json()["key"]
    problem(await api.get("/audit", headers={"authorization": f"Bearer {small}"}), 403)


async def test_what_changes_nothing_has_no_entry(api: httpx2.AsyncClient, tables: Tables) -> None:
    key = {"Idempotency-Key": "once"}
    for _ in range(2):
        assert (await api.post("/benchmarks", json=EXAMPLE, headers=key)).json()["id"] == 1
    for _ in range(2):
        assert (await api.post("/benchmarks/1/cancel")).status_code == 202
    rows = b'{"prompt": "x"}\n'
    for _ in range(2):
        await api.post("/datasets", params={"name": "x", "format": "jsonl"}, content=rows, headers=NDJSON)
    assert [action for action, _ in await actions(api)] == ["benchmark.created", "benchmark.cancelled", "dataset.added"]
    document = (await api.get("/benchmarks/1/export", params={"format": "json"})).json()
    for status in (201, 200):
        assert (await api.post("/import", json=copy.deepcopy(document))).status_code == status
    for method, path in (
        ("POST", "/benchmarks/99/cancel"),
        ("DELETE", "/benchmarks/99"),
        ("DELETE", "/datasets/99"),
        ("DELETE", "/baselines/main"),
        ("DELETE", "/webhooks/99"),
        ("POST", "/webhooks/99/test"),
    ):
        problem(await api.request(method, path), 404)
    assert (await api.put("/baselines/main", json={"benchmark_id": 1})).status_code == 409
    assert [action for action, _ in await actions(api)][3:] == ["import.done"]


async def test_a_running_benchmark_that_is_cancelled_twice_has_one_entry(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    number = (await submit(api))["id"]
    await tables.claimed()
    for _ in range(2):
        assert (await api.post(f"/benchmarks/{number}/cancel")).status_code == 202
    assert (await entries(api, action="benchmark.cancelled"))[0]["details"] == {"status": "running"}
    assert len(await entries(api)) == 2


async def test_an_entry_stays_when_the_thing_is_deleted_and_names_the_request(api: httpx2.AsyncClient) -> None:
    number = (await submit(api))["id"]
    deleted = await api.delete(f"/benchmarks/{number}", headers={"X-Request-ID": "mine-1"})
    found = await entries(api, kind="benchmark", target=str(number))
    assert [entry["action"] for entry in found] == ["benchmark.created", "benchmark.deleted"]
    assert found[1]["request_id"] == deleted.headers["x-request-id"]


async def test_filters_and_pages(api: httpx2.AsyncClient) -> None:
    for _ in range(3):
        await submit(api)
    everything = await entries(api, limit=1)
    assert [entry["target"] for entry in everything] == ["1", "2", "3"]
    assert await entries(api, limit=2) == everything
    assert await entries(api, action="benchmark.created", kind="benchmark", target="2") == everything[1:2]
    assert await entries(api, **{"from": "2025-01-01"}) == everything
    assert await entries(api, to="2025-01-01") == []
    assert await entries(api, key_id="ab12cd34") == []


@pytest.mark.parametrize(
    "query",
    [
        {"action": "benchmark.exploded"},
        {"kind": "king"},
        {"target": ""},
        {"key_id": "short"},
        {"from": "yesterday"},
        {"since": "2025-01-01"},
        {"cursor": "x"},
        {"limit": "0"},
    ],
)
async def test_a_wrong_filter_is_named(empty_api: httpx2.AsyncClient, query: dict[str, str]) -> None:
    (error,) = problem(await empty_api.get("/audit", params=query), 422)["errors"]
    assert error["field"] == next(iter(query))
