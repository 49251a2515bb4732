"""The kind of an error, from the provider's words and status. Decoders and `error_answers` use it."""

import re
from collections.abc import Sequence

# Kinds that say little. A word or status that says more wins over them.
_VAGUE = frozenset({"provider_error", "invalid_request", "server_error"})
# Endings of error words that do not change the meaning.
_ENDING = re.compile(r"(error|exception)$")
_NO_LETTER = re.compile(r"[^a-z0-9]+")


def _plain(word: str) -> str:
    """A word without its dress: `RateLimitError`, `rate_limit_error` and `Rate limit` are the same word."""
    return _ENDING.sub("", _NO_LETTER.sub("", word.lower()))


# Error types, codes and status words of providers, by the kind that results carry for them.
ERROR_KINDS = {
    _plain(word): kind
    for kind, words in {
        "authentication": "authentication_error unauthenticated unauthorized authentication_failed invalid_api_key "
        "api_key_invalid incorrect_api_key missing_api_key invalid_token token_expired invalid_authentication "
        "UnrecognizedClientException ExpiredTokenException InvalidSignatureException InvalidClientTokenId",
        "permission": "permission_error permission_denied forbidden access_denied AccessDeniedException",
        "billing": "billing_error insufficient_quota insufficient_user_quota insufficient_balance insufficient_credits "
        "insufficient_funds payment_required billing_not_active billing_hard_limit_reached "
        "exceeded_current_quota_error Arrearage",
        "not_found": "not_found_error not_found model_not_found model_not_exist unknown_model deployment_not_found "
        "ResourceNotFoundException",
        "invalid_request": "invalid_request_error bad_request request_too_large payload_too_large validation_error "
        "ValidationException validation unprocessable_entity context_length_exceeded string_above_max_length "
        "invalid_argument failed_precondition out_of_range invalid_parameter invalid_parameter_value "
        "unsupported_parameter unsupported_value unknown_parameter invalid_value invalid_type extra_forbidden "
        "value_error missing_required_parameter invalid_prompt",
        "rate_limited": "rate_limit_error rate_limit_exceeded rate_limit rate_limited rate_limit_reached "
        "resource_exhausted too_many_requests throttling ThrottlingException throttled quota_exceeded "
        "ServiceQuotaExceededException QuotaViolation SpikeArrestViolation limit_requests",
        "provider_timeout": "timeout_error timeout request_timeout gateway_timeout deadline_exceeded "
        "ModelTimeoutException APITimeoutError vector_store_timeout",
        "overloaded": "overloaded_error overloaded server_overloaded engine_overloaded model_overloaded "
        "service_overloaded ModelNotReadyException capacity_exceeded",
        "server_error": "api_error server_error internal_server_error internal internal_error InternalServerException "
        "internal_failure unavailable service_unavailable ServiceUnavailableException bad_gateway ModelErrorException "
        "ModelStreamErrorException generation_error",
    }.items()
    for word in words.split()
}

# What servers write where money is missing and no code says so, as Anthropic with 400 and xAI with 403.
_MONEY = r"(?:credits?|balance|funds)"
# No numbers, as in "5 out of your 10 credits a minute", and no other verb, as in "not enough workers to balance load".
_BETWEEN = r"(?:(?!to\s)[a-z-]+\s){0,3}?"
_NO_MONEY = re.compile(
    rf"(?:\b(?:insufficient|not(?: have)? enough|used all|out of)|n't have enough)\s{_BETWEEN}{_MONEY}\b"
    rf"|\b{_MONEY}\s{_BETWEEN}(?:too low|insufficient|not enough|depleted|exhausted|used up)\b"
    r"|\bspending limit\b|余额不足|欠费",
    re.IGNORECASE,
)


def kind_of_error(words: Sequence[str], message: str, status: int | None = None) -> str:
    """The kind of an error with this message and with these types, codes and status words, the most important first.

    `status`: the HTTP status of the answer. It decides if the words say nothing, or less than the status does.
    """
    kinds = [kind for word in words if (kind := kind_of_word(word)) is not None]
    if "billing" in kinds or _NO_MONEY.search(message):
        # Providers say in one breath that a limit is reached and that it is one of money.
        return "billing"
    if status is not None:
        kinds.append(kind_of_http_status(status))
    return next((kind for kind in kinds if kind not in _VAGUE), kinds[0] if kinds else "provider_error")


def kind_of_word(word: str) -> str | None:
    """The kind of one word: a known type or code, with or without its namespace, or an HTTP status."""
    if len(word) == 3 and word.isascii() and word.isdecimal():
        return kind_of_http_status(int(word)) if "400" <= word <= "599" else None
    # `litellm.RateLimitError`, `Throttling.RateQuota`, `com.amazon.coral.service#AccessDeniedException:http://…`
    parts = [word, *reversed(re.split(r"[.#/]", word[:200].partition(":")[0]))]
    return next((kind for part in parts if (kind := ERROR_KINDS.get(_plain(part[:100])))), None)


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
