"""The conditions that bind a statement to the rows of one owner."""

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from shared.access.caller import Caller


def of_owner(caller: Caller, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The rows that this caller may see. `column`: the one that names the owner of a row."""
    return true() if caller.sees_all else owned_by(caller, column)


def owned_by(caller: Caller, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The rows that this caller may change: only his owner's, whatever he may see."""
    return column == caller.owner
