"""The OpenAPI document: everything is described, units are named, examples are valid."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import httpx2
import jsonschema_rs
import pytest

from api.main import create_app
from api.openapi.errors import ERRORS
from shared.benchmark.results.outcome import OUTCOMES
from shared.db.results.pages import SORTABLE
from shared.exports.formats import FILE_TYPES
from shared.providers.key_ring import KeyRing
from shared.webhooks.message import EventType
from shared.webhooks.secret_box import new_key
from tests.api.documents import problem, submit
from tests.support.servers.receiver import LOOPBACK
from tests.support.service import make_settings, running_api

Document = dict[str, Any]
UNITS = {
    "_ms": ("Unit: ms",),
    "_usd": ("Unit: USD",),
    "_tokens": ("Unit: tokens", "output tokens", "thinking", "input tokens"),
    "_s": ("Unit: s",),
    "_per_mtok": ("Unit: USD per million tokens",),
    "_at": ("UTC instant",),
}


@cache
def openapi() -> Document:
    settings = make_settings("sqlite:///never-opened.db", "redis://127.0.0.1:1/0", None)
    document: Document = json.loads(json.dumps(create_app(settings, KeyRing({})).openapi()))
    return document


def schemas() -> Iterator[tuple[str, Document]]:
    yield from openapi()["components"]["schemas"].items()


def properties() -> list[tuple[str, str, Document]]:
    return [
        (name, field, schema) for name, parent in schemas() for field, schema in parent.get("properties", {}).items()
    ]


def operations() -> list[tuple[str, Document]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in openapi()["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_property_is_described() -> None:
    assert [f"{name}.{field}" for name, field, schema in properties() if not schema.get("description")] == []
    assert len(properties()) > 100


def test_every_schema_is_described() -> None:
    """But for pydantic's own word for any JSON."""
    assert [name for name, schema in schemas() if not schema.get("description")] == ["JsonValue"]


def test_every_property_with_a_unit_names_it() -> None:
    """The suffix tells a program; the description tells a person."""
    silent = [
        f"{name}.{field}: {schema['description']}"
        for name, field, schema in properties()
        for suffix, words in UNITS.items()
        if field.endswith(suffix) and not any(word in schema["description"] for word in words)
    ]
    assert silent == []


def test_a_property_that_can_be_null_says_when() -> None:
    """Of what the service answers: null is unknown, and a reader wants to know why."""
    silent = [
        f"{name}.{field}"
        for name, field, schema in properties()
        if name.endswith(("Out", "Base", "Page", "Error", "Summary", "Distribution", "Progress", "Totals"))
        and {"type": "null"} in schema.get("anyOf", [])
        and "null" not in schema["description"].lower()
        and name != "PriceOut"
    ]
    assert silent == []


@pytest.mark.parametrize(("name", "operation"), operations(), ids=lambda item: item if isinstance(item, str) else "")
def test_an_operation_describes_itself_and_each_parameter(name: str, operation: Document) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for parameter in operation.get("parameters", []):
        assert parameter.get("description"), parameter["name"]
    for status, response in operation["responses"].items():
        assert response["description"], status


@pytest.mark.parametrize(("name", "operation"), operations(), ids=lambda item: item if isinstance(item, str) else "")
def test_an_operations_errors_are_problems_of_the_right_media_type(name: str, operation: Document) -> None:
    for status, response in operation["responses"].items():
        if status[0] in "45" and operation["operationId"] != "getReadiness":
            ((media_type, content),) = response["content"].items()
            assert (media_type, content["schema"]) == (
                "application/problem+json",
                {"$ref": "#/components/schemas/Problem"},
            )


def is_valid(schema: Document, value: Any) -> bool:
    """By the schema, in which references point into the whole document."""
    return invalid([(schema, value)]) == []


def invalid(values: list[tuple[Document, Any]]) -> list[int]:
    """The places of those that are not valid by their schema. Reading the document anew for each takes milliseconds."""
    schemas = {str(place): schema for place, (schema, _) in enumerate(values)}
    validator = jsonschema_rs.validator_for({"properties": schemas, "components": openapi()["components"]})
    errors = validator.iter_errors({str(place): value for place, (_, value) in enumerate(values)})
    return sorted({int(error.instance_path[0]) for error in errors})


