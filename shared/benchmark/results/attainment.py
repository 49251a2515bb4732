"""What the probes of one load say: how many requests met the SLOs, and whether that decides anything."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.numbers.wilson import wilson_interval


@dataclass(frozen=True, slots=True)
class Attainment:
    """Requests that met the SLOs, of those attempted. `target`: the share that is asked for."""

    met: int
    attempted: int
    target: float

    @property
    def share(self) -> float | None:
        return self.met / self.attempted if self.attempted else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.met, self.attempted)

    @property
    def passed(self) -> bool:
        return self.share is not None and self.share >= self.target

    @property
    def resolved(self) -> bool:
        """Whether the whole interval is on one side of the target."""
        low, high = self.interval
        return low >= self.target or high < self.target


def pooled(parts: Iterable[Attainment], target: float) -> Attainment:
    """Several probes of one load as one."""
    met = attempted = 0
    for part in parts:
        met += part.met
        attempted += part.attempted
    return Attainment(met, attempted, target)
