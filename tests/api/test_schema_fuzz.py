"""Requests that schemathesis makes up from the OpenAPI document: never a 5xx, every refusal a problem."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

from api.main import create_app
from shared.providers.key_ring import KeyRing
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE
from tests.support.service import make_settings

POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
# Those without any input cannot be asked wrongly; `/ready` is 503 here, as it should be.
OPERATIONS = [
    ("POST", "/benchmarks"),
    ("GET", "/benchmarks"),
    ("GET", "/benchmarks/{benchmark_id}"),
    ("DELETE", "/benchmarks/{benchmark_id}"),
    ("POST", "/benchmarks/{benchmark_id}/cancel"),
    ("POST", "/benchmarks/{benchmark_id}/rerun"),
    ("GET", "/benchmarks/{benchmark_id}/results"),
    ("GET", "/baselines"),
    ("GET", "/baselines/{name}"),
    ("PUT", "/baselines/{name}"),
    ("DELETE", "/baselines/{name}"),
    ("POST", "/datasets"),
    ("GET", "/datasets"),
    ("GET", "/datasets/{dataset_id}"),
    ("GET", "/datasets/{dataset_id}/rows"),
    ("DELETE", "/datasets/{dataset_id}"),
    ("GET", "/models"),
    ("GET", "/budgets"),
    ("GET", "/budgets/owners/{owner}/{period}"),
    ("PUT", "/budgets/owners/{owner}/{period}"),
    ("PUT", "/budgets/keys/{key_id}/{period}"),
    ("DELETE", "/budgets/keys/{key_id}/{period}"),
    ("GET", "/spend"),
]


@pytest.fixture
def app(sqlite_url: str) -> FastAPI:
    """Redis is away, as it may be at any time. Nobody runs what is submitted, so there is nothing to wait for."""
    settings = make_settings(sqlite_url, "redis://127.0.0.1:1/0", SIMULATOR, max_wait_s=0.1)
    return create_app(settings, KeyRing({}))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """With a benchmark that can be read, until some request deletes it."""
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        assert client.post("/benchmarks", json=EXAMPLE).status_code == 202
        yield client


@pytest.mark.parametrize("mode", [POSITIVE, NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_is_a_server_error_and_every_refusal_is_a_problem(
    client: TestClient, app: FastAPI, method: str, path: str, mode: schemathesis.GenerationMode
) -> None:
    """Whether it keeps to the document or breaks it; the answer always does."""
    operation = schemathesis.openapi.from_dict(app.openapi())[path][method]
    statuses = set()

    @settings(
        # A benchmark that keeps to the whole schema takes seconds to make up.
        max_examples=3 if (method, path, mode) == ("POST", "/benchmarks", POSITIVE) else 10,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        response = client.request(**request_of(case))
        statuses.add(response.status_code)
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            document = response.json()
            assert document["status"] == response.status_code
            assert document["detail"]
            if response.status_code == 422:
                assert document["errors"], "a refusal names what is wrong"
        elif response.content:
            assert response.headers["content-type"].startswith("application/json")

    ask()
    if mode is NEGATIVE:
        assert any(status >= 400 for status in statuses)


def request_of(case: schemathesis.Case) -> dict[str, Any]:
    """The case as arguments of the test client."""
    request = case.as_transport_kwargs(base_url="http://localhost")
    return {
        "method": request["method"],
        "url": request["url"],
        "params": request.get("params"),
        "headers": request.get("headers"),
        "content": request.get("data"),
        "json": request.get("json"),
    }
