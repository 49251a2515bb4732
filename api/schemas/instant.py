"""Dates that callers send: one form for all of them, as RFC 3339 has it."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

# As in the answers. The zone is required: without it nobody knows which instant is meant.
_INSTANT = re.compile(r"(?a)(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([ +-]\d\d:\d\d)))?")


def parsed_instant(value: Any) -> Any:
    """The instant in UTC of `2025-01-15T10:30:00Z`, `2025-01-15T12:30:00+02:00` or `2025-01-15` (midnight in UTC).

    Raises ValueError for anything else, such as a Unix timestamp or a time without a zone. A `+` that was not escaped
    in a URL arrives as a space, so a space counts as one.
    """
    if not isinstance(value, str):
        return value
    found = _INSTANT.fullmatch(value)
    if found is None:
        raise ValueError("must be a date such as 2025-01-15 or an instant such as 2025-01-15T10:30:00Z")
    day, time, fraction, _, offset = found.groups()
    zone = "+00:00" if offset is None else offset.replace(" ", "+")
    try:
        instant = datetime.fromisoformat(f"{day}T{time or '00:00:00'}.{(fraction or '0')[:6]:0<6}{zone}")
    except ValueError:
        raise ValueError("must be a date of the calendar, and a time from 00:00:00 to 23:59:59") from None
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be in the years 1 to 9999 in UTC") from None


Instant = Annotated[datetime, BeforeValidator(parsed_instant, json_schema_input_type=datetime)]
