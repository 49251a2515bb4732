"""The caller of a request. `api.access.middleware` finds out who it is; routes and repositories ask here."""

from starlette.requests import HTTPConnection

from shared.access.caller import NOBODY, Caller

# Where the middleware keeps what it found out, in the state of the request: the caller, and the limits of its key.
# Under open access there is no key. `api.access.sessions` says where the session is.
CALLER, KEY_LIMITS = "caller", "key_limits"


def caller_of(request: HTTPConnection) -> Caller:
    """Who makes this request. Under open access, which needs no key, it is LOCAL; on routes that are open to all,
    NOBODY.
    """
    caller: Caller = getattr(request.state, CALLER, NOBODY)
    return caller
