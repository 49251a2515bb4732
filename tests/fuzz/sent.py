"""One answer as a measuring process reports it, and the record that the engine makes of it."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.benchmark.results.record import ResultRecord
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.timeouts import Timeouts
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList
from shared.scrubber import Scrubber
from tests.support.servers.scripted import FrozenClock
from tests.worker.engine.measuring import BEGAN, REQUEST, adapter
from worker.engine.measurer import Measurement
from worker.engine.messages import Began, End, Head, Slice
from worker.engine.planned import MeasureContext, PhaseStart, RunClock
from worker.run.pricing import RunPrice, find_price

TIMEOUTS = Timeouts(connect_s=1, ttft_s=10, idle_s=5, total_s=60)
NEVER_SENT = Began(due_ns=0, started_ns=0, connected_ns=None, tls_ms=None, sent_ns=None, new_connection=True, renewed=0)
# Later than any deadline.
LATE_NS = 200_000_000_000
_CLOCK = RunClock.start(FrozenClock())
_SCRUBBER = Scrubber(["sk-test-0123456789abcdef"])


@dataclass(frozen=True)
class Sent:
    """`reads`: (stamp in ns after the request was sent, bytes). `end`: the kind of an `End`, or `expire` or `lose`.

    `status` None: not even a head came. `slices`: how many reads each report holds.
    """

    name: str
    protocol: str
    status: int | None
    headers: tuple[tuple[str, str], ...]
    reads: tuple[tuple[int, bytes], ...]
    end: str
    slices: int = 1_000
    late_us: int = 0
    kernel: bool = True

    @property
    def body(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def last_ns(self) -> int:
        return self.reads[-1][0] if self.reads else 0


def measure(sent: Sent) -> ResultRecord:
    """The record, made without the guard that the decoding thread has: an exception of our code is raised."""
    speaking = adapter(sent.protocol)
    context = MeasureContext(speaking, TIMEOUTS, _CLOCK, _SCRUBBER, keep_timeline=True)
    measured = Measurement(REQUEST, context, PhaseStart())
    for part in _slices(sent):
        measured.take(part)
        if measured.outcome is not None:
            break
    if measured.outcome is None and sent.end == "lose":
        measured.lose("the measuring process died")
    measured.expire(LATE_NS)
    record = measured.record()
    # What the engine and the run do with a record before it is stored.
    if measured.refused and record.error is not None:
        speaking.retry_body(REQUEST.body, record.error)
    _PRICE.settle(record)
    return record


def _price() -> RunPrice:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "gpt-4o", "prompts": ["x"]})
    endpoint = Endpoint(name="test", protocol="openai", base_url="http://127.0.0.1", price_provider="openai")
    return find_price(endpoint, spec, None, PriceList(), datetime(2026, 11, 20, tzinfo=UTC))


_PRICE = _price()


def _slices(sent: Sent) -> list[Slice]:
    if sent.status is None and not sent.end.startswith(("closed", "lost")):
        return [Slice(1, NEVER_SENT, None, b"", b"", sent.kernel, End(sent.end, 1_000_000, "refused"))]  # type: ignore[arg-type]
    head = None if sent.status is None else Head(sent.status, dict(sent.headers))
    ended = None
    if sent.end not in ("expire", "lose"):
        ended = End(sent.end, sent.last_ns + 1_000, "reset by peer")  # type: ignore[arg-type]
    parts = [Slice(1, BEGAN, None, b"", b"", sent.kernel, None), Slice(1, None, head, b"", b"", sent.kernel, None)]
    for start in range(0, len(sent.reads), sent.slices):
        size, packed, body = 0, b"", []
        for stamp_ns, data in sent.reads[start : start + sent.slices]:
            size += len(data)
            body.append(data)
            packed += struct.pack("<qqq", stamp_ns, size, sent.late_us)
        parts.append(Slice(1, None, None, b"".join(body), packed, sent.kernel, None))
    return [*parts, Slice(1, None, None, b"", b"", sent.kernel, ended)]
