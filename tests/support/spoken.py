"""Answers in the bytes of any registered protocol, as the simulator writes them."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.answer import Answer, Finish, Piece
from simulator.profile import Profile
from simulator.protocols.call import Call, Event
from simulator.protocols.registry import WIRE_FORMATS
from simulator.protocols.wire_format import WireFormat

INPUT_TOKENS = 10
_MODEL = "m"


@dataclass(frozen=True)
class Spoken:
    """One protocol. Each text of an answer is one token."""

    wire: WireFormat

    @property
    def content_type(self) -> str:
        return self.wire.stream_type

    def stream(self, *texts: str, output_tokens: int | None = None) -> bytes:
        """A whole streamed answer."""
        return b"".join(event.data for event in self.events(*texts, output_tokens=output_tokens))

    def preamble(self) -> bytes:
        """What stands before the first content."""
        return b"".join(event.data for event in self.events("x") if event.slot < 0)

    def deltas(self, *texts: str) -> bytes:
        """The content events alone."""
        return b"".join(event.data for event in self.events(*texts) if event.tokens)

    def without_last_event(self, *texts: str) -> bytes:
        """An answer whose last event never comes."""
        return b"".join(event.data for event in list(self.events(*texts))[:-1])

    def error_event(self) -> bytes:
        """An error inside a stream."""
        return self.wire.error_event(_call(stream=True))

    def document(self, *texts: str) -> bytes:
        """The answer of a server that does not stream."""
        return self.wire.body(_call(stream=False), _answer(texts, None), Profile())

    def error_document(self, status: int) -> bytes:
        """The body of an error answer."""
        return self.wire.error_body(self.wire.problem(status, _MODEL), 1)

    def events(self, *texts: str, output_tokens: int | None = None) -> Iterator[Event]:
        return self.wire.events(_call(stream=True), _answer(texts, output_tokens), Profile())


def spoken(protocol: str) -> Spoken:
    """Fails where the simulator does not speak the protocol."""
    (wire,) = (wire for wire in WIRE_FORMATS.values() if wire.name == protocol)
    return Spoken(wire)


def _call(*, stream: bool) -> Call:
    return Call(1, _MODEL, stream, None, (), INPUT_TOKENS, created=0, has_stream_options=stream, include_usage=stream)


def _answer(texts: tuple[str, ...], output_tokens: int | None) -> Answer:
    count = len(texts) if output_tokens is None else output_tokens
    return Answer([], [Piece(text, 1) for text in texts], 0, count, Finish.STOP)
