"""Wrong query parameters, on both databases: what a driver refuses must not get that far."""

from typing import Any

import httpx2
import pytest

from api.lists.cursor import decode_cursor, encode_cursor
from tests.api.documents import KEY, problem, submit

LISTS = ("/benchmarks", "/benchmarks/1/results", "/models")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_000}, "limit"),
        ({"limit": 2**70}, "limit"),
        ({"limit": KEY}, "limit"),
        ({"limit": ""}, "limit"),
        ({"cursor": KEY}, "cursor"),
        ({"cursor": "WzFd" * 200}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": encode_cursor(True)}, "cursor"),
        ({"cursor": encode_cursor({})}, "cursor"),
        ({"cursor": encode_cursor(1, 2, 3, 4)}, "cursor"),
        ({"offset": 10}, "offset"),
    ],
)
async def test_a_wrong_parameter_of_a_list_is_named(
    sqlite_api: httpx2.AsyncClient, path: str, query: dict[str, Any], field: str
) -> None:
    await submit(sqlite_api)
    found = problem(await sqlite_api.get(path, params=query), 422)
    assert [error["field"] for error in found["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/benchmarks", {"status": KEY}, "status"),
        ("/benchmarks", {"model": "\x00"}, "model"),
        ("/benchmarks", {"provider": "\x00"}, "provider"),
        ("/benchmarks", {"name": "\x00"}, "name"),
        ("/benchmarks", {"created_from": KEY}, "created_from"),
        ("/benchmarks", {"created_from": "2025-01-15T00:00:00"}, "created_from"),
        ("/benchmarks", {"created_from": "1736899200"}, "created_from"),
        ("/benchmarks", {"created_from": "2025-01-15T00:00Z"}, "created_from"),
        ("/benchmarks", {"created_before": "2025-02-30"}, "created_before"),
        ("/benchmarks", {"metadata": "team"}, "metadata[0]"),
        ("/benchmarks", {"metadata": ["a:b", "a:\x00"]}, "metadata[1]"),
        ("/benchmarks", {"metadata": ["a:b"] * 11}, "metadata"),
        ("/benchmarks", {"metadata": "a:" + "b" * 499}, "metadata[0]"),
        ("/benchmarks", {"created_from": "0001-01-01T00:00:00+05:00"}, "created_from"),
        ("/benchmarks", {"created_before": "9999-12-31T23:59:59-05:00"}, "created_before"),
        ("/benchmarks", {"cursor": encode_cursor(2**64 - 1)}, "cursor"),
        ("/benchmarks/1", {"include": f"results,{KEY}"}, "include"),
        ("/benchmarks/1", {"include": "x" * 101}, "include"),
        ("/benchmarks/1", {"inclde": "none"}, "inclde"),
        ("/benchmarks/1/results", {"include": KEY}, "include"),
        ("/benchmarks/1/results", {"sort": KEY}, "sort"),
        ("/benchmarks/1/results", {"sort": "response"}, "sort"),
        ("/benchmarks/1/results", {"sort": "--ttft_ms"}, "sort"),
        ("/benchmarks/1/results", {"outcome": KEY}, "outcome"),
        ("/benchmarks/1/results", {"warmup": KEY}, "warmup"),
        ("/models", {"q": "x" * 201}, "q"),
    ],
)
async def test_a_wrong_parameter_is_named(
    sqlite_api: httpx2.AsyncClient, path: str, query: dict[str, Any], field: str
) -> None:
    await submit(sqlite_api)
    found = problem(await sqlite_api.get(path, params=query), 422)
    assert [error["field"] for error in found["errors"]] == [field]


