"""Days that callers send, as `2026-11-27`. They are days in UTC."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

_DAY = re.compile(r"(?a)\d{4}-\d\d-\d\d")


def parsed_day(value: Any) -> Any:
    """Raises ValueError for any other text, such as a Unix timestamp."""
    if not isinstance(value, str):
        return value
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        # Such as the 31st of June.
        pass
    raise ValueError("must be a day of the calendar, such as 2026-11-27")


Day = Annotated[date, BeforeValidator(parsed_day, json_schema_input_type=date)]
