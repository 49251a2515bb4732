"""All wire protocols by name. Everything that must know which protocols there are asks here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from shared.protocols.anthropic_messages import AnthropicMessages
from shared.protocols.base import Adapter
from shared.protocols.openai_chat import OpenAiChat
from shared.protocols.openai_responses import OpenAiResponses

_ADAPTERS: tuple[type[Adapter], ...] = (AnthropicMessages, OpenAiChat, OpenAiResponses)

PROTOCOLS: Mapping[str, type[Adapter]] = MappingProxyType({adapter.name: adapter for adapter in _ADAPTERS})


class UnknownProtocol(ValueError):
    """No protocol has this name. The message does not repeat it, because it may be a key in the wrong place."""

    def __init__(self) -> None:
        super().__init__(f"unknown protocol; known protocols: {', '.join(PROTOCOLS)}")


def protocol_named(name: str) -> type[Adapter]:
    """Raises UnknownProtocol."""
    try:
        return PROTOCOLS[name]
    except KeyError:
        raise UnknownProtocol from None


def _known(name: str) -> str:
    return protocol_named(name).name


# The name of a registered protocol, in configuration and in the API.
ProtocolName = Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": list(PROTOCOLS), "type": "string"})]