# Well-formed, and yet no cursor of these lists; drivers refuse some of these values with an error of their own.
FOREIGN_CURSORS = (
    ("ttft_ms", encode_cursor("-ttft_ms", 1.5, 1)),
    ("ttft_ms", encode_cursor("latency_ms", 1.5, 1)),
    ("ttft_ms", encode_cursor("ttft_ms", "1.5", 1)),
    ("ttft_ms", encode_cursor("ttft_ms", 2**63, 1)),
    ("ttft_ms", encode_cursor("ttft_ms", 1.5, 2**63)),
    ("ttft_ms", encode_cursor(1)),
    ("input_tokens", encode_cursor("input_tokens", 1.5, 1)),
    ("input_tokens", encode_cursor("input_tokens", "1", 1)),
    ("input_tokens", encode_cursor("input_tokens", 2**64 - 1, 1)),
    ("cost_usd", encode_cursor("cost_usd", 1, 1)),
    ("cost_usd", encode_cursor("cost_usd", "NaN", 1)),
    ("cost_usd", encode_cursor("cost_usd", "sNaN", 1)),
    ("cost_usd", encode_cursor("cost_usd", "-Infinity", 1)),
    ("cost_usd", encode_cursor("cost_usd", "1e400", 1)),
    ("cost_usd", encode_cursor("cost_usd", "1e-20000", 1)),
    ("cost_usd", encode_cursor("cost_usd", "0e-20000", 1)),
    ("cost_usd", encode_cursor("cost_usd", "0e20000", 1)),
    ("cost_usd", encode_cursor("cost_usd", "1e-13", 1)),
    ("cost_usd", encode_cursor("cost_usd", "1e6", 1)),
    ("cost_usd", encode_cursor("cost_usd", "0." + "0" * 300 + "1", 1)),
    ("cost_usd", encode_cursor("cost_usd", "x", 1)),
    ("id", encode_cursor("id", 1, 2**63)),
)


# Well-formed, and of the right type. Whether this list gave them cannot be known; they are answered.
EXTREME_CURSORS = (
    *(("ttft_ms", encode_cursor("ttft_ms", value, 2**63 - 1)) for value in (1.7e308, -1.7e308, 5e-324, -0.0, None)),
    *(("input_tokens", encode_cursor("input_tokens", value, -(2**63))) for value in (2**63 - 1, -(2**63), 0)),
    *(("cost_usd", encode_cursor("cost_usd", value, 1)) for value in ("999999.999999999999", "-999999", "1E-12", "0")),
    *(("id", encode_cursor("id", value, value)) for value in (2**63 - 1, -(2**63))),
)


async def test_a_cursor_with_an_extreme_value_is_answered(api: httpx2.AsyncClient) -> None:
    await submit(api)
    for sort, cursor in EXTREME_CURSORS:
        for order in (sort, f"-{sort}"):
            given = cursor if order == sort else _descending(cursor)
            answer = await api.get("/benchmarks/1/results", params={"sort": order, "cursor": given})
            assert answer.status_code == 200, (order, given, answer.text)
    for number in (2**63 - 1, -(2**63), 0):
        for path in ("/benchmarks", "/webhooks", "/benchmarks/1/webhook-deliveries"):
            assert (await api.get(path, params={"cursor": encode_cursor(number)})).status_code == 200


def _descending(cursor: str) -> str:
    sort, value, result_id = decode_cursor(cursor, str, object, int)
    return encode_cursor(f"-{sort}", value, result_id)


async def test_a_cursor_that_this_list_never_gave_is_refused(api: httpx2.AsyncClient) -> None:
    await submit(api)
    for sort, cursor in FOREIGN_CURSORS:
        found = problem(await api.get("/benchmarks/1/results", params={"sort": sort, "cursor": cursor}), 422)
        assert [(error["field"], error["code"]) for error in found["errors"]] == [("cursor", "invalid_cursor")]


@pytest.mark.parametrize(
    ("path", "parts"), [("/baselines", ["\0"]), ("/budgets", ["\0"]), ("/keys", ["default", "\0"])]
)
async def test_a_cursor_of_a_text_that_no_database_holds_is_refused(
    api: httpx2.AsyncClient, path: str, parts: list[str]
) -> None:
    found = problem(await api.get(path, params={"cursor": encode_cursor(*parts)}), 422)
    assert [error["code"] for error in found["errors"]] == ["invalid_cursor"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/nothing/at/all", 404),
        ("PUT", "/benchmarks", 405),
        ("POST", "/benchmarks/1", 405),
        ("GET", "/benchmarks/1/cancel", 405),
    ],
)
async def test_what_is_not_there_is_a_problem_too(
    sqlite_api: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    problem(await sqlite_api.request(method, path), status)
