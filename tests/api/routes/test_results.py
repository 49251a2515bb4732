"""Reading results: embedded, in pages, sorted, filtered, with the timeline that they were computed from."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest

from shared.benchmark.results.record import RequestError
from shared.numbers.formulas import RequestFacts
from shared.numbers.metrics import compute
from shared.numbers.timeline import EventKind, TimelineEvent, encode
from tests.api.documents import pages, submit
from tests.shared.db.rows import Tables, make_record
from tests.support.service import Service

TTFT = (30.5, None, 10.25, 30.5, None, 20.0)


@pytest.fixture
async def recorded(api: httpx2.AsyncClient, tables: Tables) -> httpx2.AsyncClient:
    """Six results and one of warm-up; two without tokens, with ties in between."""
    await submit(api, prompts=[f"prompt {index}" for index in range(6)], warmup=1)
    records = [
        make_record(
            index,
            ttft_ms=ttft,
            outcome="succeeded" if ttft else "errored",
            error=None if ttft else RequestError("overloaded", "busy", "before_first_token", 529),
            cost_usd=Decimal("0.00001075") if ttft else None,
        )
        for index, ttft in enumerate(TTFT)
    ]
    await tables.results.record(await tables.claimed(), [make_record(0, -1, warmup=True), *records])
    return api


async def order(client: httpx2.AsyncClient, **query: Any) -> list[int]:
    return [item["prompt_index"] for item in await pages(client, "/benchmarks/1/results", **query)]


async def test_results_are_sorted_either_way_unknown_last_and_paged_without_gaps(recorded: httpx2.AsyncClient) -> None:
    for sort, expected in (
        ("ttft_ms", [2, 5, 0, 3, 1, 4]),
        ("-ttft_ms", [0, 3, 5, 2, 1, 4]),
        ("id", [0, 1, 2, 3, 4, 5]),
        ("-id", [5, 4, 3, 2, 1, 0]),
        ("cost_usd", [0, 2, 3, 5, 1, 4]),
        ("-cost_usd", [0, 2, 3, 5, 1, 4]),
        ("output_tokens", [0, 1, 2, 3, 4, 5]),
    ):
        for limit in (1, 2, 1_000):
            assert await order(recorded, sort=sort, limit=limit) == expected, sort


async def test_filters_narrow_the_results(recorded: httpx2.AsyncClient) -> None:
    assert await order(recorded, outcome="errored") == [1, 4]
    assert await order(recorded, outcome="succeeded", limit=2) == [0, 2, 3, 5]
    assert await order(recorded, outcome="timed_out") == []
    warmup = await pages(recorded, "/benchmarks/1/results", warmup="true")
    assert [(item["prompt_index"], item["repetition"], item["warmup"]) for item in warmup] == [(0, -1, True)]


async def test_a_result_shows_its_prompt_its_cost_and_its_error(recorded: httpx2.AsyncClient) -> None:
    first, second, *_ = (await recorded.get("/benchmarks/1/results")).json()["items"]
    assert (first["prompt"], first["cost_usd"], first["error"]) == ("prompt 0", 0.00001075, None)
    assert (second["prompt"], second["cost_usd"]) == ("prompt 1", None)
    assert second["error"] == {
        "kind": "overloaded",
        "message": "busy",
        "http_status": 529,
        "provider_code": None,
        "phase": "before_first_token",
        "retry_after_s": None,
    }


async def test_results_that_come_between_pages_are_not_missed_and_not_shown_twice(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await submit(api, prompts=["x"] * 4)
    lease = await tables.claimed()
    await tables.results.record(lease, [make_record(0), make_record(1)])
    first = (await api.get("/benchmarks/1/results", params={"limit": 1})).json()
    await tables.results.record(lease, [make_record(2), make_record(3)])
    rest = await pages(api, "/benchmarks/1/results", limit=2, cursor=first["next_cursor"])
    assert [item["prompt_index"] for item in [*first["items"], *rest]] == [0, 1, 2, 3]


async def test_include_chooses_what_is_embedded(recorded: httpx2.AsyncClient) -> None:
    for include, slots, timeline in (
        ("results", [0, 0, 0, 0, 0, 0], False),
        ("warmup", [-1, 0, 0, 0, 0, 0, 0], False),
        (" timeline , warmup ", [-1, 0, 0, 0, 0, 0, 0], True),
        ("results,timeline", [0, 0, 0, 0, 0, 0], True),
        ("none,results", [0, 0, 0, 0, 0, 0], False),
    ):
        results = (await recorded.get("/benchmarks/1", params={"include": include})).json()["results"]
        assert [item["repetition"] for item in results] == slots, include
        assert {item["timeline"] is not None for item in results} == {timeline}
    for include in ("none", "", ","):
        assert (await recorded.get("/benchmarks/1", params={"include": include})).json()["results"] is None


async def test_a_running_benchmark_shows_the_results_that_are_there(recorded: httpx2.AsyncClient) -> None:
    document = (await recorded.get("/benchmarks/1")).json()
    assert document["status"] == "running"
    assert document["progress"] == {
        "done": 7,
        "total": 7,
        "errors": 2,
        "last_ttft_ms": 20.0,
        "cost_usd": 0.000043,
        "metrics": None,
    }
    assert [item["prompt"] for item in document["results"]] == [f"prompt {index}" for index in range(6)]


@pytest.mark.heavy
async def test_a_thousand_results_are_embedded_and_more_are_paged(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api, prompts=["x"] * 1_001)
    lease = await tables.claimed()
    for start in (0, 200, 400, 600, 800):
        await tables.results.record(lease, [make_record(index) for index in range(start, start + 200)])
    assert (await api.get("/benchmarks/1")).json()["results_truncated"] is False
    await tables.results.record(lease, [make_record(1_000)])
    document = (await api.get("/benchmarks/1")).json()
    assert (len(document["results"]), document["results_truncated"]) == (1_000, True)
    assert await order(api, limit=1_000) == list(range(1_001))


async def test_every_metric_can_be_computed_again_from_the_timeline(service: Service) -> None:
    """What a reader computes is to the microsecond what the service says."""
    done = await service.run(model="sim-ttft20-gap5-n6-think2", prompts=["one", "two"])
    document = (await service.client.get(f"/benchmarks/{done['id']}?include=timeline")).json()
    assert len(document["results"]) == 2
    for result in document["results"]:
        assert len([event for event in result["timeline"] if event["kind"] in ("content", "reasoning")]) > 1
        events = [
            TimelineEvent(round(event["offset_ms"] * 1_000), EventKind[event["kind"].upper()], event["size"])
            for event in result["timeline"]
        ]
        facts = RequestFacts.of(events, result["output_tokens"], result["output_tokens"])
        for name, value in compute(facts).items():
            assert result[name] == pytest.approx(value), name
        # Equal where a busy machine found them in one read.
    assert result["ttft_ms"] <= result["ttfat_ms"] <= result["latency_ms"]


async def test_the_same_benchmark_is_the_same_json_on_each_database(api: httpx2.AsyncClient, tables: Tables) -> None:
    """Both runs of this test compare with one text."""
    await submit(api, metadata={"b": [1.0, 1e-7, None], "a": "ü"}, parameters={"temperature": 0.1})
    price = {"source": "s", "provider": "p", "model": "m", "input_usd_per_mtok": "0.25", "output_usd_per_mtok": "1.25"}
    lease = await tables.claimed()
    await tables.leases.begin(lease, dispatched=0, price=price)
    timeline = encode([TimelineEvent(100_250, EventKind.CONTENT, 5), TimelineEvent(823_400, EventKind.END, 0)])
    record = make_record(
        0, ttft_ms=100.25, tpot_ms=0.1 + 0.2, cost_usd=Decimal("0.000010750000"), flags=["buffered"], timeline=timeline
    )
    await tables.results.record(lease, [record])
    await tables.leases.finish(lease, "failed", summary=None, error={"kind": "k", "message": "ü"})
    document = (await api.get("/benchmarks/1?include=timeline")).json()
    (result,) = document.pop("results")
    for name in ("created_at", "started_at", "completed_at"):
        at = document.pop(name)
        assert at.endswith("Z")
        assert len(at) in (len("2025-01-15T10:30:00Z"), len("2025-01-15T10:30:00.123456Z"))
    assert document["metadata"] == {"b": [1.0, 1e-07, None], "a": "ü"}
    assert list(document["metadata"]) == ["b", "a"]
    assert document["progress"] == {
        "done": 1,
        "total": 2,
        "errors": 0,
        "last_ttft_ms": 100.25,
        "cost_usd": 1.075e-05,
        "metrics": None,
    }
    assert document["error"] == {"kind": "k", "message": "ü"}
    assert document["price"]["input_usd_per_mtok"] == 0.25
    assert document["parameters"]["temperature"] == 0.1
    assert (document["status"], document["interrupted"], document["summary"]) == ("failed", False, None)
    assert result["tpot_ms"] == 0.3
    assert result["cost_usd"] == 1.075e-05
    assert result["sent_at"] == "2025-01-15T10:30:00.123456Z"
    assert result["flags"] == ["buffered"]
    assert result["timeline"] == [
        {"offset_ms": 100.25, "kind": "content", "size": 5},
        {"offset_ms": 823.4, "kind": "end", "size": 0},
    ]
