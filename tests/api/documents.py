"""Requests and answers as these tests write and read them."""

import asyncio
from typing import Any

import httpx2

from tests.support.waiting import PATIENCE_S

# What a provider's key looks like; it must never come back.
KEY = "sk-ant-api03-0123456789abcdefghij"

EXAMPLE = {
    "name": "Haiku Speed Test",
    "model": "claude-3-haiku-20240307",
    "prompts": ["Say hello in exactly 3 words", "What is 2 + 2?"],
}


async def submit(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A new pending benchmark."""
    response = await client.post("/benchmarks", json={**EXAMPLE, **changes})
    assert response.status_code == 202, response.text
    document: dict[str, Any] = response.json()
    return document


def problem(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer: RFC 9457, complete, and nothing of a key in it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"urn:llmbench:problem:{document['code']}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["instance"] == response.request.url.path
    assert document["request_id"] == response.headers["x-request-id"]
    assert KEY not in response.text
    assert "Traceback" not in response.text
    return document


async def pages(client: httpx2.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        response = await client.get(path, params={**query, **cursor})
        assert response.status_code == 200, response.text
        page = response.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        assert page["items"]
        cursor = {"cursor": page["next_cursor"]}


async def end_of(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    """The benchmark once it has ended, asked for as clients do it: every 100 ms."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            document: dict[str, Any] = (await client.get(url)).json()
            if document["status"] in ("completed", "failed", "cancelled"):
                return document
            await asyncio.sleep(0.1)
