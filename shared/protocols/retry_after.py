"""How long a provider asks to wait, from the headers or the body of an error answer. Nothing here raises."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# A longer wait is no wait that anybody meant.
MAX_S = 10 * 365 * 86_400
_MAX_DEPTH = 6
_MAX_NODES = 500

_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
# A part of `34.4s`, `1m30s`, `250ms`, `2 minutes`.
_PART = re.compile(
    r"(\d{1,12}(?:\.\d{1,15})?) ?(d|h|ms|m|s|days?|hours?|min(?:ute)?s?|sec(?:ond)?s?|milliseconds?)(?![a-z])",
    re.ASCII | re.IGNORECASE,
)
_DURATION = re.compile(rf"{_PART.pattern}(?: ?{_PART.pattern}){{0,3}}", re.ASCII | re.IGNORECASE)
_UNITS_S = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
# How servers write a wait that stands in the message alone.
_IN_WORDS = re.compile(
    rf"\b(?:try again|retry)\s+(?:in|after)\s+(?:about\s+)?(?P<wait>{_DURATION.pattern})", re.ASCII | re.IGNORECASE
)

# Fields that tell the wait, in lower case without `-` and `_`, and how many seconds their unit has. Google's is
# `retryDelay`; `estimated_time` is how long Hugging Face's servers still load the model.
_FIELDS = {
    "retryafter": 1.0,
    "retryafters": 1.0,
    "retryaftersec": 1.0,
    "retryaftersecs": 1.0,
    "retryafterseconds": 1.0,
    "retryafterms": 0.001,
    "retryaftermilliseconds": 0.001,
    "retrydelay": 1.0,
    "retrydelays": 1.0,
    "retrydelayseconds": 1.0,
    "retrydelayms": 0.001,
    "estimatedtime": 1.0,
}


def retry_after_s(headers: Mapping[str, str], document: object, now: datetime, message: str = "") -> float | None:
    """Seconds to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date, or what the body says.

    `message`: the words of the body.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if (seconds := _duration_s(value, unit_s)) is not None:
            return seconds
    if (seconds := _until_s(headers.get("retry-after", ""), headers.get("date"), now)) is not None:
        return seconds
    return stated_wait_s(document, message)


def stated_wait_s(document: object, message: str) -> float | None:
    """Seconds to wait by a field of an error's document, or by its words ("try again in 7.66s")."""
    if (seconds := next(_stated(document), None)) is not None:
        return seconds
    found = _IN_WORDS.search(message)
    return None if found is None else _duration_s(found["wait"], 1.0)


def _until_s(value: str, date: str | None, now: datetime) -> float | None:
    until = _date(value)
    if until is None:
        return None
    # Our clock may differ from the server's, so the wait counts from the server's own date if it gives one.
    return _in_range(max(0.0, (until - (_date(date or "") or now)).total_seconds()))


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    # `-0000` is UTC, too, and a date without a zone cannot be meant otherwise.
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _stated(document: object) -> Iterator[float]:
    """The waits that a body states, from the outside in."""
    nodes = [(document, 0)]
    for node, depth in nodes:
        inner: list[object] = []
        if isinstance(node, list):
            inner = node
        elif isinstance(node, dict):
            inner = [*node.values()]
            for name, value in node.items():
                unit_s = _FIELDS.get(name.replace("_", "").replace("-", "").lower()) if isinstance(name, str) else None
                if unit_s is not None and (seconds := _value_s(value, unit_s)) is not None:
                    yield seconds
        if depth < _MAX_DEPTH and len(nodes) < _MAX_NODES:
            nodes += [(item, depth + 1) for item in inner[:_MAX_NODES] if isinstance(item, dict | list)]


def _value_s(value: object, unit_s: float) -> float | None:
    if isinstance(value, str):
        return _duration_s(value.strip(), unit_s)
    if isinstance(value, dict):
        # Protobuf's long form.
        return _value_s(value.get("seconds"), unit_s)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_S * 1_000:
        return None
    return _in_range(value * unit_s)


def _duration_s(text: str, unit_s: float) -> float | None:
    """A number of units, or a text that names its units."""
    if _NUMBER.fullmatch(text):
        return _in_range(float(text) * unit_s)
    if not _DURATION.fullmatch(text):
        return None
    parts = ((float(number), unit.lower()) for number, unit in _PART.findall(text))
    return _in_range(sum(number * _seconds_of(unit) for number, unit in parts))


def _seconds_of(unit: str) -> float:
    """`min` and `minutes` begin as `m` does, but milliseconds do too."""
    return 0.001 if unit == "ms" or unit.startswith("milli") else _UNITS_S[unit[0]]


def _in_range(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and 0 <= seconds <= MAX_S else None
