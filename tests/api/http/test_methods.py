"""HEAD wherever GET works, and the whole `Allow` of a 405."""

import httpx2
import pytest

from tests.api.documents import problem, submit

PATHS = (
    "/",
    "/docs",
    "/openapi.json",
    "/health",
    "/metrics",
    "/models",
    "/providers",
    "/workers",
    "/benchmarks",
    "/benchmarks/1",
    "/benchmarks/1?include=none",
    "/benchmarks/1/results",
    "/benchmarks/1/prompts",
    "/benchmarks/1/webhook-deliveries",
    "/webhooks",
)


async def test_head_answers_like_get_without_the_body(sqlite_api: httpx2.AsyncClient) -> None:
    await submit(sqlite_api)
    for path in PATHS:
        read, head = await sqlite_api.get(path), await sqlite_api.head(path)
        assert (head.status_code, head.content) == (read.status_code, b""), path
        assert head.headers.keys() == read.headers.keys()
        assert head.headers.get("content-type") == read.headers.get("content-type")


async def test_head_of_nothing_is_404_without_a_body(empty_api: httpx2.AsyncClient) -> None:
    for path in ("/benchmarks/9", "/nothing"):
        answer = await empty_api.head(path)
        assert (answer.status_code, answer.content) == (404, b"")


async def test_requests_of_head_are_counted_as_such(sqlite_api: httpx2.AsyncClient) -> None:
    await sqlite_api.head("/benchmarks")
    shown = (await sqlite_api.get("/metrics")).text
    assert 'llmbench_http_requests_total{method="HEAD",route="/benchmarks",status="200"} 1.0' in shown


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/benchmarks", "GET, HEAD, POST"),
        ("DELETE", "/benchmarks", "GET, HEAD, POST"),
        ("PATCH", "/benchmarks/1", "DELETE, GET, HEAD"),
        ("GET", "/benchmarks/1/cancel", "POST"),
        ("HEAD", "/benchmarks/1/cancel", "POST"),
        ("PUT", "/webhooks/1", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/health", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_names_all_right_ones(
    empty_api: httpx2.AsyncClient, method: str, path: str, allow: str
) -> None:
    answer = await empty_api.request(method, path)
    assert answer.headers["allow"] == allow
    if method != "HEAD":
        assert problem(answer, 405)["code"] == "method_not_allowed"
