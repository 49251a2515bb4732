"""A rule: when a benchmark fails. `cli.gate.parse` reads it, `cli.gate.judge` applies it."""

from dataclasses import dataclass
from typing import Literal

from cli.gate.measure import Measure

Operator = Literal[">", ">=", "<", "<="]


@dataclass(frozen=True, slots=True)
class Relative:
    """A bound that depends on the baseline: its number times `factor`, or its number plus `plus`."""

    factor: float = 1.0
    plus: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """The benchmark fails if the number stands in this relation to the bound.

    `text`: the rule in one way of writing it, in letters that are safe anywhere. `bound`: a number in the unit of the
    measure, a grade, or relative to the baseline.
    """

    text: str
    measure: Measure
    statistic: str | None
    operator: Operator
    bound: float | str | Relative

    @property
    def name(self) -> str:
        """`ttft_ms.p95`."""
        return self.measure.name if self.statistic is None else f"{self.measure.name}.{self.statistic}"

    @property
    def needs_baseline(self) -> bool:
        return isinstance(self.bound, Relative)

    @property
    def is_upper(self) -> bool:
        """Whether larger numbers break it."""
        return self.operator in (">", ">=")

    def is_beyond(self, value: float, bound: float) -> bool:
        """Whether the number breaks the rule."""
        match self.operator:
            case ">":
                return value > bound
            case ">=":
                return value >= bound
            case "<":
                return value < bound
            case _:
                return value <= bound
