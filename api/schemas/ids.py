"""Ids of rows in URLs. Each has one spelling, so that nobody reads or deletes another row than the named one."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticKnownError

# Python takes `1_0` for 10, and `+1`, `01`, `1.0` and ` 1` for 1.
_ID = re.compile(r"[1-9][0-9]*")


def is_id(text: str) -> bool:
    """Whether the text is the id of a row that there could be."""
    return _ID.fullmatch(text) is not None and len(text) < 20 and int(text) < 2**63


def _in_digits(value: Any) -> Any:
    # A zero alone is out of range, which says more.
    if isinstance(value, str) and value != "0" and not _ID.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    return value


RowId = Annotated[int, Field(ge=1, le=2**63 - 1), BeforeValidator(_in_digits)]
