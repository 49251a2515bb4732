"""The headers of answers in the OpenAPI document, which FastAPI knows nothing of."""

from typing import Any


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **schema}}


REQUEST_ID = _header(
    "Id of the request, as in the logs: the caller's own `X-Request-ID`, or a new one.", examples=["9f1c2b7e0d3a4c55"]
)
RETRY_AFTER = _header("Seconds to wait. Only when too many large requests arrive at the same time.", examples=["1"])
WAIT = _header("Seconds after which another try makes sense.", examples=["12"])
# The IETF's draft "RateLimit header fields for HTTP".
RATE_LIMIT_POLICY = _header(
    "The limits of the key: requests in a minute, and requests in progress. Without a key there is none.",
    examples=['"minute";q=600;w=60, "concurrent";q=32;qu="concurrent-requests"'],
)
RATE_LIMIT = _header(
    "What is left of them: `r` of each, and `t`, the seconds until there may be more.",
    examples=['"minute";r=598;t=42, "concurrent";r=31'],
)
LOCATION = _header("Path of what was created.", examples=["/benchmarks/1"])
REPLAYED = _header(
    "`true` if an earlier request with this `Idempotency-Key` created the benchmark. Otherwise left out.",
    enum=["true"],
)
APPLIED = _header("The wait that was applied. Only with `Prefer: wait=`.", examples=["wait=30"])

# Of successful answers, by operation.
OF_SUCCESS = {
    "submitBenchmark": {"Location": LOCATION, "Idempotency-Replayed": REPLAYED, "Preference-Applied": APPLIED},
    "rerunBenchmark": {"Location": LOCATION, "Idempotency-Replayed": REPLAYED, "Preference-Applied": APPLIED},
    "createKey": {"Location": {**LOCATION, "schema": {"type": "string", "examples": ["/keys/ab12cd34"]}}},
    "addDataset": {"Location": {**LOCATION, "schema": {"type": "string", "examples": ["/datasets/1"]}}},
    "registerWebhook": {"Location": {**LOCATION, "schema": {"type": "string", "examples": ["/webhooks/1"]}}},
}


def add_headers(operation: dict[str, Any]) -> None:
    """Adds headers to each answer of an operation."""
    for status, response in operation["responses"].items():
        headers = {"X-Request-ID": REQUEST_ID}
        if status.startswith("2"):
            headers |= OF_SUCCESS.get(operation["operationId"], {})
        if status == "503" and "requestBody" in operation:
            headers["Retry-After"] = RETRY_AFTER
        if status == "429":
            headers["Retry-After"] = WAIT
        if "429" in operation["responses"] and (status == "429" or status.startswith("2")):
            headers |= {"RateLimit-Policy": RATE_LIMIT_POLICY, "RateLimit": RATE_LIMIT}
        response["headers"] = headers
