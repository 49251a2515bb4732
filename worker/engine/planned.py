"""What a measurement is told before the request is sent: the request, the start of its phase, what its run shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.benchmark.extra_body import NO_EXTRA, ExtraFields
from shared.benchmark.request_id import RequestId
from shared.benchmark.timeouts import Timeouts
from shared.clock import Clock
from shared.protocols.base import Adapter
from shared.scrubber import Scrubber


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request that is about to be sent. `max_tokens` is what it asked for.

    `offset_ns`: when it is due after the start of its phase (open loop); None: as soon as there is room.
    """

    id: RequestId
    prompt_index: int
    repetition: int
    warmup: bool
    body: Mapping[str, Any]
    max_tokens: int | None
    offset_ns: int | None = None


@dataclass(slots=True)
class PhaseStart:
    """When a phase starts (monotonic ns). Set once all connections are made, before the first request is sent."""

    ns: int = 0


@dataclass(frozen=True, slots=True)
class RunClock:
    """Turns stamps into dates. The wall clock is read once per run; every date is that plus a monotonic difference."""

    clock: Clock
    started_at: datetime
    started_ns: int

    @classmethod
    def start(cls, clock: Clock) -> "RunClock":
        return cls(clock, clock.wall_now(), clock.monotonic_ns())

    def at(self, stamp_ns: int) -> datetime:
        return self.started_at + timedelta(microseconds=(stamp_ns - self.started_ns) / 1_000)


@dataclass(frozen=True, slots=True)
class MeasureContext:
    """What all requests of a run share."""

    adapter: Adapter
    timeouts: Timeouts
    clock: RunClock
    scrubber: Scrubber
    keep_timeline: bool
    # What endpoint and benchmark add to each body.
    extra: ExtraFields = NO_EXTRA
