"""Sends forms as browsers do."""

import re
from typing import Any
from urllib.parse import urlencode

import httpx2

from tests.api.pages.html import Page, forbidden

FORM = {
    "content-type": "application/x-www-form-urlencoded",
    "origin": "http://localhost",
    "sec-fetch-site": "same-origin",
}


async def send(client: httpx2.AsyncClient, path: str, values: dict[str, str] | None = None, **headers: str) -> Any:
    """The answer to a form's POST; redirects are not followed."""
    return await client.post(path, content=urlencode(values or {}), headers={**FORM, **headers})


async def seen(client: httpx2.AsyncClient, path: str, status: int = 200) -> Page:
    """A page, which has nothing that a strict CSP refuses."""
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return read(answer.text)


def read(markup: str) -> Page:
    assert forbidden(markup) == []
    return Page(markup)


def led_to(answer: httpx2.Response) -> str:
    """Where the answer sends the browser."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def id_in(location: str) -> int:
    found = re.match(r"/ui/benchmarks/(\d+)", location)
    assert found is not None, location
    return int(found[1])
