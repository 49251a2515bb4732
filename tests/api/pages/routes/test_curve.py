"""The page of a load curve: the answer as a sentence, one point a load, the SLO in the URL."""

import httpx2
import pytest

from tests.api.documents import submit
from tests.api.pages.html import Page, forbidden
from tests.api.routes.test_curve import LOADS, swept

__all__ = ["swept"]


async def shown(api: httpx2.AsyncClient, query: str = "") -> Page:
    response = await api.get(f"/ui/benchmarks/1/curve{query}")
    assert response.status_code == 200, response.text
    assert forbidden(response.text) == []
    return Page(response.text)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("", "It holds 8 streams (39.6 requests/s) within its SLOs; 16 is too much."),
        (
            "?at_most=300",
            "It holds 16 streams (39.6 requests/s) within P95 TTFT of at most 300 ms; 32 is too much.",
        ),
        (
            "?metric=latency_ms&percentile=p50&at_most=1",
            "No load that was measured meets P50 latency of at most 1.00 ms.",
        ),
        ("?at_most=5000", "It holds 32 streams (39.6 requests/s) within P95 TTFT of at most 5,000 ms; more was not"),
    ],
)
async def test_the_answer_is_a_sentence(swept: httpx2.AsyncClient, query: str, answer: str) -> None:
    assert answer in (await shown(swept, query)).text


async def test_each_load_is_a_point_with_intervals_and_the_slo_can_be_moved(swept: httpx2.AsyncClient) -> None:
    page = await shown(swept, "?at_most=300")
    assert [item["id"] for item in page.all("figure")] == ["load-curve"]
    dots = [path for path in page.all("path") if path.get("class") == "dots s1"]
    assert len(dots) == len(LOADS)
    assert len([path for path in page.all("path") if path.get("class") == "whisker s1"]) == 2 * len(LOADS)
    (grip,) = page.all("path", role="slider")
    assert grip["aria-valuenow"] == "300"
    assert page.all("input", name="at_most")[0]["value"] == "300"
    assert "knee at" in page.text
    assert page.all("path", role="slider") != (await shown(swept)).all("path", role="slider") == []


async def test_the_data_is_there_as_csv(swept: httpx2.AsyncClient) -> None:
    response = await swept.get("/ui/benchmarks/1/curve.csv?percentile=p99")
    assert response.headers["content-type"].startswith("text/csv")
    head, *lines = response.text.rstrip().split("\r\n")
    assert head.startswith("streams,requests/s,")
    assert "P99 TTFT, ms" in head
    assert [float(line.split(",")[0]) for line in lines] == list(LOADS)


async def test_before_the_first_stage_there_is_no_curve(sqlite_api: httpx2.AsyncClient) -> None:
    await submit(sqlite_api)
    page = await shown(sqlite_api)
    assert "No stage has ended yet" in page.text
    assert page.all("figure") == []


async def test_a_wrong_limit_is_refused(empty_api: httpx2.AsyncClient) -> None:
    for query in ("at_most=0", "at_most=nan", "metric=cost", "percentile=p90"):
        assert (await empty_api.get(f"/ui/benchmarks/1/curve?{query}")).status_code == 422
    assert (await empty_api.get("/ui/benchmarks/9/curve")).status_code == 404
