"""Requests of one token that are sent beside a load: what each has shown, and what those of a time add up to."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.benchmark.results.outcome import FAILURES
from shared.numbers.digest import Digest


@dataclass(frozen=True, slots=True)
class Probe:
    """One request. `sent_us`: microseconds since the epoch. `cost_usd`: None if it is not known."""

    sent_us: int
    outcome: str
    ttft_ms: float | None
    cost_usd: Decimal | None

    def document(self) -> list[Any]:
        """As it is stored."""
        return [self.sent_us, self.outcome, self.ttft_ms, None if self.cost_usd is None else str(self.cost_usd)]

    @classmethod
    def load(cls, document: list[Any]) -> "Probe":
        sent_us, outcome, ttft_ms, cost_usd = document
        return cls(sent_us, outcome, ttft_ms, None if cost_usd is None else Decimal(cost_usd))


class Probes:
    """Those that were sent from `begin_us` to `end_us`. It keeps a few numbers, however many there are."""

    def __init__(self, begin_us: int, end_us: int) -> None:
        self._begin_us, self._end_us = begin_us, end_us
        self._outcomes: Counter[str] = Counter()
        self._ttft = Digest()
        self._cost_usd: Decimal | None = None
        self._unpriced = 0

    def add(self, probe: Probe) -> None:
        if not self._begin_us <= probe.sent_us <= self._end_us:
            return
        self._outcomes[probe.outcome] += 1
        if probe.outcome == "succeeded" and probe.ttft_ms is not None:
            self._ttft.add(probe.ttft_ms)
        if probe.cost_usd is not None:
            self._cost_usd = (self._cost_usd or Decimal(0)) + probe.cost_usd
        elif probe.outcome != "dropped":
            self._unpriced += 1

    def document(self) -> dict[str, Any] | None:
        """As a summary has it; None without a probe."""
        if not self._outcomes:
            return None
        return {
            "requests": {
                "succeeded": self._outcomes["succeeded"],
                "failed": sum(self._outcomes[name] for name in FAILURES),
                "dropped": self._outcomes["dropped"],
            },
            # Probes of one server wait for the same load, so they are not independent of each other.
            "ttft_ms": self._ttft.distribution(independent=False),
            "cost_usd": None if self._cost_usd is None else str(self._cost_usd),
            "unpriced_requests": self._unpriced,
        }
