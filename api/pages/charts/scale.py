"""A scale: values to pixels, with the ticks of its axis."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["linear", "log"]

_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `low`…`high` to `start_px`…`end_px`. Both values of a log scale are above 0."""

    kind: Kind
    low: float
    high: float
    start_px: float
    end_px: float

    @classmethod
    def over(
        cls,
        values: Iterable[float | None],
        start_px: float,
        end_px: float,
        kind: Kind = "linear",
        *,
        zero: bool = False,
    ) -> "Scale":
        """A scale that all these values fit into. `zero`: it begins at 0, which a log scale cannot.

        Values that it cannot show (unknown, infinite, and not above 0 on a log scale) do not count.
        """
        shown = [value for value in values if value is not None and math.isfinite(value)]
        if kind == "log":
            shown = [value for value in shown if value > 0]
        low, high = (min(shown), max(shown)) if shown else (1.0, 10.0) if kind == "log" else (0.0, 1.0)
        if kind == "log":
            if low == high:
                low, high = low / 2, high * 2
            return cls(kind, low, high, start_px, end_px)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        if low == high:
            margin = abs(low) / 2 or 1.0
            low, high = (0.0, high + margin) if zero else (low - margin, high + margin)
        return cls(kind, low, high, start_px, end_px)

    def at(self, value: float) -> float:
        """The pixel of a value; of one outside, beyond the ends."""
        if self.kind == "log":
            part = math.log(value / self.low) / math.log(self.high / self.low) if value > 0 else 0.0
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start_px + part * (self.end_px - self.start_px)

    def shows(self, value: float | None) -> bool:
        """Whether a value is within it."""
        return value is not None and self.low <= value <= self.high

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within it, at most about so many."""
        if self.kind == "log":
            return self._log_ticks(most)
        return self._linear_ticks(most)

    def _linear_ticks(self, most: int) -> list[float]:
        rough = (self.high - self.low) / max(most - 1, 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in _STEPS if factor * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        # Rounded, since multiples of 0.1 are not.
        digits = max(0, 2 - math.floor(math.log10(step)))
        return [round(number * step, digits) + 0.0 for number in range(first, last + 1)]

    def _log_ticks(self, most: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        ticks: list[float] = []
        for factors in ((1, 2, 5), (1, 3), (1,)):
            values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
            ticks = [value for value in values if self.shows(value)]
            if len(ticks) <= most:
                break
        if len(ticks) < 2:
            # Less than a decade: round values as on a linear scale.
            return self._linear_ticks(most)
        step = -(-len(ticks) // most)
        return ticks[::step]
