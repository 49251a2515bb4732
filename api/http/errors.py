"""Turns every error into an RFC 9457 problem document. A document never repeats what the request contained."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from api.access.csrf import WrongCsrfToken
from api.access.viewer import viewed_in
from api.http.body import BodyTooComplex, BodyTooLarge
from api.http.methods import allowed_methods
from api.http.middleware import HEADER
from api.http.pattern_words import PATTERN_WORDS
from api.http.proxy import links_of, route_path
from api.http.security_headers import security_headers
from api.live.feeds import TooManyListeners
from api.pages.problems import is_page, problem_page
from api.present.money import dollars
from api.schemas.problem import Problem, ProblemBudget
from shared.errors import BudgetExhausted, Conflict, FieldError, InvalidRequest, LlmBenchError, NotFound, Unavailable
from shared.text import MAX_NAME_CHARS

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

# Domain error → status and title. The first class that matches applies.
TABLE: dict[type[LlmBenchError], tuple[HTTPStatus, str]] = {
    InvalidRequest: (HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid"),
    NotFound: (HTTPStatus.NOT_FOUND, "Not found"),
    BudgetExhausted: (HTTPStatus.CONFLICT, "A budget is exhausted"),
    WrongCsrfToken: (HTTPStatus.FORBIDDEN, "Not a form of this session"),
    Conflict: (HTTPStatus.CONFLICT, "The state does not allow this"),
    TooManyListeners: (HTTPStatus.SERVICE_UNAVAILABLE, "Too many listeners"),
    Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "A needed part does not answer"),
}

# pydantic's error types, in words for a caller who writes JSON.
_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this object",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_unicode": "must be valid Unicode text, without lone surrogates",
    "tuple_type": "must be an array",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be a string or an object",
    "model_attributes_type": "must be an object",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "int_parsing": "must be an integer",
    "int_parsing_size": "is out of range",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number: NaN and Infinity are not JSON",
}

MAX_ERRORS = 20

# Parts of a path that name a choice of a union, not a field.
_UNION_PARTS = ("str", "float", "int", "bool", "list", "dict", "nullable")


def problem_response(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    code: str,
    errors: Sequence[FieldError] = (),
    budget: ProblemBudget | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem document, or under `/ui` a page. `code` is stable for programs; `errors` names each wrong field."""
    problem = Problem(
        type=f"urn:llmbench:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        code=code,
        request_id=getattr(request.state, "request_id", None),
        budget=budget,
        errors=[{"field": item.field, "message": item.message, "code": item.code} for item in errors],
    )
    if is_page(request):
        return problem_page(request, problem, headers)
    return JSONResponse(
        jsonable_encoder(problem, exclude_none=True), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def install_error_handlers(app: FastAPI) -> None:
    """Registers handlers for domain, validation, HTTP and unexpected errors."""
    app.add_exception_handler(LlmBenchError, _domain_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


async def _domain_error(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, LlmBenchError):
        raise exc
    return error_response(request, exc)


def error_response(request: Request, exc: LlmBenchError) -> Response:
    """The answer to an error of the domain. For middleware, which no handler catches."""
    status, title = next(
        (entry for kind, entry in TABLE.items() if isinstance(exc, kind)),
        (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
    )
    errors = exc.errors if isinstance(exc, InvalidRequest) else ()
    budget = _budget(exc) if isinstance(exc, BudgetExhausted) else None
    if isinstance(exc, Unavailable):
        log_reason(exc)
    return problem_response(request, status, title, exc.message, code=exc.code, errors=errors, budget=budget)


def log_reason(exc: Unavailable) -> None:
    """Logs what a caller does not get: the message is for everybody, the reason may have names."""
    if exc.reason != exc.message:
        log.warning("part_unavailable", reason=exc.reason)


def _budget(exc: BudgetExhausted) -> ProblemBudget:
    return ProblemBudget(
        budget=exc.budget,
        cap_usd=dollars(exc.cap),
        spent_usd=dollars(exc.spent),
        reserved_usd=dollars(exc.reserved),
        resets_at=exc.resets_at,
    )


async def _validation_error(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, RequestValidationError):
        raise exc
    found = exc.errors()
    if any(error["type"] == "json_invalid" for error in found):
        reason = next(error for error in found if error["type"] == "json_invalid")
        detail = f"the body is not JSON: {reason['ctx']['error']} at character {reason['loc'][-1]}"
        return problem_response(request, 400, "The body is not JSON", detail, code="invalid_json")
    if isinstance(exc.body, bytes):
        detail = "send JSON, with `Content-Type: application/json`"
        return problem_response(request, 415, "The body is not JSON", detail, code="unsupported_media_type")
    errors = field_errors(found, exc.body)
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors[:3])
    if len(errors) > 3:
        detail += f"; and {len(errors) - 3} more"
    return problem_response(request, 422, "The request is not valid", detail, code="invalid_request", errors=errors)


def field_errors(found: Sequence[Any], body: Any) -> list[FieldError]:
    """At most MAX_ERRORS of pydantic's errors, with the caller's own field names and without the input values."""
    paths = [tuple(error["loc"]) for error in found]
    parents = {path[:length] for path in paths for length in range(len(path))}
    # A dict, because it keeps the order and each error once.
    errors: dict[FieldError, None] = {}
    for error, path in zip(found, paths, strict=True):
        if len(errors) == MAX_ERRORS:
            break
        # If an array's only item is wrong, pydantic also reports the array as empty. The item's error says more.
        if error["type"] == "too_short" and path in parents:
            continue
        errors[FieldError(_field_name(path, body), _message(error), error["type"])] = None
    return list(errors)


def _message(error: Any) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "too_short":
        least = context["min_length"]
        return "must not be empty" if least == 1 else f"must have at least {least} items"
    if kind in ("too_long", "string_too_long"):
        unit = (
            "characters" if kind == "string_too_long" or context.get("field_type") in ("Value", "String") else "items"
        )
        return f"must have at most {context['max_length']:,} {unit}"
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "string_pattern_mismatch" and context.get("pattern") in PATTERN_WORDS:
        return PATTERN_WORDS[context["pattern"]]
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should ")
    return f"must {message}" if message.startswith("be ") else message


def _field_name(path: tuple[int | str, ...], body: Any) -> str:
    """The path as `prompts[2].messages[0].content`, without the parts that pydantic adds for unions."""
    place, parts = path[0] if path else "body", path[1:]
    name, value = "", body if place == "body" else None
    for part in parts:
        if isinstance(part, int):
            name += f"[{part}]"
            value = value[part] if isinstance(value, list) and part < len(value) else None
        else:
            if name and part in _UNION_PARTS and not (isinstance(value, dict) and part in value):
                continue
            shown = ascii(part[:MAX_NAME_CHARS])[1:-1] + ("..." if len(part) > MAX_NAME_CHARS else "")
            name += f".{shown}" if name else shown
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str):
            # The caller wrote a text here. The rest of the path has names that only our models use.
            break
    return name or str(place)


async def _http_error(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        raise exc
    phrase = HTTPStatus(exc.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    detail = str(exc.detail)
    if exc.status_code == 404:
        detail = "there is nothing at this path" + ("" if is_page(request) else "; /docs lists all paths")
    elif exc.status_code == 413:
        if not isinstance(exc, BodyTooLarge):
            detail = f"the body is larger than MAX_BODY_BYTES = {request.app.state.settings.max_body_bytes:,} bytes"
        code = "body_too_large"
    elif isinstance(exc, BodyTooComplex):
        wrong = FieldError("body", detail, "too_complex")
        title = "The request is not valid"
        return problem_response(request, 422, title, f"body: {detail}", code="invalid_request", errors=[wrong])
    headers = dict(exc.headers) if exc.headers else {}
    if exc.status_code == 405:
        headers["Allow"] = ", ".join(allowed_methods(request.app.state.routes, route_path(request.scope)))
    return problem_response(request, exc.status_code, phrase, detail, code=code, headers=headers)


async def _unexpected(request: Request, exc: Exception) -> Response:
    # This handler runs outside the middleware that adds the id to logs and headers to responses.
    request_id = request.state.request_id
    log.error("request_failed", path=request.url.path, request_id=request_id, exc_info=exc)
    detail = "the server failed; its log has the cause under this request_id"
    headers = {HEADER: request_id, **security_headers(route_path(request.scope))}
    with links_of(request.scope), viewed_in(request.scope):
        return problem_response(request, 500, "Internal error", detail, code="internal_error", headers=headers)
