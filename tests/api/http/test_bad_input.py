"""Wrong requests: a problem that names the field, repeats nothing, and is never a 500."""

import json
import time
from typing import Any

import httpx2
import pytest

from tests.api.documents import EXAMPLE, KEY, problem

JSON = {"content-type": "application/json"}
TURN = {"role": "user", "content": "x"}
# A body that carries a key in every place that takes text, and is wrong elsewhere.
LEAKY = {"name": KEY, "system": KEY, "metadata": {"key": KEY}, "prompts": [KEY]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"promts": [KEY]}, "promts"),
        ({"prompts": []}, "prompts"),
        ({"prompts": [""]}, "prompts[0]"),
        ({"prompts": [KEY, {"messages": [TURN], "sytem": KEY}]}, "prompts[1].sytem"),
        ({"prompts": [{"messages": [TURN, {"role": KEY, "content": KEY}]}]}, "prompts[0].messages[1].role"),
        ({"prompts": [{"messages": []}]}, "prompts[0].messages"),
        ({"prompts": KEY}, "prompts"),
        ({"prompts": [KEY] * 10_001}, "prompts"),
        ({"prompts": [f"{KEY}\x00"]}, "prompts[0]"),
        ({"prompts": [{"messages": [{"role": "user", "content": "\x00"}]}]}, "prompts[0].messages[0].content"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": KEY * 10}, "name"),
        ({"name": None}, "name"),
        ({"name": f"{KEY}\x00"}, "name"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 10_000}, "concurrency"),
        ({"concurrency": KEY}, "concurrency"),
        ({"repetitions": 10_000, "prompts": ["x"] * 101}, "body"),
        ({"parameters": {"temperature": KEY}}, "parameters.temperature"),
        ({"parameters": {"seed": 1}}, "parameters.seed"),
        ({"parameters": {"stop": []}}, "parameters.stop"),
        ({"parameters": {"top_k": 10**30}}, "parameters.top_k"),
        ({"parameters": {"thinking_budget_tokens": 10**30}}, "parameters.thinking_budget_tokens"),
        ({"prompts": [{"messages": [TURN], "parameters": {"top_k": 2**63}}]}, "prompts[0].parameters.top_k"),
        ({"prompts": [{"messages": [TURN], "parameters": {"seed": 1}}]}, "prompts[0].parameters.seed"),
        ({"timeouts": {"total_s": -1}}, "timeouts.total_s"),
        ({"provider": KEY}, "provider"),
        ({"provider": "openai"}, "provider"),
        ({"model": KEY}, "model"),
        ({"model": "foo-1"}, "model"),
        ({"model": "\x00"}, "model"),
        ({"metadata": {"a": {"b": f"{KEY}\x00"}}}, "metadata"),
        ({"metadata": {"a": 2**64}}, "metadata"),
        ({"metadata": {"a": KEY * 1_000}}, "metadata"),
        ({"metadata": KEY}, "metadata"),
        ({"extra_body": {"model": KEY}}, "extra_body.model"),
        ({"extra_body": {"messages": [KEY]}}, "extra_body.messages"),
        ({"extra_body": {"input": KEY}}, "extra_body.input"),
        ({"extra_body": {"stream": False}}, "extra_body.stream"),
        ({"extra_body": {"a": {"b": KEY}}}, "extra_body.a.b"),
        ({"extra_body": {"a": "x" * 16_400}}, "extra_body"),
        ({"extra_body": {"a": 2**64}}, "extra_body"),
        ({"extra_body": [KEY]}, "extra_body"),
        ({"parameters": {"service_tier": f"{KEY} "}}, "parameters.service_tier"),
    ],
)
async def test_a_wrong_field_is_named(empty_api: httpx2.AsyncClient, changes: dict[str, Any], field: str) -> None:
    response = await empty_api.post("/benchmarks", json={**EXAMPLE, **LEAKY, **changes})
    found = problem(response, 422)
    assert field in [error["field"] for error in found["errors"]]
    for error in found["errors"]:
        assert error["message"]
        assert error["code"]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "a"}])
