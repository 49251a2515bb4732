"""Turns an answer that is not 2xx into a request error: its kind, the provider's words, how long to wait."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.benchmark.record import RequestError
from shared.protocols.error_kinds import failure, kind_of_http_status
from shared.scrubber import Scrubber


def status_error(
    status: int, headers: Mapping[str, str], body: Any, text: str, scrubber: Scrubber, now: datetime
) -> RequestError:
    """The error of an answer. `body`: its JSON, None if it has none; `text`: the answer as text; `now`: its arrival."""
    # Most servers put the error object into `error`; for the others the body is the error object.
    inner = body.get("error", body) if isinstance(body, dict) else None
    said = failure(inner) if inner else None
    kind = kind_of_http_status(status)
    if said is not None and said.kind != "provider_error":
        kind = said.kind
    message = said.message if said is not None else f"HTTP {status}: {text[:300]}"
    if said is not None and isinstance(inner, dict) and inner.get("param"):
        message = f"{message} (param: {inner['param']})"
    return RequestError(
        kind=kind,
        message=scrubber.scrub(message),
        phase="before_first_token",
        http_status=status,
        provider_code=scrubber.scrub(said.provider_code, 100) if said and said.provider_code else None,
        retry_after_s=retry_after_s(headers, now),
    )


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds the provider asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date."""
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.replace(".", "", 1).isdecimal():
        return float(milliseconds) / 1_000
    value = headers.get("retry-after", "").strip()
    if value.replace(".", "", 1).isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        # Our clock may differ from the server's, so the wait counts from the server's own date if it gives one.
        since = parsedate_to_datetime(headers["date"]) if "date" in headers else now
    except (ValueError, TypeError):
        return None
    return max(0.0, (until - since).total_seconds())
