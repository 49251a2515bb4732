"""All protocols that the simulator speaks, by the path of their requests."""

from collections.abc import Mapping

from simulator.protocols.anthropic_messages import AnthropicMessages
from simulator.protocols.openai_chat import OpenAiChat
from simulator.protocols.openai_responses import OpenAiResponses
from simulator.protocols.wire_format import WireFormat

# In requests outside the registered paths, what most clients expect.
DEFAULT: WireFormat = OpenAiChat()
_FORMATS: tuple[WireFormat, ...] = (AnthropicMessages(), DEFAULT, OpenAiResponses())

WIRE_FORMATS: Mapping[str, WireFormat] = {wire.path: wire for wire in _FORMATS}


def wire_format_for(path: str, headers: Mapping[str, str]) -> WireFormat:
    """The format in which a client that sends this expects errors and model lists."""
    return next((wire for wire in _FORMATS if wire.is_for(path, headers)), DEFAULT)
