"""The caller of a request. `api.access.middleware` finds out who it is; routes and repositories ask here."""

from fastapi import Request

from shared.access.caller import LOCAL, Caller

# Where the middleware keeps it, in the state of the request.
CALLER = "caller"


def caller_of(request: Request) -> Caller:
    """Who makes this request. Under open access, which needs no key, it is LOCAL."""
    caller: Caller = getattr(request.state, CALLER, LOCAL)
    return caller
