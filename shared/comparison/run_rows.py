"""The measured requests of a run as columns, in order of time. The database fills them, `pair.py` compares them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUANTILE_METRICS = ("ttft_ms", "latency_ms", "tpot_ms", "tokens_per_second")


@dataclass(frozen=True, slots=True)
class RunRows:
    """Requests that succeeded or failed. Those that a cancel or the load cut off are left out.

    NaN: unknown. `share`: of the requests that were read; below 1, these are a sample of a very long run.
    """

    prompts: NDArray[np.int64]
    succeeded: NDArray[np.bool_]
    metrics: dict[str, NDArray[np.float64]]
    cost_usd: NDArray[np.float64]
    share: float = 1.0

    @property
    def count(self) -> int:
        return len(self.prompts)

    @property
    def failures(self) -> int:
        return int(self.count - self.succeeded.sum())

    @property
    def priced(self) -> NDArray[np.int64]:
        """Places of the requests whose cost is known, failed ones included."""
        return np.flatnonzero(~np.isnan(self.cost_usd))

    def known(self, metric: str) -> NDArray[np.int64]:
        """Places of the succeeded requests whose metric is known."""
        return np.flatnonzero(self.succeeded & ~np.isnan(self.metrics[metric]))
