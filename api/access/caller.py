"""Who makes a request."""

from starlette.requests import HTTPConnection

from shared.access.caller import LOCAL, Caller


def caller_of(request: HTTPConnection) -> Caller:
    """The caller of a request. Under open access, everyone is LOCAL."""
    return LOCAL
