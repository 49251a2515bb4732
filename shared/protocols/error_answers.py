"""An answer that is not 2xx as a request error: kind, the provider's words, how long to wait. For every transport."""

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
    """`body`: the parsed answer, whole or just its error object, where it is JSON; `text`: what it says otherwise."""
    # The openai SDK hands over the inner error object, others the whole body.
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
    """Seconds that the provider asks to wait: `retry-after-ms`, or `Retry-After` as seconds or as a date."""
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.replace(".", "", 1).isdecimal():
        return float(milliseconds) / 1_000
    value = headers.get("retry-after", "").strip()
    if value.replace(".", "", 1).isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        # Against the server's own date where it gives one: our clock may differ.
        since = parsedate_to_datetime(headers["date"]) if "date" in headers else now
    except (ValueError, TypeError):
        return None
    return max(0.0, (until - since).total_seconds())
