"""Reads the answers of the API, and makes errors of those that tell of one. `client.py` uses it."""

from typing import Any

import httpx2

from cli.exits import CliError, ExitCode, usage
from cli.server.api_key import ADVICE

Json = dict[str, Any]


class Unreachable(CliError):
    """No server answers, or not in time. The same request may work a moment later."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message, ExitCode.UNREACHABLE, details)


def body_of(response: httpx2.Response, url: str) -> Json:
    """The JSON object of an answer. `url`: of the server. Raises CliError if it has none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _foreign(response, url)
    return body


def problem_of(response: httpx2.Response, url: str) -> CliError:
    """The error of a problem document: each wrong field, or the detail."""
    body = body_of(response, url)
    detail, errors = body.get("detail"), _errors(body)
    if not isinstance(detail, str) or not isinstance(body.get("code"), str) or errors is None:
        return _foreign(response, url)
    if response.status_code == 503:
        return Unreachable(detail)
    if response.status_code >= 500:
        request_id = body.get("request_id")
        return Unreachable(f"the server failed: {detail}", (f"request_id: {request_id}",) if request_id else ())
    if body.get("code") == "budget_exhausted":
        return CliError(detail, ExitCode.BUDGET)
    if response.status_code == 401:
        is_missing = body.get("code") == "authentication_required"
        return usage(f"{url} needs an API key" if is_missing else detail, ADVICE)
    if response.status_code == 403 and body.get("code") == "missing_scope":
        return usage(detail, ("`llmbench whoami` says what the key is. An admin makes one with another scope.",))
    return usage(str(body.get("title")) if errors else detail, errors)


def page_of(body: Json, response: httpx2.Response, url: str) -> Json:
    """The body, if it is a page of a list. Raises CliError."""
    if not isinstance(body.get("items"), list) or "next_cursor" not in body:
        raise _foreign(response, url)
    return body


def _errors(problem: Json) -> list[str] | None:
    """A line for each wrong field. None: these are not the errors of a service like ours."""
    found = problem.get("errors") or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        return None
    return [f"{item.get('field')}: {item.get('message')}" for item in found]


def _foreign(response: httpx2.Response, url: str) -> CliError:
    kind = response.headers.get("content-type", "no content type")
    return CliError(
        f"{url} does not answer as an LLM Benchmark service (HTTP {response.status_code}, {kind})",
        ExitCode.UNREACHABLE,
        ("Name the right server with --server URL or LLMBENCH_SERVER.",),
    )
