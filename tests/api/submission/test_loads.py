"""Benchmarks with a `load`: accepted, shown with their defaults, run again, and refused with words."""

from typing import Any

import httpx2
import pytest

SHORT: dict[str, Any] = {"name": "n", "model": "sim", "prompts": ["a", "b"]}
LOAD: dict[str, Any] = {
    "seed": 7,
    "stages": [
        {"name": "calm", "request_rate": 5, "arrival": "gamma", "burstiness": 0.5, "duration_s": 60},
        {"concurrency": 4, "ramp": {"from": 1, "over_s": 10}, "requests": 50, "warmup": {"requests": 3}},
    ],
}


async def test_a_load_is_stored_and_shown_with_its_defaults(api: httpx2.AsyncClient) -> None:
    response = await api.post("/benchmarks", json={**SHORT, "load": LOAD})
    assert response.status_code == 202, response.text
    load = response.json()["load"]
    calm, loop = load["stages"]
    assert (calm["max_concurrency"], calm["grace_s"], load["transition"], load["seed"]) == (50, 30, "drained", 7)
    assert loop == {
        "concurrency": 4,
        "ramp": {"from": 1, "over_s": 10},
        "requests": 50,
        "warmup": {"requests": 3},
    }
    assert (await api.get(response.headers["location"])).json()["load"] == load
    (listed,) = (await api.get("/benchmarks")).json()["items"]
    assert listed["load"] == load


async def test_a_rerun_has_the_same_load(api: httpx2.AsyncClient) -> None:
    first = (await api.post("/benchmarks", json={**SHORT, "load": LOAD})).json()
    rerun = await api.post(f"/benchmarks/{first['id']}/rerun")
    assert rerun.status_code == 202, rerun.text
    assert rerun.json()["load"] == first["load"]


async def test_the_short_form_shows_no_load(api: httpx2.AsyncClient) -> None:
    assert (await api.post("/benchmarks", json=SHORT)).json()["load"] is None


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"load": {}}, "load", "no control"),
        ({"load": {"concurrency": 2_000}}, "load.concurrency", "less than or equal to 1024"),
        ({"load": {"request_rate": 5, "burstiness": 2}}, "load", "burstiness and arrival gamma belong together"),
        ({"load": {"concurrency": 4}, "concurrency": 4}, "body", "concurrency and load exclude each other"),
        ({"load": {"stages": [{"concurrency": 4, "seed": 3}]}}, "load.stages[0].seed", "not a field"),
    ],
)
async def test_a_wrong_load_is_refused_by_the_name_of_its_field(
    api: httpx2.AsyncClient, changes: dict[str, Any], field: str, message: str
) -> None:
    response = await api.post("/benchmarks", json={**SHORT, **changes})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert message in error["message"] + error.get("detail", "")
    assert field in (error.get("field") or error.get("path") or error.get("pointer") or str(error))
