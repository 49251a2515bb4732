"""Requests that schemathesis makes up from the OpenAPI document: never a 5xx, every refusal a problem."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Unsatisfiable
from starlette.testclient import TestClient

from api.main import create_app
from benchmarks.abuse.fuzz import EVERYONE, Asker, key_of, request_of, violation
from shared.providers.key_ring import KeyRing
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE
from tests.support.service import make_settings

Asked = tuple[TestClient, FastAPI, dict[str, dict[str, str]]]
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
# The same cases in each run.
MADE_UP = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
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

    # A benchmark that keeps to the whole schema takes seconds to make up.
    @settings(MADE_UP, max_examples=3 if (method, path, mode) == ("POST", "/benchmarks", POSITIVE) else 10)
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        response = client.request(**request_of(case, client, EVERYONE))
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


# Who asks, in this order: once there is a key, everyone needs one.
ASKERS = ("an admin", "a reader", "nobody")


@pytest.fixture(scope="module")
def asked(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """One API for all of them, with keys that have no limit."""
    path = tmp_path_factory.mktemp("asked") / "api.db"
    shutil.copy(sqlite_template, path)
    url = f"sqlite:///{path}"
    options = {"max_wait_s": 0.1, "rate_limit_per_minute": 0, "concurrent_requests": 0}
    app = create_app(make_settings(url, "redis://127.0.0.1:1/0", SIMULATOR, **options), KeyRing({}))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        admin = key_of(client, "admin", {})
        reader = key_of(client, "read", admin)
        assert client.post("/benchmarks", json=EXAMPLE, headers=admin).status_code == 202
        yield client, app, {"an admin": admin, "a reader": reader, "nobody": {}}


@pytest.mark.parametrize("name", ASKERS)
@pytest.mark.parametrize("mode", [POSITIVE, NEGATIVE])
def test_with_and_without_keys_every_answer_keeps_to_the_document(
    asked: Asked, mode: schemathesis.GenerationMode, name: str
) -> None:
    """Every operation, asked as it should be and as it should not. `make abuse` goes on with it for minutes."""
    client, app, keys = asked
    asker = Asker(name, keys[name])
    document = app.openapi()
    schema = schemathesis.openapi.from_dict(document)
    statuses: set[int] = set()
    for path, operations in document["paths"].items():
        # The events of a benchmark that nobody runs never end.
        for method in [] if path.endswith("/events") else operations:
            with suppress(Unsatisfiable):
                _ask(client, schema[path][method.upper()], mode, asker, statuses)
    assert (401 in statuses) == (name == "nobody")
    assert (403 in statuses) == (name == "a reader")
    assert 200 in statuses or name == "nobody"


def _ask(
    client: TestClient, operation: Any, mode: schemathesis.GenerationMode, asker: Asker, statuses: set[int]
) -> None:
    @settings(MADE_UP, max_examples=2, verbosity=Verbosity.quiet)
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        response = client.request(**request_of(case, client, asker))
        statuses.add(response.status_code)
        assert response.status_code < 500 or response.status_code == 503, response.text
        broken = violation(case, response)
        assert broken is None, f"{case.method} {case.path} for {asker.name}: {response.status_code}: {broken}"

    ask()


def test_an_answer_that_breaks_the_document_is_told(asked: Asked) -> None:
    client, app, _ = asked
    operation = schemathesis.openapi.from_dict(app.openapi())["/health"]["GET"]
    case = operation.Case()
    right = client.get("/health")
    assert violation(case, right) is None
    right._content = b'{"status": 7}'
    assert "status" in str(violation(case, right))
    right.status_code = 418
    assert "418" in str(violation(case, right))
