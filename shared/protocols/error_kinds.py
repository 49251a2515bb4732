"""The kind of an error, from the provider's words and status. Decoders and `error_answers` use it."""

from collections.abc import Sequence
from typing import Any

from shared.protocols.events import Failure

# Error types and codes of providers, and the kind that results carry for them.
ERROR_KINDS = {
    "authentication_error": "authentication",
    "invalid_api_key": "authentication",
    "permission_error": "permission",
    "billing_error": "billing",
    "insufficient_quota": "billing",
    "not_found_error": "not_found",
    "model_not_found": "not_found",
    "request_too_large": "invalid_request",
    "invalid_request_error": "invalid_request",
    "context_length_exceeded": "invalid_request",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "timeout_error": "provider_timeout",
    "overloaded_error": "overloaded",
    "api_error": "server_error",
    "server_error": "server_error",
    "internal_server_error": "server_error",
}


def failure(error: Any) -> Failure:
    """A provider's error object as a failure. Its `code` decides the kind, else its `type`, else a status in them."""
    if not isinstance(error, dict):
        return Failure("provider_error", str(error)[:2_000])
    words = [str(error[key]) for key in ("code", "type") if error.get(key) is not None]
    kind = next((ERROR_KINDS[word] for word in words if word in ERROR_KINDS), None) or _kind_of_status(words)
    return Failure(kind, str(error.get("message") or "no message"), words[0] if words else None)


def _kind_of_status(words: Sequence[str]) -> str:
    """The kind of the HTTP status that OpenRouter and others put into `code`."""
    for word in words:
        if word.isdecimal():
            return kind_of_http_status(int(word))
    return "provider_error"


def kind_of_http_status(status: int) -> str:
    """The kind of an error answer if only its status is understood."""
    known = {
        400: "invalid_request",
        401: "authentication",
        402: "billing",
        403: "permission",
        404: "not_found",
        408: "provider_timeout",
        413: "invalid_request",
        422: "invalid_request",
        429: "rate_limited",
        504: "provider_timeout",
        529: "overloaded",
    }
    return known.get(status) or ("server_error" if status >= 500 else "provider_error")