def test_every_example_of_a_property_is_valid() -> None:
    examples = [
        (f"{name}.{field}", schema, example)
        for name, field, schema in properties()
        for example in schema.get("examples", [])
    ]
    assert len(examples) > 80
    wrong = invalid([(schema, example) for _, schema, example in examples])
    assert [examples[place] for place in wrong] == []


def test_every_example_of_a_body_is_valid_and_refused_without_its_model() -> None:
    """The second half shows that the first one checks something."""
    checked = 0
    for _, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            examples = [example["value"] for example in content.get("examples", {}).values()]
            for example in examples:
                assert is_valid(content["schema"], example)
                assert not is_valid(content["schema"], {**example, "model": None})
                checked += 1
    assert checked >= 2


def test_every_example_of_a_parameter_is_valid() -> None:
    for _, operation in operations():
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            for example in [*schema.get("examples", []), *parameter.get("examples", [])]:
                assert is_valid(schema, example), parameter["name"]


def test_bounds_of_a_benchmark_are_part_of_its_schema() -> None:
    fields = openapi()["components"]["schemas"]["BenchmarkRequest"]["properties"]
    assert (fields["name"]["minLength"], fields["name"]["maxLength"]) == (1, 200)
    assert (fields["prompts"]["minItems"], fields["prompts"]["maxItems"]) == (1, 10_000)
    assert (fields["concurrency"]["minimum"], fields["concurrency"]["maximum"]) == (1, 1_024)
    assert openapi()["components"]["schemas"]["BenchmarkRequest"]["additionalProperties"] is False


def test_every_integer_that_a_caller_sends_fits_into_64_bits() -> None:
    """A larger one could be neither stored nor hashed."""

    def integers(schema: Any, path: str) -> Iterator[tuple[str, Document]]:
        if isinstance(schema, list):
            for item in schema:
                yield from integers(item, path)
        elif isinstance(schema, dict):
            if "$ref" in schema:
                name = schema["$ref"].rpartition("/")[2]
                yield from integers(openapi()["components"]["schemas"][name], f"{path}.{name}")
            if schema.get("type") == "integer":
                yield path, schema
            for key in ("anyOf", "oneOf", "items", "additionalProperties"):
                yield from integers(schema.get(key), path)
            for field, inner in schema.get("properties", {}).items():
                yield from integers(inner, f"{path}.{field}")

    bodies = [operation["requestBody"] for _, operation in operations() if "requestBody" in operation]
    found = [
        item for body in bodies for content in body["content"].values() for item in integers(content["schema"], "body")
    ]
    assert len(found) > 10
    assert [
        path for path, schema in found if schema.get("minimum", -(2**99)) < 0 or schema.get("maximum", 2**99) > 2**63
    ] == []


def test_a_summary_counts_every_outcome() -> None:
    counts = openapi()["components"]["schemas"]["RequestCounts"]["properties"]
    assert counts.keys() == {"planned", "warmup", *OUTCOMES}


def test_an_operation_id_is_short_and_names_one_operation() -> None:
    ids = [operation["operationId"] for _, operation in operations()]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name) or len(name) > 24] == []
    assert {"submitBenchmark", "getBenchmark", "listBenchmarks", "cancelBenchmark"} <= set(ids)


def test_a_schema_has_one_name_whether_it_is_sent_or_received() -> None:
    """Generators make a class of each; two of one title collide."""
    assert [name for name, _ in schemas() if name.endswith(("-Input", "-Output"))] == []
    titles = [schema["title"] for _, schema in schemas() if "title" in schema]
    assert len(set(titles)) == len(titles)


