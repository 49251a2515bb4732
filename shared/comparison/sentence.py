"""A difference as one sentence: "B's P95 TTFT is 180 ms lower [120, 240]". `comparison.py` and the pages show it."""

import math

from shared.comparison.measure import COST, ERRORS, Difference, Interval, Measure
from shared.comparison.verdict import Verdict

_MINUS = "−"


def sentence_of(
    measure: Measure, difference: Difference, verdict: Verdict, more: int | None, *, label: str, reference: str
) -> str:
    """About the benchmark `label`, compared with `reference`. Both are letters."""
    subject = f"{label}'s {measure.title}"
    if difference.value is None:
        return f"{subject}: {_too_few(measure, difference)}"
    scale = _Scale(measure, difference)
    if verdict == "different":
        return f"{subject} is {scale.directed()}"
    if verdict == "too_small_to_matter":
        return f"{subject} is {scale.directed()}: different, but too small to matter"
    if verdict == "practically_equal":
        return f"{subject} is practically equal to {reference}'s: {scale.signed()}"
    if verdict == "withheld":
        return f"{subject}: {scale.signed()}, no verdict"
    return f"{subject}: too early to tell: {_more(difference, more)}{scale.so_far()}"


def _too_few(measure: Measure, difference: Difference) -> str:
    least = min(difference.reference.n, difference.other.n)
    if not least:
        return "not known of both"
    return f"too early to tell: it needs {measure.least:,} values of each, the smaller run has {least:,}"


def _more(difference: Difference, more: int | None) -> str:
    if more is None:
        return "it needs more requests"
    kind = "requests with new prompts" if difference.basis == "prompts" else "requests" if more > 1 else "request"
    return f"about {more:,} more {kind} in each"


class _Scale:
    """Writes the difference and its interval in one unit, to the same digit."""

    def __init__(self, measure: Measure, difference: Difference) -> None:
        self._value: float = difference.value or 0.0
        self._interval = difference.interval_95
        self._before, self._after, self._factor = "", f" {measure.unit}", 1.0
        most = max(abs(number) for number in (self._value, *(self._interval or ())))
        if measure is ERRORS:
            self._factor, self._after = 100.0, " points"
        elif measure is COST:
            self._before, self._after = "$", " per 1,000 requests"
        elif measure.unit == "ms" and most >= 1_000:
            self._factor, self._after = 0.001, " s"
        # Three digits of the largest number, and as many places of the others.
        shown = most * self._factor
        self._places = 2 if not shown else min(12, max(0, 2 - math.floor(math.log10(shown))))

    def directed(self) -> str:
        """`180 ms lower [120, 240]`: the interval in the same direction."""
        way = "higher" if self._value > 0 else "lower"
        turned: Interval | None = self._interval
        if self._value < 0 and turned is not None:
            turned = -turned[1], -turned[0]
        return f"{self._amount(abs(self._value))} {way}{self._bracket(turned)}"

    def signed(self) -> str:
        """`+3 ms [−4, 10]`."""
        return f"{self._amount(self._value, sign=True)}{self._bracket(self._interval)}"

    def so_far(self) -> str:
        return f" (so far {self.signed()})"

    def _amount(self, value: float, *, sign: bool = False) -> str:
        written = self._number(abs(value))
        is_zero = not any(digit in "123456789" for digit in written)
        before = "" if is_zero else _MINUS if value < 0 else "+" if sign else ""
        return f"{before}{self._before}{written}{self._after}"

    def _bracket(self, interval: Interval | None) -> str:
        if interval is None:
            return ""
        low, high = (f"{_MINUS if number < 0 else ''}{self._number(abs(number))}" for number in interval)
        return f" [{low}, {high}]"

    def _number(self, value: float) -> str:
        return f"{value * self._factor:,.{self._places}f}"
