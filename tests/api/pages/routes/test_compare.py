"""The page of a comparison: what differs first, then sentences, charts and values."""

import httpx2
import pytest

from tests.api.pages.html import Page, forbidden
from tests.api.routes.test_compare import ended
from tests.shared.db.rows import Tables

HOSTILE = "<img src=x onerror=alert(1)>"


async def shown(api: httpx2.AsyncClient, path: str, status: int = 200) -> Page:
    response = await api.get(path)
    assert response.status_code == status, response.text
    assert forbidden(response.text) == []
    return Page(response.text)


async def test_sentences_charts_and_values_are_those_of_the_api(api: httpx2.AsyncClient, tables: Tables) -> None:
    first, second = await ended(api, tables, name=HOSTILE), await ended(api, tables, 1.5)
    page = await shown(api, f"/ui/compare?ids={first},{second}")
    document = (await api.get(f"/compare?ids={first},{second}")).json()
    for metric in document["metrics"]:
        assert metric["differences"][0]["sentence"] in page.text
    assert HOSTILE in page.text
    assert page.all("img") == []
    assert document["notes"][0] in page.text
    assert "(worse)" in page.text
    assert [item["id"] for item in page.all("figure")] == ["differences", "ttft-ecdf", "latency-ecdf"]
    assert f"/ui/compare?ids={second}%2C{first}" in {item["href"] for item in page.all("a") if "href" in item}


async def test_what_differs_stands_above_the_sentences(api: httpx2.AsyncClient, tables: Tables) -> None:
    first = await ended(api, tables)
    second = await ended(api, tables, 1.5, parameters={"max_tokens": 7})
    page = await shown(api, f"/ui/compare?ids={first},{second}")
    text = page.text
    assert text.index("No verdict where settings differ") < text.index("What differs") < text.index("B's P50 TTFT")
    assert "parameters.max_tokens" in text
    assert "(worse)" not in text
    assert "▼" not in text


async def test_margins_are_in_the_url(api: httpx2.AsyncClient, tables: Tables) -> None:
    first, second = await ended(api, tables), await ended(api, tables, 1.5)
    page = await shown(api, f"/ui/compare?ids={first},{second}&margin_percent=80&margin_ms=&theme=dark")
    assert "too small to matter" in page.text
    assert page.all("input", name="margin_percent")[0]["value"] == "80"
    assert page.all("input", name="margin_ms")[0]["value"] == "10"
    links = {item["href"] for item in page.all("a") if "href" in item}
    assert f"/compare?ids={first}%2C{second}&margin_percent=80.0" in links


async def test_it_can_be_taken_elsewhere_as_a_table_and_as_a_report(api: httpx2.AsyncClient, tables: Tables) -> None:
    first, second = await ended(api, tables), await ended(api, tables, 1.5)
    page = await shown(api, f"/ui/compare?ids={first},{second}&margin_ms=20&theme=dark")
    links = [item["href"] for item in page.all("a") if "/export" in item.get("href", "") or "report" in item["href"]]
    answers = [await api.get(link) for link in links]
    assert [answer.headers["content-type"].partition(";")[0] for answer in answers] == ["text/html", "text/csv"]
    assert "margin_ms=20" in links[1]


async def test_each_figure_has_its_data_as_csv(api: httpx2.AsyncClient, tables: Tables) -> None:
    first, second = await ended(api, tables, model="=HYPERLINK(1)", provider="simulator"), 0
    second = await ended(api, tables, 1.5)
    for name, head in (("differences", "what,"), ("ttft-ecdf", "% of requests,")):
        response = await api.get(f"/ui/compare/{name}.csv?ids={first},{second}")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/csv")
        lines = response.text.split("\r\n")
        assert lines[0].startswith(head)
        assert len(lines) > 5
        assert not any(line.startswith(("=", "+", "@")) or ",=" in line for line in lines)


@pytest.mark.parametrize("query", ["", "?ids=", "?ids=3"])
async def test_without_two_ids_it_says_how_to_choose(empty_api: httpx2.AsyncClient, query: str) -> None:
    page = await shown(empty_api, f"/ui/compare{query}")
    assert "Choose two to eight benchmarks" in page.text
    assert "llmbench compare 1 2" in page.text


async def test_what_cannot_be_compared_is_a_page_that_says_so(empty_api: httpx2.AsyncClient) -> None:
    assert "there is no benchmark 1" in (await shown(empty_api, "/ui/compare?ids=1,2", 404)).text.lower()
    assert "twice" in (await shown(empty_api, "/ui/compare?ids=1,1", 422)).text
