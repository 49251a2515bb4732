"""`POST /benchmarks/estimate`, and the estimate in the answer to a submit."""

import httpx2
import pytest

from tests.api.documents import EXAMPLE


async def test_an_estimate_stores_nothing(api: httpx2.AsyncClient) -> None:
    response = await api.post("/benchmarks/estimate", json={**EXAMPLE, "model": "gpt-4o-mini", "repetitions": 5})
    assert response.status_code == 200
    document = response.json()
    assert document["provider"] == "simulator-openai"
    assert "The simulator answered for gpt-4o-mini" in document["notices"][0]
    found = document["estimate"]
    assert (found["requests"], found["warmup_requests"]) == (10, 0)
    assert found["output_tokens"] == {"low": 0, "high": 10_240}
    assert 0 < found["cost_usd"]["low"] < found["cost_usd"]["high"] < 0.1
    assert (await api.get("/benchmarks")).json()["items"] == []


async def test_an_estimate_is_the_one_that_the_submit_answers_with(api: httpx2.AsyncClient) -> None:
    """But for the tokens: the submit does not wait for a tokenizer."""
    exact = (await api.post("/benchmarks/estimate", json=EXAMPLE)).json()["estimate"]
    submitted = await api.post("/benchmarks", json=EXAMPLE)
    estimated = submitted.json()["estimate"]
    assert (exact["tokens_counted_by"], estimated["tokens_counted_by"]) == ("tokenizer", "bytes")
    assert (exact["input_tokens"], estimated["input_tokens"]) == (15, 11)
    same = ("requests", "warmup_requests", "output_tokens", "duration_s", "notes")
    assert (submitted.status_code, [exact[name] for name in same]) == (202, [estimated[name] for name in same])
    waited = await api.post("/benchmarks", json=EXAMPLE, headers={"prefer": "wait=0"})
    assert waited.json()["estimate"] == estimated
    again = (await api.post("/benchmarks/1/rerun")).json()
    assert again["estimate"] == estimated


async def test_a_generated_workload_is_estimated_unless_its_tokenizer_is_not_here(
    api: httpx2.AsyncClient,
) -> None:
    body = {"name": "n", "model": "gpt-4o-mini", "load": {"request_rate": 10, "requests": 300}}
    generated = {"source": "generated", "input_tokens": 100, "output_tokens": 20}
    found = (await api.post("/benchmarks/estimate", json={**body, "workload": generated})).json()["estimate"]
    assert found["requests"] == 300
    assert found["input_tokens"] == pytest.approx(30_000, rel=0.05)
    assert found["output_tokens"]["high"] == 6_000
    elsewhere = {**generated, "tokenizer": "mine.json"}
    answer = (await api.post("/benchmarks/estimate", json={**body, "workload": elsewhere})).json()["estimate"]
    assert (answer["requests"], answer["input_tokens"], answer["cost_usd"]) == (300, None, None)
    assert "not at hand" in answer["notes"][0]


async def test_the_answer_to_a_post_has_an_estimate_and_a_repeated_one_has_the_same(api: httpx2.AsyncClient) -> None:
    headers = {"idempotency-key": "one"}
    answers = [(await api.post("/benchmarks", json=EXAMPLE, headers=headers)).json()["estimate"] for _ in range(2)]
    assert answers[0] is not None
    assert answers[1] == answers[0]
    assert (await api.get("/benchmarks/1")).json()["estimate"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompts": []}, "prompts"),
        ({"slos": {"ttft_ms": -1}}, "slos"),
        ({"slos": "fast"}, "slos"),
        ({"provider": "nobody"}, "provider"),
        ({"parameters": {"seed": 5}}, "parameters"),
    ],
)
async def test_what_a_submit_refuses_is_refused(api: httpx2.AsyncClient, change: dict[str, object], field: str) -> None:
    estimated = await api.post("/benchmarks/estimate", json={**EXAMPLE, **change})
    submitted = await api.post("/benchmarks", json={**EXAMPLE, **change})
    assert (estimated.status_code, submitted.status_code) == (422, 422)
    assert estimated.json()["errors"] == submitted.json()["errors"]
    assert any(field in str(error) for error in estimated.json()["errors"])


async def test_slos_are_shown_as_they_were_submitted(api: httpx2.AsyncClient) -> None:
    created = (await api.post("/benchmarks", json={**EXAMPLE, "slos": "interactive_chat"})).json()
    assert created["slos"] == {"preset": "interactive_chat", "ttft_ms": 500, "tpot_ms": 50, "attainment": 0.95}
