"""The adapter of an endpoint: the class that its protocol has in the registry, with the endpoint's options."""

from shared.protocols.base import Adapter
from shared.protocols.registry import protocol_named
from shared.providers.endpoints import Endpoint


class Adapters:
    """One adapter for each endpoint, kept as long as the worker lives: it remembers what its server refused."""

    def __init__(self) -> None:
        self._by_endpoint: dict[Endpoint, Adapter] = {}

    def of(self, endpoint: Endpoint) -> Adapter:
        return self._by_endpoint.setdefault(endpoint, adapter_for(endpoint))


def adapter_for(endpoint: Endpoint) -> Adapter:
    """A new adapter, which remembers nothing yet."""
    return protocol_named(endpoint.protocol)(endpoint.options)