def test_the_document_says_who_licenses_it_where_it_is_served_and_what_its_tags_mean() -> None:
    document = openapi()
    assert document["info"]["license"] == {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
    assert [server["url"] for server in document["servers"]] == ["/"]
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    events = [operation for methods in document["webhooks"].values() for operation in methods.values()]
    used = {tag for operation in [*events, *(item for _, item in operations())] for tag in operation["tags"]}
    assert used == described


def test_every_operation_lists_the_errors_of_its_kind() -> None:
    for name, operation in operations():
        statuses = set(operation["responses"])
        assert "500" in statuses, name
        is_open = name in ("GET /health", "GET /ready", "GET /metrics")
        assert statuses & {"401", "403"} == (set() if is_open else {"401", "403"}), name
        assert ("421" in statuses) is (not name.endswith(("/health", "/ready"))), name
        # A comparison names its benchmarks in the query.
        assert ("{" in name or name.startswith("GET /compare")) is ("404" in statuses), name
        has_body = "requestBody" in operation
        assert ({"400", "408", "413", "415"} <= statuses) is has_body, name


def test_every_answer_lists_its_headers() -> None:
    for name, operation in operations():
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"], (name, status)
    for path, status in (("/benchmarks", "202"), ("/benchmarks/{benchmark_id}/rerun", "200"), ("/webhooks", "201")):
        assert "Location" in openapi()["paths"][path]["post"]["responses"][status]["headers"]


def examples() -> Iterator[tuple[str, str, Document, Any]]:
    """(operation, status, schema, example) of each answer that has a body."""
    for name, operation in operations():
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                if "example" in content:
                    yield name, status, content["schema"], content["example"]


# What they answer is no JSON.
NO_JSON = ("GET /metrics", "GET /compare/export", "GET /benchmarks/export", "GET /benchmarks/{benchmark_id}/export")


def test_every_example_of_an_answer_is_valid_and_has_the_status_that_it_stands_under() -> None:
    found = list(examples())
    wrong = invalid([(schema, example) for _, _, schema, example in found])
    assert [found[place][:2] for place in wrong] == []
    for name, status, schema, example in found:
        if schema.get("$ref", "").endswith("/Problem"):
            assert example["status"] == int(status), name
            assert "{" not in example["instance"], name
    shown = {(name, status): example.get("status") for name, status, _, example in found if isinstance(example, dict)}
    assert shown["POST /benchmarks", "202"] == "pending"
    assert shown["POST /benchmarks", "200"] == shown["GET /benchmarks/{benchmark_id}", "200"] == "completed"
    assert shown["POST /benchmarks/{benchmark_id}/cancel", "202"] == "running"
    assert (shown["GET /ready", "200"], shown["GET /ready", "503"]) == ("ready", "not_ready")
    with_example = {(name, status) for name, status, _, _ in found}
    for name, operation in operations():
        for status, response in operation["responses"].items():
            assert "content" not in response or (name, status) in with_example or name in NO_JSON, (name, status)


def parameter(path: str, name: str) -> Document:
    (found,) = (item for item in openapi()["paths"][path]["get"]["parameters"] if item["name"] == name)
    return dict(found)


def test_sort_and_include_list_their_values() -> None:
    sort = parameter("/benchmarks/{benchmark_id}/results", "sort")["schema"]["enum"]
    assert set(sort) == {f"{sign}{name}" for name in SORTABLE for sign in ("", "-")}
    for path in ("/benchmarks/{benchmark_id}", "/benchmarks/{benchmark_id}/results"):
        include = parameter(path, "include")
        assert include["schema"]["items"]["enum"] == ["results", "timeline", "warmup", "none"]
        # `include=timeline,warmup`
        assert (include["style"], include["explode"]) == ("form", False)


async def test_include_is_read_in_both_ways_to_write_a_list(sqlite_api: httpx2.AsyncClient) -> None:
    await submit(sqlite_api)
    for query in ("include=none", "include=none,", "include=none&include=", "include= none"):
        assert (await sqlite_api.get(f"/benchmarks/1?{query}")).json()["results"] is None, query
    for query in ("include=timeline,warmup", "include=timeline&include=warmup", "include=none,results"):
        assert (await sqlite_api.get(f"/benchmarks/1?{query}")).json()["results"] == [], query


def test_every_event_is_a_webhook_of_the_document() -> None:
    webhooks = openapi()["webhooks"]
    assert webhooks.keys() == {*get_args(EventType), "webhook.test"}
    for name, methods in webhooks.items():
        (content,) = methods["post"]["requestBody"]["content"].values()
        assert is_valid(content["schema"], content["example"]), name
        assert list(methods["post"]["responses"]) == ["204"]
        headers = {item["name"]: item["in"] for item in methods["post"]["parameters"]}
        assert headers == dict.fromkeys(("webhook-id", "webhook-timestamp", "webhook-signature"), "header")


async def test_what_is_sent_is_what_the_document_says(sqlite_url: str) -> None:
    options = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK}
    settings = make_settings(sqlite_url, "redis://127.0.0.1:1/0", "http://127.0.0.1:9", **options)
    async with running_api(settings, KeyRing({})) as api:
        assert (await api.post("/webhooks", json={"url": "http://127.0.0.1:9/hook"})).status_code == 201
        await submit(api)
        await api.post("/benchmarks/1/cancel")
        await api.post("/webhooks/1/test")
        sent = (await api.get("/webhooks/1/deliveries")).json()["items"]
    assert {item["type"] for item in sent} == {"benchmark.cancelled", "webhook.test"}
    for item in sent:
        (content,) = openapi()["webhooks"][item["type"]]["post"]["requestBody"]["content"].values()
        assert is_valid(content["schema"], item["payload"])
        # The schema describes all that is sent.
        assert item["payload"]["data"].keys() == content["example"]["data"].keys()


