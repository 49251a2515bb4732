"""The errors of each operation in the OpenAPI document: those that middleware and handlers answer for all routes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.access.needs import Need
from api.access.owner_choice import PARAMETER
from api.http.errors import MEDIA_TYPE
from api.http.guard import ANY_HOST, SAFE_METHODS

PROBLEM = {"$ref": "#/components/schemas/Problem"}
# They answer without the database, or say themselves that it is away. All others need it to know who asks.
WITHOUT_DATABASE = ("/health", "/metrics", "/ready")


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """What a status means, and a problem document as an example of it."""

    description: str
    code: str
    title: str
    detail: str

    def example(self, status: int, path: str) -> dict[str, Any]:
        """The problem document. `path`: of the request."""
        example = {
            "type": f"urn:llmbench:problem:{self.code}",
            "title": self.title,
            "status": status,
            "detail": self.detail,
            "instance": path,
            "code": self.code,
            "request_id": "9f1c2b7e0d3a4c55",
            "errors": [],
        }
        if status == 422:
            field, _, message = self.detail.partition(": ")
            example["errors"] = [{"field": field, "message": message, "code": self.code}]
        return example


ERRORS = {
    400: DocumentedError(
        "The body is not JSON.",
        "invalid_json",
        "The body is not JSON",
        "the body is not JSON: Expecting value at character 12",
    ),
    401: DocumentedError(
        "There is no API key, or one that is not accepted: unknown, expired or revoked.",
        "authentication_required",
        "An API key is needed",
        "send an API key, as in `Authorization: Bearer lbk_...`; an admin makes one with `llmbench keys create`",
    ),
    403: DocumentedError(
        "The scope of the key is too small; or a page of another site, or a webhook of this service, wants to change "
        "something.",
        "cross_site",
        "Request of another site",
        "a page of another site must not change anything here",
    ),
    404: DocumentedError("There is no such id.", "not_found", "Not found", "there is no benchmark 1"),
    408: DocumentedError(
        "The body has not arrived within a minute.",
        "request_timeout",
        "Request Timeout",
        "the body has not arrived within 60 s",
    ),
    409: DocumentedError(
        "The state does not allow this.",
        "conflict",
        "The state does not allow this",
        "benchmark 1 is already completed; only open benchmarks are cancelled",
    ),
    413: DocumentedError(
        "The body is larger than `MAX_BODY_BYTES`.",
        "body_too_large",
        "Request Entity Too Large",
        "the body is larger than MAX_BODY_BYTES = 10,000,000 bytes",
    ),
    415: DocumentedError(
        "The body's `Content-Type` is not JSON.",
        "unsupported_media_type",
        "The body is not JSON",
        "send JSON, with `Content-Type: application/json`",
    ),
    421: DocumentedError(
        "The `Host` is not one of `ALLOWED_HOSTS`.",
        "unknown_host",
        "Unknown host name",
        "the server does not answer to this host name; ALLOWED_HOSTS lists those that it answers to",
    ),
    422: DocumentedError(
        "A field is wrong; `errors` names it.",
        "invalid_request",
        "The request is not valid",
        "limit: must be greater than or equal to 1",
    ),
    429: DocumentedError(
        "The key has made too many requests in the last minute, or has too many in progress.",
        "too_many_requests",
        "Too many requests",
        "this key may make 600 requests a minute: try again in 12 s",
    ),
    500: DocumentedError(
        "The server failed; its log has the cause.",
        "internal_error",
        "Internal error",
        "the server failed; its log has the cause under this request_id",
    ),
    503: DocumentedError(
        "The database does not answer.",
        "unavailable",
        "A needed part does not answer",
        "the database does not answer",
    ),
}


def add_errors(path: str, method: str, operation: dict[str, Any], need: Need) -> None:
    """Adds the errors that the route does not name itself, and an example to each."""
    responses = operation["responses"]
    for status in _statuses(path, method, operation, need):
        content = {MEDIA_TYPE: {"schema": PROBLEM}}
        responses.setdefault(str(status), {"description": ERRORS[status].description, "content": content})
    for status, response in responses.items():
        problem = response.get("content", {}).get(MEDIA_TYPE)
        if problem is not None:
            problem["example"] = ERRORS[int(status)].example(int(status), filled(path))
    operation["responses"] = dict(sorted(responses.items()))


def _statuses(path: str, method: str, operation: dict[str, Any], need: Need) -> Iterator[int]:
    if need.scope is not None:
        yield from (401, 403, 429)
        if any(parameter["name"] == PARAMETER for parameter in operation.get("parameters", ())):
            yield 422
    if method.upper() not in SAFE_METHODS:
        yield 403
    if "requestBody" in operation:
        yield from (400, 408, 413, 415)
    if "requestBody" in operation or path not in WITHOUT_DATABASE:
        yield 503
    if path not in ANY_HOST:
        yield 421
    yield 500


def filled(path: str) -> str:
    """A path of the document with an id in each place for one."""
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))
