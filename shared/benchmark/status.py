"""Statuses of a benchmark and the changes between them. The repositories build their SQL conditions from this table."""

from dataclasses import dataclass
from typing import Literal, get_args

OpenStatus = Literal["pending", "running"]
TerminalStatus = Literal["completed", "failed", "cancelled"]
Status = Literal[OpenStatus, TerminalStatus]
# How a segment ended: with the benchmark, released by its worker, or by a crash of its worker.
SegmentEnding = Literal[TerminalStatus, "released", "crashed"]
# Why a benchmark completed before its load was sent.
Stopped = Literal["budget"]

OPEN: tuple[OpenStatus, ...] = get_args(OpenStatus)
TERMINAL: tuple[TerminalStatus, ...] = get_args(TerminalStatus)
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Change:
    """What an operation does to the status: from any of `before` to one of `after`."""

    before: tuple[Status, ...]
    after: tuple[Status, ...]


# A worker takes it. A running one can be taken only if its lease has lapsed or was given back.
CLAIM = Change(before=("pending", "running"), after=("running",))
# Its worker writes to it, or gives it back to another worker.
KEEP = Change(before=("running",), after=("running",))
# Its worker ends it.
FINISH = Change(before=("running",), after=TERMINAL)
# Its caller cancels it before a worker has taken it. A running one is cancelled by its worker.
CANCEL = Change(before=("pending",), after=("cancelled",))
