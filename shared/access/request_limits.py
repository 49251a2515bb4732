"""How many requests a key may make: in a minute, and at the same time. Pure: Redis and the process count by this."""

import math
from dataclasses import dataclass
from typing import Literal

WINDOW_MS = 60_000

# Which limit refused a request, by the name that the headers of answers have.
LimitName = Literal["minute", "concurrent"]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """0: no limit."""

    per_minute: int
    concurrent: int

    @property
    def is_none(self) -> bool:
        return not self.per_minute and not self.concurrent


@dataclass(slots=True)
class Window:
    """Counts requests of the last minute: those of the present minute, and a share of those of the one before.

    The share is what of the minute before is still within the last 60 s. `number`: which minute of all time.
    """

    number: int = 0
    count: int = 0
    before: int = 0

    def move_to(self, now_ms: int) -> int:
        """Begins a new minute if it is time. Returns how many ms of the minute are over."""
        number, elapsed_ms = divmod(now_ms, WINDOW_MS)
        if number != self.number:
            self.before = self.count if number == self.number + 1 else 0
            self.number, self.count = number, 0
        return elapsed_ms


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may go on. `open`: how many are in progress, this one included if it may.

    `count`, `before` and `elapsed_ms`: see `Window`; this request is counted if it may go on.
    """

    limits: RequestLimits
    refused_by: LimitName | None
    open: int
    count: int
    before: int
    elapsed_ms: int

    @property
    def left(self) -> int:
        """Requests that may follow within the minute."""
        return max(0, math.floor(self.limits.per_minute - used(self.count, self.before, self.elapsed_ms)))

    @property
    def places_left(self) -> int:
        return max(0, self.limits.concurrent - self.open)

    @property
    def reset_s(self) -> int:
        """Seconds until the present minute is over."""
        return max(1, math.ceil((WINDOW_MS - self.elapsed_ms) / 1_000))

    @property
    def more_s(self) -> int:
        """Seconds until there may be more requests than are left now. The same as `wait_s` of a refusal."""
        return self.reset_s if self.left else self._minute_wait_s

    @property
    def wait_s(self) -> int:
        """Seconds after which another try makes sense. Nobody knows when a place becomes free."""
        return self._minute_wait_s if self.refused_by == "minute" else 1

    @property
    def _minute_wait_s(self) -> int:
        """Seconds until the limit of a minute allows one more request."""
        most = self.limits.per_minute - 1
        if self.count <= most:
            # Enough of the minute before must have become older than a minute.
            wait_ms = WINDOW_MS * (1 - (most - self.count) / self.before) - self.elapsed_ms if self.before else 0.0
        else:
            wait_ms = WINDOW_MS - self.elapsed_ms + WINDOW_MS * (1 - most / self.count)
        return max(1, math.ceil(wait_ms / 1_000))


def used(count: int, before: int, elapsed_ms: int) -> float:
    """Requests of the last minute."""
    return count + before * (WINDOW_MS - elapsed_ms) / WINDOW_MS
