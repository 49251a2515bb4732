"""`POST /benchmarks`: stored, answered at once, and run by a worker."""

import json
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.api.documents import EXAMPLE, submit
from tests.support.service import Service
from tests.support.waiting import quickest

# The shape that clients were promised; there may be more, never less.
BENCHMARK_FIELDS = {"id", "name", "model", "status", "created_at", "started_at", "completed_at", "results"}
RESULT_FIELDS = {
    "id",
    "prompt",
    "response",
    "ttft_ms",
    "latency_ms",
    "tokens_per_second",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "error",
}


async def test_a_submit_is_accepted_stored_and_pending(api: httpx2.AsyncClient) -> None:
    response = await api.post("/benchmarks", json=EXAMPLE)
    assert response.status_code == 202
    assert response.headers["location"] == "/benchmarks/1"
    document = response.json()
    assert document["id"] == 1
    assert document["status"] == "pending"
    assert (document["name"], document["model"]) == (EXAMPLE["name"], EXAMPLE["model"])
    assert (document["started_at"], document["completed_at"], document["results"]) == (None, None, [])
    progress = {"done": 0, "total": 2, "errors": 0, "last_ttft_ms": None, "cost_usd": None, "metrics": None}
    assert document["progress"] == progress
    assert document["estimate"]["requests"] == 2
    assert (await api.get(response.headers["location"])).json() == {**document, "estimate": None}


async def test_what_was_left_out_is_shown_as_it_will_be_used(api: httpx2.AsyncClient) -> None:
    document = await submit(api)
    assert document["provider"] == "simulator"
    assert document["parameters"]["max_tokens"] == 1_024
    assert (document["concurrency"], document["repetitions"], document["warmup"]) == (2, 1, 0)
    assert document["warmup_prefix"] is True
    assert document["timeouts"] == {"connect_s": 10, "ttft_s": 120, "idle_s": 60, "total_s": 600}
    assert "The simulator answered for claude-3-haiku-20240307" in document["notices"][0]


async def test_what_was_sent_is_shown_as_it_was(api: httpx2.AsyncClient) -> None:
    sent: dict[str, Any] = {
        "model": "gpt-4o-mini",
        "provider": "simulator-openai",
        "system": "Be brief.",
        "concurrency": 3,
        "repetitions": 2,
        "warmup": 1,
        "warmup_prefix": False,
        "timeouts": {"connect_s": 1.5, "ttft_s": 2, "idle_s": 3, "total_s": 4},
        "metadata": {"b": 1, "a": {"d": [None, 1.5, "ü😀"], "c": 2**63}},
    }
    document = await submit(api, **sent, parameters={"seed": 3, "stop": ["a", "b"]})
    assert {name: document[name] for name in sent} == sent
    assert json.dumps(document["metadata"]) == json.dumps(sent["metadata"])
    assert (document["parameters"]["seed"], document["parameters"]["stop"]) == (3, ["a", "b"])
    assert document["progress"]["total"] == 2 * 2 + 1


async def test_a_name_loses_the_space_around_it(api: httpx2.AsyncClient) -> None:
    assert (await submit(api, name="  a b\t"))["name"] == "a b"


async def test_a_prompt_of_two_megabytes_is_accepted(api: httpx2.AsyncClient) -> None:
    assert (await submit(api, prompts=["ü" * 1_000_000]))["status"] == "pending"


async def test_a_finished_benchmark_has_the_promised_shape(service: Service) -> None:
    """By the example of the documentation, from POST to the stored result."""
    response = await service.client.post("/benchmarks", json=EXAMPLE)
    assert response.status_code == 202
    done = await service.run(**EXAMPLE)
    assert done.keys() >= BENCHMARK_FIELDS
    assert done["status"] == "completed"
    created, started, completed = (
        datetime.fromisoformat(done[name]) for name in ("created_at", "started_at", "completed_at")
    )
    assert created <= started <= completed
    assert created.utcoffset() is not None
    assert [result["prompt"] for result in done["results"]] == EXAMPLE["prompts"]
    for result in done["results"]:
        assert result.keys() >= RESULT_FIELDS
        assert result["error"] is None
        assert result["response"]
        assert 0 < result["ttft_ms"] < result["latency_ms"]
        assert result["tokens_per_second"] > 0
        expected = (result["input_tokens"] * 0.25 + result["output_tokens"] * 1.25) / 1_000_000
        assert result["cost_usd"] == pytest.approx(expected)


async def test_prefer_wait_answers_200_when_the_benchmark_has_ended(service: Service) -> None:
    response = await service.client.post(
        "/benchmarks", json={**EXAMPLE, "model": "sim-ttft1-n1"}, headers={"prefer": "respond-async, wait=60"}
    )
    assert response.status_code == 200
    assert response.headers["preference-applied"] == "wait=60"
    assert response.json()["status"] == "completed"
    assert len(response.json()["results"]) == 2


@pytest.mark.parametrize("prefer", ["wait=0", "wait=0.05"])
async def test_prefer_wait_answers_202_when_the_time_is_over(api: httpx2.AsyncClient, prefer: str) -> None:
    response = await api.post("/benchmarks", json=EXAMPLE, headers={"prefer": prefer})
    assert response.status_code == 202
    assert response.headers["preference-applied"] == prefer
    assert response.json()["status"] == "pending"


@pytest.mark.parametrize("prefer", ["", "wait", "wait=-1", "wait=soon", "wait=1e999", "await=5", "handling=strict"])
async def test_an_unknown_preference_is_ignored(sqlite_api: httpx2.AsyncClient, prefer: str) -> None:
    response = await sqlite_api.post("/benchmarks", json=EXAMPLE, headers={"prefer": prefer})
    assert response.status_code == 202
    assert "preference-applied" not in response.headers


async def test_a_submit_is_accepted_within_three_seconds_while_redis_is_down(sqlite_api: httpx2.AsyncClient) -> None:
    """The row is the truth; a worker's sweep finds it."""
    document = await quickest(3, lambda: submit(sqlite_api))
    assert (await sqlite_api.get(f"/benchmarks/{document['id']}")).json()["status"] == "pending"


async def test_a_request_id_is_kept_and_a_bad_one_replaced(sqlite_api: httpx2.AsyncClient) -> None:
    for given, kept in (("abc-123.X_y", True), ("x" * 65, False), ("a b", False), ("", False)):
        answered = (await sqlite_api.get("/health", headers={"x-request-id": given})).headers["x-request-id"]
        assert (answered == given) is kept
        assert answered
