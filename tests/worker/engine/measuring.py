"""Measures scripted answers: one call from bytes and stamps to a record."""

import struct
from collections.abc import Sequence

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.timeouts import Timeouts
from shared.protocols.base import Adapter
from shared.providers.adapters import adapter_for
from shared.providers.endpoints import Endpoint
from shared.scrubber import Scrubber
from tests.support.servers.scripted import FrozenClock
from worker.engine.measurer import Measurement
from worker.engine.messages import Began, End, Head, Slice
from worker.engine.planned import MeasureContext, PhaseStart, PlannedRequest, RunClock

REQUEST = PlannedRequest(
    id=RequestId(0), prompt_index=0, repetition=0, warmup=False, body={"model": "m"}, max_tokens=100
)
BEGAN = Began(due_ns=0, started_ns=0, connected_ns=None, tls_ms=None, sent_ns=0, new_connection=False, renewed=0)


def adapter(protocol: str) -> Adapter:
    return adapter_for(Endpoint(name="test", protocol=protocol, base_url="http://127.0.0.1"))


def measurement(protocol: str, timeouts: Timeouts | None = None, keys: Sequence[str] = ()) -> Measurement:
    """Of a request that is sent at 0. `keys`: those of the endpoint."""
    context = MeasureContext(
        adapter(protocol), timeouts or Timeouts(), RunClock.start(FrozenClock()), Scrubber(keys), keep_timeline=True
    )
    return Measurement(REQUEST, context, PhaseStart())


def part(
    *reads: tuple[float, bytes],
    began: Began | None = None,
    head: Head | None = None,
    end: End | None = None,
    late_us: int = 0,
    kernel: bool = True,
) -> Slice:
    """A slice of reads, each at so many milliseconds after the request was sent."""
    size, packed = 0, b""
    for at_ms, data in reads:
        size += len(data)
        packed += struct.pack("<qqq", round(at_ms * 1e6), size, late_us)
    return Slice(1, began, head, b"".join(data for _, data in reads), packed, kernel, end)


def measure(
    protocol: str,
    script: list[tuple[float, bytes]],
    content_type: str = "text/event-stream",
    keys: Sequence[str] = (),
) -> ResultRecord:
    """A request whose answer's reads come at these milliseconds after it was sent."""
    measured = measurement(protocol, keys=keys)
    end = End("complete", round(script[-1][0] * 1e6) if script else 0)
    measured.take(part(*script, began=BEGAN, head=Head(200, {"content-type": content_type}), end=end))
    return measured.record()
