"""Cursors of lists of results: the sort column's value and the id of the last result. `cursor` writes them."""

from decimal import Decimal
from typing import Any

from api.lists.cursor import decode_cursor, encode_cursor
from shared.db.results.pages import SORTABLE, ListedResult
from shared.db.tables.benchmarks import Result
from shared.errors import InvalidRequest

# No request costs this much, and both databases can compare with it.
MOST_USD = 1_000_000
# Digits after the point that the column holds, see `shared.db.tables.types.Usd`.
USD_PLACES = 12
# Types of the columns that sort.
KINDS = {name: Result.__table__.c[name].type.python_type for name in SORTABLE}


def cursor_of(result: ListedResult, sort: str) -> str:
    """For the page after this result."""
    # A decimal is written as text, so that its exact value comes back.
    value = str(result.value) if isinstance(result.value, Decimal) else result.value
    return encode_cursor(sort, value, result.id)


def position_of(cursor: str | None, sort: str) -> tuple[Any, int] | None:
    """What `ResultPages.page` takes as `after`. Raises InvalidRequest for a cursor of another order."""
    if cursor is None:
        return None
    given_sort, value, result_id = decode_cursor(cursor, str, (int, float, str, type(None)), int)
    kind = KINDS[sort.removeprefix("-")]
    if kind is Decimal and isinstance(value, str):
        value = _decimal(value)
    # The value must have the column's type, or the database driver refuses the comparison.
    if given_sort != sort or not (value is None or type(value) is kind):
        raise InvalidRequest.of("cursor", "belongs to another `sort`: take it from `next_cursor`", "invalid_cursor")
    return value, result_id


def _decimal(text: str) -> Decimal | str:
    """The amount in a cursor; the text itself if it is no amount that `_cursor` could have written."""
    try:
        amount = Decimal(text)
    except ArithmeticError:
        return text
    # A driver would expand an amount such as 1e-20000 to all its digits.
    exponent = amount.as_tuple().exponent
    is_amount = isinstance(exponent, int) and -USD_PLACES <= exponent <= 0 and abs(amount) < MOST_USD
    return amount if is_amount else text
