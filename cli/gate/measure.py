"""What a rule can be about: the distributions of the registry of metrics, and single numbers of a summary."""

from dataclasses import dataclass
from typing import Literal

from shared.numbers.metrics import METRICS
from shared.numbers.percentiles import MIN_COUNT

Unit = Literal["ms", "ms/token", "tokens/s", "requests/s", "share", "USD", "s", "grade"]

STATISTICS = ("min", "mean", *(f"p{percent}" for percent in MIN_COUNT), "max", "stdev")
GRADES = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that a rule can be about. `statistics`: those of a distribution; a single number has none."""

    name: str
    unit: Unit
    statistics: tuple[str, ...] = ()


def _unit(name: str) -> Unit:
    unit = METRICS[name].unit
    known: dict[str, Unit] = {"ms": "ms", "ms/token": "ms/token", "tokens/s": "tokens/s"}
    return known[unit]


DISTRIBUTIONS = tuple(
    Measure(metric.name, _unit(metric.name), STATISTICS) for metric in METRICS.values() if metric.distributed
)
ERROR_RATE = Measure("error_rate", "share")
ATTAINMENT = Measure("attainment", "share")
COST_PER_1000 = Measure("cost_usd_per_1000", "USD")
TOTAL_COST = Measure("total_cost_usd", "USD")
GOODPUT = Measure("goodput", "requests/s")
GRADE = Measure("grade", "grade")
NUMBERS = (
    ERROR_RATE,
    ATTAINMENT,
    GOODPUT,
    Measure("request_throughput", "requests/s"),
    Measure("input_token_throughput", "tokens/s"),
    Measure("output_token_throughput", "tokens/s"),
    Measure("total_token_throughput", "tokens/s"),
    COST_PER_1000,
    TOTAL_COST,
    Measure("duration_s", "s"),
    GRADE,
)
MEASURES = {measure.name: measure for measure in (*DISTRIBUTIONS, *NUMBERS)}