async def test_a_number_that_no_column_holds_is_refused_with_a_key_and_without(
    empty_api: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    """Nothing that is stored or hashed may meet a number beyond 64 bits."""
    for parameters in ({"top_k": 10**30}, {"seed": 10**30}, {"max_tokens": 10**30}, {"temperature": 10**30}):
        body = {**EXAMPLE, "parameters": parameters}
        found = problem(await empty_api.post("/benchmarks", json=body, headers=headers), 422)
        assert [error["field"] for error in found["errors"]] == [f"parameters.{next(iter(parameters))}"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('"prompts": ["ok", "a\\ud800"]', "prompts[1]"),
        ('"metadata": {"a\\ud800": 1}', "metadata"),
        ('"metadata": {"a": ["\\udfff"]}', "metadata"),
        ('"name": "\\ud800"', "name"),
        ('"model": "\\ud800"', "model"),
        ('"provider": "\\ud800"', "provider"),
        ('"\\ud800": 1', "body"),
        ('"parameters": {"temperature": NaN}', "parameters.temperature"),
        ('"timeouts": {"total_s": Infinity}', "timeouts.total_s"),
        ('"metadata": {"a": NaN}', "metadata"),
        ('"extra_body": {"a": NaN}', "extra_body"),
        ('"extra_body": {"a": ' + "[" * 100 + "]" * 100 + "}", "extra_body"),
        ('"metadata": {"a": [1e999]}', "metadata"),
        ('"concurrency": NaN', "concurrency"),
        ('"concurrency": 1' + "0" * 400, "concurrency"),
        ('"metadata": {"a": ' + "[" * 90 + "NaN" + "]" * 90 + "}", "metadata"),
        ('"metadata": {"a": ' + "[" * 300 + "]" * 300 + "}", "body"),
        (f'"{"n" * 10_000}": 1', "n" * 100 + "..."),
        ('"n\\u00e9' + "\\ud83d\\ude00" * 10_000 + '": 1', "body"),
    ],
)
async def test_json_that_no_library_writes_is_named(empty_api: httpx2.AsyncClient, text: str, field: str) -> None:
    body = f"{json.dumps({**EXAMPLE, 'system': KEY})[:-1]}, {text}}}"
    response = await empty_api.post("/benchmarks", content=body.encode(), headers=JSON)
    fields = [error["field"] for error in problem(response, 422)["errors"]]
    assert any(found.startswith(field) for found in fields), fields


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", JSON, 422, "invalid_request"),
        (b"null", JSON, 422, "invalid_request"),
        (b"[]", JSON, 422, "invalid_request"),
        (f'"{KEY}"'.encode(), JSON, 422, "invalid_request"),
        (f"{KEY}".encode(), JSON, 400, "invalid_json"),
        (f'{{"name": "{KEY}"'.encode(), JSON, 400, "invalid_json"),
        (b"\xff\xfe\x00", JSON, 400, "invalid_json"),
        (b'{"name": ' + b"1" * 5_000 + b"}", JSON, 400, "invalid_json"),
        (b"[" * 100_000, JSON, 422, "invalid_request"),
        (b"]" * 100_000, JSON, 400, "invalid_json"),
        (b'"' * 100_000, JSON, 400, "invalid_json"),
        (b"[" + b"1," * 300_000 + b"1]", JSON, 422, "invalid_request"),
        (b'{"name":"' + b"x" * 2_000_000 + b'\\ud800"}', JSON, 400, "invalid_json"),
        (json.dumps(EXAMPLE).encode(), {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (b"name=x", {"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        (json.dumps(EXAMPLE).encode(), {}, 415, "unsupported_media_type"),
        (b"x" * 16_000_001, JSON, 413, "body_too_large"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else None,
)
async def test_a_body_that_is_no_benchmark_is_refused(
    empty_api: httpx2.AsyncClient, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    response = await empty_api.post("/benchmarks", content=content, headers=headers)
    assert problem(response, status)["code"] == code


async def test_a_body_of_fifty_megabytes_is_refused_before_it_was_sent(empty_api: httpx2.AsyncClient) -> None:
    sent = 0

    async def body() -> Any:
        nonlocal sent
        for _ in range(50):
            sent += 1
            yield b"x" * 1_000_000

    found = problem(await empty_api.post("/benchmarks", content=body(), headers=JSON), 413)
    assert "MAX_BODY_BYTES = 16,000,000 bytes" in found["detail"]


async def test_of_many_wrong_items_the_first_is_named(empty_api: httpx2.AsyncClient) -> None:
    """Collecting them all would stop the API for everybody."""
    for wrong in ({"messages": []}, {"messages": [1] * 20}, 1):
        response = await empty_api.post("/benchmarks", json={**EXAMPLE, "prompts": ["x"] + [wrong] * 9_000})
        assert all(error["field"].startswith("prompts[1]") for error in problem(response, 422)["errors"])
    for path in ("/benchmarks", "/webhooks"):
        body = {**EXAMPLE, "url": "https://example.com", "webhook_url": "https://example.com"}
        body |= {"events": [1] * 100_000, "webhook_events": [1] * 100_000, "parameters": {"stop": [1] * 100_000}}
        assert len(problem(await empty_api.post(path, json=body), 422)["errors"]) < 10


async def test_of_many_unknown_fields_twenty_are_named(empty_api: httpx2.AsyncClient) -> None:
    """An answer whose cost grows with the square of its errors would stop the API for everybody."""

    async def cost_s(fields: int) -> float:
        """Time on the processor, which other programs do not lengthen."""
        begin = time.thread_time()
        response = await empty_api.post("/benchmarks", json={**EXAMPLE, **{f"x{n}": 1 for n in range(fields)}})
        assert len(problem(response, 422)["errors"]) == 20
        return time.thread_time() - begin

    few, many = await cost_s(400), await cost_s(4_000)
    assert many < 30 * few, "ten times the errors, and far from a hundred times the cost"


OVER_64_BIT = 2**70


@pytest.mark.parametrize("benchmark_id", ["0", "-1", OVER_64_BIT, "x", "1.5", "%00", KEY])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/results")],
)
async def test_an_id_that_cannot_be_is_named(
    empty_api: httpx2.AsyncClient, benchmark_id: Any, method: str, path: str
) -> None:
    response = await empty_api.request(method, f"/benchmarks/{benchmark_id}{path}")
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["benchmark_id"]


async def test_an_id_that_nobody_has_is_not_found(api: httpx2.AsyncClient) -> None:
    for benchmark_id in (7, 2**63 - 1):
        for method, path in (
            ("GET", ""),
            ("GET", "?include=none"),
            ("DELETE", ""),
            ("POST", "/cancel"),
            ("GET", "/results"),
        ):
            found = problem(await api.request(method, f"/benchmarks/{benchmark_id}{path}"), 404)
            assert found["code"] == "not_found"
            assert found["detail"] == f"there is no benchmark {benchmark_id}"
