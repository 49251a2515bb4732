"""Recorded answers, which `damage` mutates: the simulator's in every protocol, and those of the field's cases."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from simulator.answer import generate
from simulator.profile import Profile
from simulator.protocols.call import Call
from simulator.protocols.registry import WIRE_FORMATS
from simulator.protocols.wire_format import WireFormat
from tests.e2e.field.cases import CASES

# Model names of the simulator. Each stands for an answer of another shape.
_MODELS = (
    "sim-n3",
    "sim-n40",
    "sim-n0",
    "sim-n6-think5",
    "sim-n3-think3-tool",
    "sim-n5-tool",
    "sim-n8-chunk4-utf8",
    "sim-n4-nul",
    "sim-n4-html",
)
_STATUSES = (200, 400, 401, 404, 429, 500, 503, 529)
_MOST_EVENTS = 200


@dataclass(frozen=True)
class Recorded:
    """One answer as a server sent it, in its reads."""

    name: str
    protocol: str
    reads: tuple[bytes, ...]
    content_type: str = "text/event-stream"
    status: int = 200


@cache
def recorded_answers() -> tuple[Recorded, ...]:
    simulated = [answer for wire in WIRE_FORMATS.values() for answer in _simulated(wire)]
    return (*simulated, *_from_the_field())


def _simulated(wire: WireFormat) -> Iterator[Recorded]:
    for model in _MODELS:
        profile = Profile.parse(model, {}, Profile())
        call = Call(1, model, True, None, (), 10, created=0, has_stream_options=True, include_usage=True)
        events = [event.data for event in islice(wire.events(call, generate(profile, 60, ()), profile), _MOST_EVENTS)]
        yield Recorded(f"{wire.name}/{model}", wire.name, tuple(events), wire.stream_type)
        body = wire.body(call, generate(profile, 60, ()), profile)
        yield Recorded(f"{wire.name}/{model}/whole", wire.name, (body,), "application/json")
    begun = (*events[: len(events) // 2], wire.error_event(call))
    yield Recorded(f"{wire.name}/error-in-stream", wire.name, begun, wire.stream_type)
    yield Recorded(f"{wire.name}/keep-alives", wire.name, (wire.keep_alive,) * 5 + tuple(events), wire.stream_type)
    for status in _STATUSES:
        error = wire.error_body(wire.problem(status, "m"), 1)
        yield Recorded(f"{wire.name}/error-{status}", wire.name, (error,), "application/json", status)


def _from_the_field() -> Iterator[Recorded]:
    for case in CASES:
        for attempt in range(2):
            answer = case.answer(attempt)
            reads = tuple(data for _, data in answer.reads)
            # Some cases send megabytes; mutations of them take long and find no more.
            if sum(map(len, reads)) > 100_000 or (attempt and answer is case.answer(0)):
                continue
            words = answer.head.split()
            status = int(words[1]) if not answer.raw and words[1].isdigit() else 200
            types = [line.partition(b":")[2] for line in answer.head.splitlines() if line.startswith(b"content-type:")]
            label = types[0].decode("latin-1").strip() if types else ""
            yield Recorded(f"{case.name}/{attempt}", case.protocol, reads, label, status)
