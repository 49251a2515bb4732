"""Benchmarks whose requests are not a list of prompts: accepted, shown, run again, and refused with words."""

from typing import Any

import httpx2
import pytest

GENERATED: dict[str, Any] = {
    "name": "generated",
    "model": "sim",
    "workload": {"source": "generated", "input_tokens": 512, "output_tokens": 128, "cache": "bust"},
    "repetitions": 200,
}


async def test_a_workload_without_prompts_is_stored_and_shown(api: httpx2.AsyncClient) -> None:
    response = await api.post("/benchmarks", json=GENERATED)
    assert response.status_code == 202
    document = response.json()
    assert document["progress"]["total"] == 200
    assert document["concurrency"] == 8
    workload = document["workload"]
    assert (workload["source"], workload["cache"], workload["output_tokens"]["value"]) == ("generated", "bust", 128)
    assert workload["seed"] >= 0
    assert (await api.get(response.headers["location"])).json()["workload"] == workload


async def test_a_rerun_sends_the_same_texts(api: httpx2.AsyncClient) -> None:
    first = (await api.post("/benchmarks", json=GENERATED)).json()
    rerun = await api.post(f"/benchmarks/{first['id']}/rerun")
    assert rerun.status_code == 202
    assert rerun.json()["workload"] == first["workload"]
    assert first["workload"]["seed"] is not None


async def test_a_benchmark_without_a_workload_shows_none(api: httpx2.AsyncClient) -> None:
    document = (await api.post("/benchmarks", json={"name": "n", "model": "sim", "prompts": ["a"]})).json()
    assert document["workload"] is None


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"prompts": ["a"]}, "prompts", "must be left out: workload.source is generated"),
        ({"workload": {"source": "generated"}}, "workload", "source generated needs input_tokens"),
        (
            {"workload": {"source": "generated", "input_tokens": 0}},
            "workload.input_tokens.value",
            "greater than or equal",
        ),
        ({"workload": {"source": "builtin", "cache": "bst"}}, "workload.cache", "'none' or 'bust'"),
        (
            {"workload": {"source": "builtin", "cache": {"shared_prefix": {"tokens": 0}}}},
            "workload.cache.shared_prefix.tokens",
            "greater than or equal",
        ),
        ({"workload": None}, "prompts", "is required"),
        ({"workload": {"order": "shuffled"}}, "prompts", "is required"),
    ],
)
async def test_a_wrong_field_is_named(
    api: httpx2.AsyncClient, changes: dict[str, Any], field: str, message: str
) -> None:
    response = await api.post("/benchmarks", json={**GENERATED, **changes})
    assert response.status_code == 422
    errors = {error["field"]: error["message"] for error in response.json()["errors"]}
    assert list(errors) == [field]
    assert message in errors[field]
