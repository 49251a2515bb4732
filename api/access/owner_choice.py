"""`?owner=`: an admin asks for the rows of another owner, or with `*` of all."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope as AsgiScope

from api.access.needs import Need
from shared.access.caller import Caller
from shared.access.owner import ALL_OWNERS, OWNER, is_owner

PARAMETER = "owner"
OWNER_FILTER = rf"^({OWNER}|\*)$"
_SAFE = ("GET", "HEAD")


class WrongOwner(ValueError):
    """The parameter is wrong; the message says how."""


class OnlyAdmins(ValueError):
    """The caller may not ask for an owner."""


def take_owner(scope: AsgiScope, need: Need, caller: Caller) -> Caller:
    """The caller with the owner that the query names. Takes the parameter out of the query: no route knows it.

    Raises OnlyAdmins and WrongOwner.
    """
    if b"owner=" not in scope["query_string"]:
        return caller
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    asked = [value for name, value in pairs if name == PARAMETER]
    if not asked:
        return caller
    if not caller.may("admin"):
        raise OnlyAdmins
    if len(asked) > 1 or not (asked[0] == ALL_OWNERS or is_owner(asked[0])):
        raise WrongOwner("must be the name of one owner, or * for all")
    if scope["method"] not in _SAFE and not need.across_owners:
        raise WrongOwner("what is made or changed here always belongs to the owner of the key")
    scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != PARAMETER]).encode()
    return with_owner(caller, asked[0])


def with_owner(caller: Caller, asked: str) -> Caller:
    """The caller, who is an admin, with the rows of the owner `asked` or, for `*`, of all."""
    if asked == ALL_OWNERS:
        return replace(caller, sees_all=True)
    return replace(caller, owner=asked, sees_all=False)
