"""What the simulator remembers of each request: in memory for tests, as a JSON line for other processes."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

import orjson

from shared.clock import monotonic_ns
from simulator.bill import Bill

_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "proxy-authorization", "cookie"})
_KEPT_RECORDS = 10_000
_KEPT_BODY_BYTES = 64 * 1024 * 1024


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"  # the whole answer was written
    ERRORED = "errored"  # an error response or an error event
    TRUNCATED = "truncated"  # the simulator broke the answer off, as its fault says
    CANCELLED = "cancelled"  # the client closed first
    SHUTDOWN = "shutdown"  # the simulator was stopped first


@dataclass(slots=True)
class RequestRecord:
    """Stamps are CLOCK_MONOTONIC nanoseconds, taken right after the write; `outcome` is None while in flight.

    `in_flight` counts the requests in flight when this one came, itself included. `body` is emptied in old records
    once all kept bodies are larger than 64 MB.
    """

    number: int
    protocol: str
    model: str
    received_ns: int
    headers: dict[str, str]
    body: dict[str, Any]
    in_flight: int
    # Of its prompt. None: it was refused.
    prompt_tokens: int | None = None
    # In the queueing mode: when the request got its slot, and what its prompt was.
    started_ns: int | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    fault: str | None = None
    status: int | None = None
    first_content_ns: int | None = None
    last_content_ns: int | None = None
    content_events: int = 0
    output_tokens: int = 0
    outcome: Outcome | None = None
    closed_by_client: bool = False
    closed_ns: int | None = None

    def line(self) -> bytes:
        return orjson.dumps(
            {
                "number": self.number,
                "protocol": self.protocol,
                "model": self.model[:200],
                "received_ns": self.received_ns,
                "started_ns": self.started_ns,
                "input_tokens": self.input_tokens,
                "cached_tokens": self.cached_tokens,
                "first_content_ns": self.first_content_ns,
                "last_content_ns": self.last_content_ns,
                "ended_ns": self.closed_ns,
                "content_events": self.content_events,
                "output_tokens": self.output_tokens,
                "outcome": self.outcome,
                "closed_by_client": self.closed_by_client,
                "fault": self.fault,
                "status": self.status,
            }
        )


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "REDACTED" if name in _SECRET_HEADERS else value for name, value in headers.items()}


@dataclass(slots=True)
class Records:
    """The latest requests, the count in flight, and the log; calls `on_change` after each thing that happens."""

    log_path: Path | None
    on_change: Callable[[], None]
    latest: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=_KEPT_RECORDS))
    in_flight: int = 0
    peak_in_flight: int = 0
    bill: Bill = field(default_factory=Bill)
    _count: int = 0
    _log: TextIO | None = None
    _bodies: deque[tuple[RequestRecord, int]] = field(default_factory=deque)
    _body_bytes: int = 0

    def open(self) -> None:
        if self.log_path is not None:
            self._log = self.log_path.open("a", encoding="utf-8", buffering=1)

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def begin(self, protocol: str, received_ns: int, headers: Mapping[str, str], body: Any, size: int) -> RequestRecord:
        self._count += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        kept = body if isinstance(body, dict) else {}
        model = kept.get("model")
        record = RequestRecord(
            number=self._count,
            protocol=protocol,
            model=model if isinstance(model, str) else "",
            received_ns=received_ns,
            headers=redacted(headers),
            body=kept,
            in_flight=self.in_flight,
        )
        self.bill.begin(record.model)
        self.latest.append(record)
        self._bodies.append((record, size))
        self._body_bytes += size
        while self._body_bytes > _KEPT_BODY_BYTES or len(self._bodies) > _KEPT_RECORDS:
            old, old_size = self._bodies.popleft()
            old.body = {}
            self._body_bytes -= old_size
        self.on_change()
        return record

    def content(self, record: RequestRecord, events: int, tokens: int) -> None:
        now = monotonic_ns()
        record.first_content_ns = record.first_content_ns or now
        record.last_content_ns = now
        record.content_events += events
        record.output_tokens += tokens
        self.on_change()

    def end(self, record: RequestRecord, outcome: Outcome, *, closed_by_client: bool = False) -> None:
        record.outcome = outcome
        record.closed_by_client = closed_by_client
        record.closed_ns = monotonic_ns()
        self.bill.end(record, whole=outcome is Outcome.SUCCEEDED)
        self.in_flight -= 1
        if self._log is not None:
            self._log.write(record.line().decode() + "\n")
        self.on_change()
