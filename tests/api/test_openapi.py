"""The OpenAPI document: everything is described, units are named, examples are valid."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from api.main import create_app
from shared.benchmark.outcome import OUTCOMES
from shared.providers.key_ring import KeyRing
from tests.support.service import make_settings

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
        if status.startswith("4"):
            ((media_type, content),) = response["content"].items()
            assert (media_type, content["schema"]) == (
                "application/problem+json",
                {"$ref": "#/components/schemas/Problem"},
            )


def is_valid(schema: Document, value: Any) -> bool:
    """By the schema, in which references point into the whole document."""
    whole = {**schema, "components": openapi()["components"]}
    return bool(jsonschema_rs.validator_for(whole).is_valid(value))


def test_every_example_of_a_property_is_valid() -> None:
    examples = [
        (f"{name}.{field}", schema, example)
        for name, field, schema in properties()
        for example in schema.get("examples", [])
    ]
    assert len(examples) > 80
    assert [(place, example) for place, schema, example in examples if not is_valid(schema, example)] == []


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