async def test_the_examples_of_problems_are_what_the_server_answers(sqlite_api: httpx2.AsyncClient) -> None:
    await submit(sqlite_api)
    await sqlite_api.post("/benchmarks/1/cancel")
    broken, plain = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    cases = {
        400: ("POST", "/benchmarks", {"content": b"{", "headers": broken}),
        403: ("POST", "/benchmarks", {"json": {}, "headers": {"Origin": "http://elsewhere.test"}}),
        404: ("GET", "/benchmarks/9", {}),
        415: ("POST", "/benchmarks", {"content": b"{}", "headers": plain}),
        421: ("GET", "/benchmarks", {"headers": {"Host": "elsewhere.test"}}),
        413: ("POST", "/benchmarks", {"content": b"{}", "headers": {**broken, "Content-Length": "99999999"}}),
        503: ("POST", "/webhooks", {"json": {"url": "http://127.0.0.1:9/hook"}}),
    }
    for status, (method, path, options) in cases.items():
        answer = problem(await sqlite_api.request(method, path, **options), status)
        example = ERRORS[status].example(status, path)
        assert answer.keys() == example.keys(), status
        assert answer["code"] == example["code"], status
        # The title of the body's size is Python's, which has changed it.
        assert answer["title"] == example["title"] or status == 413
    refused = problem(await sqlite_api.get("/benchmarks", params={"limit": 0}), 422)
    assert (refused["code"], refused["title"], refused["detail"]) == (
        ERRORS[422].code,
        ERRORS[422].title,
        ERRORS[422].detail,
    )


def test_every_operation_says_which_key_it_needs() -> None:
    document = openapi()
    assert document["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    kinds = {"[]": [], "optional": [{}, {"ApiKey": []}], "key": [{"ApiKey": []}]}
    found: dict[str, set[str]] = {kind: set() for kind in kinds}
    for name, operation in operations():
        (kind,) = [kind for kind, security in kinds.items() if security == operation["security"]]
        found[kind].add(name)
        if kind == "key":
            assert re.search(r"Needs a key with the scope `(read|run|admin)`\.$", operation["description"]), name
    assert found["[]"] == {"GET /health", "GET /ready"}
    assert found["optional"] == {"GET /metrics"}


def test_admins_may_ask_every_reading_operation_for_an_owner() -> None:
    for name, operation in operations():
        asks = [item for item in operation.get("parameters", []) if (item["name"], item["in"]) == ("owner", "query")]
        across = name in ("POST /benchmarks/{benchmark_id}/cancel", "DELETE /benchmarks/{benchmark_id}")
        is_open = name in ("GET /health", "GET /ready", "GET /metrics")
        in_path = "{owner}" in name
        assert bool(asks) is ((name.startswith("GET") and not is_open and not in_path) or across), name


def test_every_format_of_an_export_is_documented() -> None:
    content = openapi()["paths"]["/benchmarks/{benchmark_id}/export"]["get"]["responses"]["200"]["content"]
    assert content.keys() == {kind.media_type.partition(";")[0] for kind in FILE_TYPES.values()}
