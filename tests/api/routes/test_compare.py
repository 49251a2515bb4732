"""`GET /compare`: two to eight ended benchmarks, on both databases."""

from typing import Any

import httpx2
import numpy as np
import pytest

from shared.db.benchmarks.retention import RetentionRepository
from shared.db.results.comparison_rows import ComparisonRows
from tests.api.documents import problem, submit
from tests.shared.db.rows import Tables, make_record


async def ended(
    api: httpx2.AsyncClient, tables: Tables, factor: float = 1.0, *, status: str = "completed", **changes: Any
) -> int:
    """A benchmark of 200 results around 150 ms times `factor`."""
    number: int = (await submit(api, **changes))["id"]
    lease = await tables.claimed()
    generator = np.random.default_rng(number)
    values = generator.lognormal(5, 0.2, 200) * factor
    await tables.results.record(
        lease, [make_record(place % 2, place // 2, ttft_ms=float(value)) for place, value in enumerate(values)]
    )
    summary = {"requests": {"planned": 200, "warmup": 0, "succeeded": 200, "errored": 0, "timed_out": 0,
                            "cancelled": 0, "truncated": 0}, "measurement": {"grade": "A"}}  # fmt: skip
    await tables.leases.finish(lease, status, summary=summary, error=None)  # type: ignore[arg-type]
    return number


async def compared(api: httpx2.AsyncClient, ids: str, **query: Any) -> dict[str, Any]:
    response = await api.get("/compare", params={"ids": ids, **query})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def test_two_benchmarks_are_compared_with_words_and_intervals(api: httpx2.AsyncClient, tables: Tables) -> None:
    first, second, third = await ended(api, tables), await ended(api, tables, 1.5), await ended(api, tables)
    document = await compared(api, f"{first},{second},{third}")
    assert document["reference"] == first
    assert [(run["label"], run["id"], run["grade"]) for run in document["runs"]] == [
        ("A", first, "A"),
        ("B", second, "A"),
        ("C", third, "A"),
    ]
    p50 = document["metrics"][0]
    assert (p50["metric"], p50["statistic"], p50["unit"], p50["better"]) == ("ttft_ms", "p50", "ms", "lower")
    slower, same = p50["differences"]
    assert (slower["id"], slower["verdict"], slower["better"]) == (second, "different", False)
    low, high = slower["interval_95"]
    assert 0 < low < slower["difference"] < high
    assert slower["ratio"] == pytest.approx(1.5, rel=0.1)
    assert slower["sentence"].startswith("B's P50 TTFT is ")
    assert same["verdict"] in ("practically_equal", "too_early")
    assert any("different times" in note for note in document["notes"])
    assert (document["withheld"], document["differs"]) == ([], [])


async def test_only_the_metrics_that_are_asked_for_with_margins(api: httpx2.AsyncClient, tables: Tables) -> None:
    first, second = await ended(api, tables), await ended(api, tables, 1.5)
    document = await compared(api, f"{first},{second}", metric="ttft_ms,error_rate", margin_percent=80, margin_ms=1)
    assert [item["metric"] for item in document["metrics"]] == ["ttft_ms", "ttft_ms", "ttft_ms", "error_rate"]
    assert document["metrics"][0]["differences"][0]["verdict"] == "too_small_to_matter"
    assert document["margins"] == {"percent": 80, "ms": 1, "points": 1}


async def test_other_settings_withhold_the_verdict(api: httpx2.AsyncClient, tables: Tables) -> None:
    first = await ended(api, tables)
    second = await ended(api, tables, 1.5, parameters={"max_tokens": 7}, prompts=["other", "ones"])
    document = await compared(api, f"{first},{second}")
    assert document["withheld"] == [
        "B: they sent different prompts",
        "B: parameters.max_tokens differs: 1024 and 7",
    ]
    assert {item["differences"][0]["verdict"] for item in document["metrics"]} <= {"withheld", "too_early"}


async def test_a_comparison_is_computed_once(
    api: httpx2.AsyncClient, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ids and margins. A deleted benchmark is not compared any more."""
    first, second = await ended(api, tables), await ended(api, tables)
    before = await compared(api, f"{first},{second}")

    async def fails(*_: object) -> None:
        raise AssertionError("the results were read again")

    monkeypatch.setattr(ComparisonRows, "of", fails)
    assert await compared(api, f"{first},{second}") == before
    await api.delete(f"/benchmarks/{second}")
    assert problem(await api.get(f"/compare?ids={first},{second}"), 404)["detail"] == f"there is no benchmark {second}"


async def test_what_retention_deletes_is_shown_no_longer(api: httpx2.AsyncClient, tables: Tables) -> None:
    """Names, and parameters that are texts."""
    first = await ended(api, tables, name="a secret name", parameters={"stop": ["secret word"]})
    second = await ended(api, tables)
    assert str(await compared(api, f"{first},{second}")).count("secret") > 1
    retention, after = RetentionRepository(tables.database), 0
    while (following := await retention.delete_texts_step(first, after)) is not None:
        after = following
    assert "secret" not in str(await compared(api, f"{first},{second}"))


async def test_what_has_not_ended_or_has_nothing_is_named(api: httpx2.AsyncClient, tables: Tables) -> None:
    first = await ended(api, tables)
    pending = (await submit(api))["id"]
    assert problem(await api.get(f"/compare?ids={first},{pending}"), 409)["detail"] == (
        f"benchmark {pending} is pending: compare it when it has ended"
    )
    lease = await tables.claimed()
    assert "is running" in problem(await api.get(f"/compare?ids={pending},{first}"), 409)["detail"]
    await tables.leases.finish(lease, "failed", summary=None, error={"kind": "x", "message": "y"})
    assert problem(await api.get(f"/compare?ids={first},{pending}"), 409)["detail"] == (
        f"benchmark {pending} has no request that succeeded: there is nothing to compare"
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("ids=1", "at least 2"),
        ("ids=1,2,3,4,5,6,7,8,9", "at most 8"),
        ("ids=1,1", "names benchmark 1 twice"),
        ("", "ids: is required"),
        ("ids=a,b", "ids[0]: must be an integer"),
        ("ids=0,1", "ids[0]: must be greater"),
        ("ids=1,2&metric=ttft", "metric[0]"),
        ("ids=1,2&margin_ms=-1", "margin_ms"),
        ("ids=1,2&margin_percent=nan", "margin_percent"),
        ("ids=1,2&margin=5", "margin: is not a field"),
        (f"ids={'1,' * 300}", "at most 400 characters"),
    ],
)
async def test_a_wrong_question_is_refused(empty_api: httpx2.AsyncClient, query: str, words: str) -> None:
    assert words in problem(await empty_api.get(f"/compare?{query}"), 422)["detail"]


async def test_there_is_no_comparison_with_nothing(empty_api: httpx2.AsyncClient) -> None:
    assert problem(await empty_api.get("/compare?ids=1,2"), 404)["detail"] == "there is no benchmark 1"
