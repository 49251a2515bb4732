"""The filter `owner` of pages for admins, which asks for the rows of an owner or, with `*`, of all."""

from typing import Annotated

from fastapi import Request
from pydantic import BeforeValidator, Field

from api.access.caller import caller_of
from api.access.owner_choice import OWNER_FILTER, with_owner
from api.access.viewer import viewer
from shared.access.caller import Caller
from shared.access.owner import ALL_OWNERS

_NAME = Annotated[str, Field(pattern=OWNER_FILTER)]
# Forms send an empty text for what was not chosen.
OwnerFilter = Annotated[_NAME | None, BeforeValidator(lambda value: value or None)]


def reader_of(request: Request, asked: str | None) -> Caller:
    """Whose rows a page shows: those of the owner `asked`. None: those that this login looks at, after a POST too."""
    chosen = asked or viewer().looks_at
    caller = caller_of(request)
    return caller if chosen is None else with_owner(caller, chosen)


def shown_owner(reader: Caller) -> str:
    """The value of the filter that asks for the rows of `reader`."""
    return ALL_OWNERS if reader.sees_all else reader.owner
