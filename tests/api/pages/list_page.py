"""The list of benchmarks as its tests read it."""

from typing import Any

import httpx2

from tests.api.pages.html import Page, forbidden

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


async def shown(client: httpx2.AsyncClient, path: str = "/ui/benchmarks", answers: int = 200, **query: Any) -> Page:
    # Parameters, even none, would replace those of the path.
    answer = await client.get(path, params=query or None)
    assert answer.status_code == answers, answer.text
    assert forbidden(answer.text) == []
    return Page(answer.text)


def ids(page: Page) -> list[int]:
    """Of the rows, from top to bottom."""
    return [int(row["id"].removeprefix("run-")) for row in page.all("tr") if "data-row" in row]


def following(page: Page, rel: str) -> str:
    (found,) = page.all("a", rel=rel)
    return found["href"]
