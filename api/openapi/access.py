"""What the OpenAPI document says of access: the key, who may use an operation, `owner=`. For `api.openapi.document`."""

from typing import Any

from api.access.needs import Need
from api.access.owner_choice import OWNER_FILTER, PARAMETER
from api.access.requirements import Requirements
from api.openapi.errors import filled

SCHEME = "ApiKey"
# With a switch of its own.
_SWITCHED = "/metrics"
_DESCRIPTION = (
    "An API key, `lbk_...`, sent as `Authorization: Bearer lbk_...`. While a server has no keys at all, it answers "
    "without one, on its own machine only. Browsers that logged in at `/ui/login` send a cookie instead."
)
_OWNER: dict[str, Any] = {
    "name": PARAMETER,
    "in": "query",
    "required": False,
    "description": "For keys with the scope `admin`: the rows of this owner instead of the key's own; `*`: of all.",
    "schema": {"type": "string", "pattern": OWNER_FILTER, "examples": ["search-team"]},
}


def add_access(path: str, method: str, operation: dict[str, Any], requirements: Requirements) -> Need:
    """Adds `security`, a sentence about the scope, and `owner=` where it counts. Returns what the operation needs."""
    need = requirements.of({"method": method.upper(), "path": filled(path)})
    if path == _SWITCHED:
        operation["security"] = [{}, {SCHEME: []}]
    elif need.scope is None:
        operation["security"] = []
    else:
        operation["security"] = [{SCHEME: []}]
        operation["description"] = f"{operation['description']}\n\nNeeds a key with the scope `{need.scope}`."
        if method == "get" or need.across_owners:
            _add_owner(operation)
    return need


def add_scheme(document: dict[str, Any]) -> None:
    """The way of authentication that operations name."""
    document["components"]["securitySchemes"] = {
        SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "lbk_", "description": _DESCRIPTION}
    }


def _add_owner(operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    # Some operations name an owner in their path.
    if all(parameter["name"] != PARAMETER for parameter in parameters):
        parameters.append(_OWNER)
