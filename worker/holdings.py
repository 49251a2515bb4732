"""The endpoints that this worker has, and what keeps it from using some of them. It reports and claims by this."""

from shared.network.proxy import UnusableProxy
from shared.network.tls import UnusableTls, client_context
from shared.providers.endpoints import Endpoint
from shared.providers.identity import HeldEndpoint
from worker.run.context import RunContext


def held_endpoints(context: RunContext) -> tuple[HeldEndpoint, ...]:
    """Every configured endpoint, with its problems. Keys and certificates may be files that come and go."""
    return tuple(held(context, endpoint) for endpoint in sorted(context.endpoints, key=lambda item: item.name))


def held(context: RunContext, endpoint: Endpoint) -> HeldEndpoint:
    """A configured endpoint, with its problems now."""
    identity, most = context.identities.of(endpoint), endpoint.max_streams
    if problems := context.keys.problems(endpoint):
        return HeldEndpoint(identity, "missing_key", problems, most)
    if endpoint.tls is not None:
        try:
            client_context(endpoint.tls.options)
        except UnusableTls as exc:
            return HeldEndpoint(identity, "unusable_tls", [str(exc)], most)
    try:
        context.settings.proxy_for(endpoint.base_url)
    except UnusableProxy as exc:
        return HeldEndpoint(identity, "unusable_proxy", [str(exc)], most)
    return HeldEndpoint(identity, max_streams=most)
