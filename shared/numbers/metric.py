"""The type of an entry in the registry `shared.numbers.metrics`."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from shared.numbers.formulas import RequestFacts

NEVER = "never"

# Where the value of a request comes from. `run`: a request has no such value, only the summary has a distribution.
Source = Literal["timeline", "engine", "usage", "price", "answer", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a field of a result means: its unit, its definition, and when it is null."""

    name: str
    unit: str
    definition: str
    null_when: str = NEVER

    @property
    def text(self) -> str:
        """The definition in full, as schemas and the CLI print it."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        null = f" Null when {self.null_when}." if self.nullable else ""
        return f"{self.definition}.{unit}{null}"

    @property
    def nullable(self) -> bool:
        return self.null_when != NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Definition):
    """A number about one LLM request. `compute` is set if the source is the timeline.

    `distributed`: the summary has a distribution of it. `sortable`: `GET …/results?sort=` takes it.
    `row`: its title in the terminal's table of distributions; `column`: its title in the table of single requests.
    """

    source: Source
    compute: Callable[[RequestFacts], float | None] | None = None
    distributed: bool = False
    sortable: bool = False
    row: str | None = None
    column: str | None = None
    # For the API's schema.
    example: Any = None

    @property
    def kind(self) -> type[float] | type[int] | type[Decimal]:
        """The type of a value: tokens are whole, money is exact."""
        return {"tokens": int, "USD": Decimal}.get(self.unit, float)

    @property
    def stored(self) -> bool:
        """Whether each result has a value, in a column of this name."""
        return self.source != "run"
