"""After TEXT_RETENTION_DAYS, no table holds a text that a caller sent or a model answered."""

import zlib
from typing import Any

import pytest
from sqlalchemy import select, update

from shared.db.benchmarks.retention import RetentionRepository
from shared.db.connection.database import Database
from shared.db.tables.all_tables import METADATA
from shared.db.tables.benchmarks import Benchmark, IdempotencyKey
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookDelivery
from shared.providers.key_ring import KeyRing
from shared.webhooks.secret_box import new_key
from tests.support.servers.receiver import LOOPBACK, receiver, status
from tests.support.servers.scripted import ScriptedServer, http
from tests.support.service import WAIT, Service, running_service
from tests.support.streams import openai_chunk, sse
from tests.support.waiting import until
from worker.engine.children import Children
from worker.retention import Retention

MARK = "Quokka"
ANSWER = sse(
    openai_chunk({"reasoning_content": f"thinking of a {MARK}"}),
    openai_chunk({"content": f"I like the {MARK}"}),
    openai_chunk({}, "stop"),
    "[DONE]",
)
REFUSAL = f'{{"error": {{"message": "no {MARK} here", "type": "invalid_request_error"}}}}'.encode()
SPEC: dict[str, Any] = {
    "name": f"about {MARK}",
    "model": "m",
    "system": f"You are a {MARK}",
    "prompts": [
        f"Say {MARK}",
        {
            "system": f"You are no {MARK}",
            "messages": [
                {"role": "user", "content": MARK},
                {"role": "assistant", "content": MARK},
                {"role": "user", "content": MARK},
            ],
            "parameters": {"stop": MARK},
        },
    ],
    "parameters": {"stop": [MARK], "max_tokens": 5},
    "extra_body": {"user": MARK, MARK: 1, "service_tier": MARK},
    "metadata": {"team": MARK, MARK: [MARK]},
    "warmup": 1,
}


def holds_mark(value: Any) -> bool:
    """Whether a value of a row has the mark in it, compressed or not."""
    if isinstance(value, bytes):
        try:
            # A stored aggregate: one byte names its format.
            return MARK.encode() in zlib.decompress(value[1:])
        except zlib.error:
            return MARK.encode() in value
    return MARK in repr(value)


async def marked(database: Database) -> set[str]:
    """Names of the columns that hold the mark."""
    found: set[str] = set()
    async with database.read() as session:
        for table in METADATA.sorted_tables:
            for row in (await session.execute(select(table))).mappings():
                found |= {f"{table.name}.{name}" for name, value in row.items() if holds_mark(value)}
    return found


def providers(servers: dict[str, ScriptedServer]) -> list[dict[str, Any]]:
    return [{"name": name, "protocol": "openai", "base_url": f"{server.url}/v1"} for name, server in servers.items()]


async def run(service: Service, provider: str, hook: str) -> dict[str, Any]:
    headers = {**WAIT, "Idempotency-Key": f"{MARK}-{provider}"}
    body = {**SPEC, "provider": provider, "webhook_url": f"{hook}{MARK}"}
    response = await service.client.post("/benchmarks", json=body, headers=headers)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


@pytest.fixture
def good_and_bad() -> dict[str, ScriptedServer]:
    refusal = http(REFUSAL, "400 Bad Request", "application/json")
    return {"good": ScriptedServer([http(ANSWER)]), "bad": ScriptedServer([refusal])}


async def test_no_text_is_left_in_any_column(
    database_url: str,
    database: Database,
    redis_url: str,
    children: Children,
    good_and_bad: dict[str, ScriptedServer],
) -> None:
    good, bad = good_and_bad.values()
    options = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK}
    async with (
        good.running(),
        bad.running(),
        receiver(status(500, body=f"no {MARK}")) as hooks,
        running_service(
            database_url, redis_url, None, KeyRing({}), children, providers=providers(good_and_bad), **options
        ) as service,
    ):
        await service.client.post("/webhooks", json={"url": hooks.url})
        before = [await run(service, name, hooks.url) for name in good_and_bad]
        # Both events of each were refused, by the benchmark's own endpoint and by the registered one.
        await until(lambda: refused(service, before))
        planted = await marked(database)
        await expire(database)
        after = [(await service.client.get(f"/benchmarks/{done['id']}")).json() for done in before]
        listed = (await service.client.get("/benchmarks")).json()["items"]
        prompts = await service.client.get(f"/benchmarks/{before[0]['id']}/prompts")
    assert planted >= {
        "benchmarks.name",
        "benchmarks.spec",
        "benchmarks.target",
        "idempotency_keys.key",
        "prompts.document",
        "results.error",
        "results.reasoning",
        "results.response",
        "webhook_attempts.response",
        "webhook_attempts.url",
        "webhook_deliveries.lane",
        "webhook_endpoints.url",
        "webhook_events.data",
    }
    assert await marked(database) == set()
    assert prompts.json() == {"items": [], "next_cursor": None}
    for old, new in zip(before, after, strict=True):
        assert new["name"] == f"benchmark {new['id']}"
        for field in ("summary", "model", "provider", "status", "progress", "concurrency", "timeouts"):
            assert new[field] == old[field], field
        assert new["parameters"]["max_tokens"] == 5
        assert [result["latency_ms"] for result in new["results"]] == [
            result["latency_ms"] for result in old["results"]
        ]
        assert new["webhook"] is None
    assert [item["name"] for item in listed] == [f"benchmark {done['id']}" for done in reversed(before)]


async def refused(service: Service, benchmarks: list[dict[str, Any]]) -> bool:
    for done in benchmarks:
        items = (await service.client.get(f"/benchmarks/{done['id']}/webhook-deliveries")).json()["items"]
        if len(items) != 4 or any(item["attempts"][-1]["response"] is None for item in items if item["attempts"]):
            return False
        if not all(item["attempts"] for item in items):
            return False
    return True


async def expire(database: Database) -> None:
    """As if all had ended eight days ago and the last attempts had failed, then a sweep."""
    ago = utc_now(-8 * 86_400)
    async with database.write() as session:
        await session.execute(update(Benchmark).values(completed_at=ago))
        await session.execute(update(IdempotencyKey).values(created_at=ago))
        await session.execute(update(WebhookDelivery).values(status="failed", next_attempt_at=None))
    await Retention(RetentionRepository(database), benchmark_days=None, text_days=7).sweep()
