"""One adapter for each protocol: a prompt to a body, bytes to events. They hold neither clock nor socket."""

from shared.endpoints import Endpoint
from worker.engine.adapters.anthropic import AnthropicAdapter
from worker.engine.adapters.base import Adapter
from worker.engine.adapters.openai import OpenAiAdapter


def adapter_for(endpoint: Endpoint) -> Adapter:
    """The adapter of the endpoint's protocol."""
    if endpoint.protocol == "anthropic":
        return AnthropicAdapter()
    return OpenAiAdapter(max_tokens_field=endpoint.max_tokens_field)
