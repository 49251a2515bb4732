"""Rows of the list that update in place, and the link to new runs."""

from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.api.documents import submit
from tests.api.pages.html import Page, forbidden
from tests.api.pages.list_page import PART, following, ids, shown
from tests.shared.db.rows import Tables


async def test_open_rows_are_asked_for_and_come_as_they_are_now(three: httpx2.AsyncClient, tables: Tables) -> None:
    (poll,) = (await shown(three)).all("div", id="live")
    assert poll["hx-trigger"] == "every 2s"
    asked = parse_qs(urlsplit(poll["hx-get"]).query)
    assert asked == {"ids": ["3", "1"], "newest": ["3"]}
    await three.post("/benchmarks/3/cancel")
    await three.delete("/benchmarks/1")
    await submit(three, name="new")
    answer = await three.get(poll["hx-get"], headers=PART)
    assert forbidden(answer.text) == []
    assert '<hx-partial hx-target="#run-3" hx-swap="outerMorph">' in answer.text
    page = Page(answer.text)
    assert "○ cancelled" in page.text
    assert "Benchmark 1 was deleted." in page.text
    assert "1 new run" in page.text
    # Nothing that it showed is open any more, so it asks for new ones alone, and less often.
    (poll,) = page.all("div", id="live")
    assert poll["hx-trigger"] == "every 10s"
    assert parse_qs(urlsplit(poll["hx-get"]).query) == {"newest": ["3"]}


async def test_new_runs_are_those_that_pass_the_filters(three: httpx2.AsyncClient) -> None:
    (poll,) = (await shown(three, name="haiku", metadata="team:search")).all("div", id="live")
    for name, team in (("haiku 4", "search"), ("haiku 5", "chat"), ("other", "search"), ("haiku 7", "search")):
        await submit(three, name=name, metadata={"team": team})
    page = Page((await three.get(poll["hx-get"])).text)
    assert "2 new runs" in page.text
    (more,) = [link["href"] for link in page.all("a") if link["href"].startswith("/ui/benchmarks?")]
    assert ids(await shown(three, more)) == [7, 4, 1]


async def test_a_later_page_without_open_rows_asks_for_nothing(api: httpx2.AsyncClient) -> None:
    for _ in range(3):
        await submit(api)
    await api.post("/benchmarks/1/cancel")
    (poll,) = (await shown(api, following(await shown(api, limit=2), "next"))).all("div", id="live")
    assert "hx-get" not in poll
