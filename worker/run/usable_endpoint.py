"""Finds the endpoint and the key of a run."""

from shared.providers.endpoints import Endpoint
from worker.holdings import held
from worker.run.cannot_run import CannotRun
from worker.run.context import RunContext


def usable_endpoint(context: RunContext, name: str) -> tuple[Endpoint, str | None]:
    """The endpoint and its key. Raises CannotRun that names the endpoint and what is missing."""
    endpoint = context.endpoints.get(name)
    if endpoint is None:
        raise CannotRun("unknown_provider", f"this worker has no endpoint named {name!r}")
    now = held(context, endpoint)
    if now.kind is not None:
        raise CannotRun(now.kind, f"this worker cannot use endpoint {name!r}: {', '.join(now.problems)}")
    secret = context.keys.get(endpoint)
    return endpoint, secret.get_secret_value() if secret else None
