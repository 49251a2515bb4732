"""One adapter for each protocol: a prompt to a body, bytes to events. They hold neither clock nor socket."""

from shared.protocols.anthropic_messages import AnthropicAdapter
from shared.protocols.base import Adapter
from shared.protocols.openai_chat import OpenAiAdapter
from shared.providers.endpoints import Endpoint


class Adapters:
    """One adapter for each endpoint, for as long as the worker lives: it remembers what its server refused."""

    def __init__(self) -> None:
        self._by_endpoint: dict[Endpoint, Adapter] = {}

    def of(self, endpoint: Endpoint) -> Adapter:
        return self._by_endpoint.setdefault(endpoint, adapter_for(endpoint))


def adapter_for(endpoint: Endpoint) -> Adapter:
    """The adapter of the endpoint's protocol."""
    if endpoint.protocol == "anthropic":
        return AnthropicAdapter()
    return OpenAiAdapter(max_tokens_field=endpoint.max_tokens_field)
