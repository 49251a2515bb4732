"""Examples of successful answers in the OpenAPI document. Each fits the status that it stands under."""

from typing import Any

Schema = dict[str, Any]

# How a benchmark looks that no worker has claimed yet.
_PENDING: dict[str, Any] = {
    "status": "pending",
    "started_at": None,
    "completed_at": None,
    "progress": {"done": 0, "total": 121, "errors": 0, "last_ttft_ms": None, "cost_usd": None, "metrics": None},
    "summary": None,
    "price": None,
    "segments": [],
    "stages": [],
    "target": None,
    "results": [],
}
_CANCELLING: dict[str, Any] = {
    "status": "running",
    "completed_at": None,
    "cancel_requested_at": "2025-01-15T10:30:01Z",
    "progress": {"done": 42, "total": 121, "errors": 1, "last_ttft_ms": 142.5, "cost_usd": 0.0021, "metrics": None},
    "summary": None,
}
_DUE: dict[str, Any] = {
    "status": "pending",
    "delivered_at": None,
    "next_attempt_at": "2025-01-15T10:30:02Z",
    "attempts": [],
}
_TEST: dict[str, Any] = {
    "type": "webhook.test",
    "benchmark_id": None,
    "payload": {"type": "webhook.test", "timestamp": "2025-01-15T10:30:02Z", "data": {"sequence": 1}},
}
_NOT_READY = {"status": "not_ready", "worker": {"ok": False, "detail": "no worker has reported lately"}}

# What differs from the examples of the properties, by operation and status.
_DIFFERENT: dict[tuple[str, str], dict[str, Any]] = {
    ("submitBenchmark", "202"): _PENDING,
    ("rerunBenchmark", "202"): {**_PENDING, "id": 2, "rerun_of": 1, "results_url": "/benchmarks/2/results"},
    ("rerunBenchmark", "200"): {"id": 2, "rerun_of": 1, "results_url": "/benchmarks/2/results"},
    ("cancelBenchmark", "202"): _CANCELLING,
    ("testWebhook", "202"): {**_DUE, **_TEST},
    ("redeliverToWebhook", "202"): _DUE,
    ("redeliverOfBenchmark", "202"): {**_DUE, "webhook_id": None},
    ("getReadiness", "503"): _NOT_READY,
}


def add_examples(document: Schema) -> None:
    """Adds an example to each JSON answer and to the body of each event."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                if content is not None:
                    different = _DIFFERENT.get((operation["operationId"], status), {})
                    content["example"] = {**example_of(content["schema"], schemas), **different}
    for operations in document["webhooks"].values():
        for operation in operations.values():
            content = operation["requestBody"]["content"]["application/json"]
            content["example"] = example_of(content["schema"], schemas)


def example_of(schema: Schema, schemas: dict[str, Schema]) -> Any:
    """The first example of a schema; else one made of those of its properties and items."""
    if "$ref" in schema:
        # What stands beside a reference counts first.
        schema = {**schemas[schema["$ref"].rpartition("/")[2]], **schema}
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: example_of(field, schemas) for name, field in schema["properties"].items()}
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return example_of(schema[choice][0], schemas)
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)] if "items" in schema else []
    if "default" in schema:
        return schema["default"]
    return _PLAIN.get(schema.get("format") or schema.get("type", "null"))


_PLAIN: dict[str, Any] = {
    "object": {},
    "string": "text",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "date-time": "2025-01-15T10:30:00Z",
}
