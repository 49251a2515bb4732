"""The numbers of a benchmark's requests, without their texts, for comparisons. For `api/present/comparisons.py`."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import false, select, true

from shared.access.caller import Caller
from shared.benchmark.results.outcome import FAILURES
from shared.db.access.owned import sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Result

if TYPE_CHECKING:
    from shared.comparison.run_rows import RunRows

# Of a longer run, about so many results are read, evenly over its whole length.
MOST_RESULTS = 100_000
_A_PAGE = 2_000
# A result is read by a number from 0 to 999 that follows from its id. Neighbouring ids have numbers far apart, so that
# no prompt of a list that is sent in turn is left out.
_PARTS, _STEP = 1_000, 919


@tries_again
class ComparisonRows:
    """Columns of `results`."""

    def __init__(self, caller: Caller, database: Database, *, most_results: int = MOST_RESULTS) -> None:
        self._caller = caller
        self._database = database
        self._most = most_results

    async def of(self, benchmark_id: int, results: int) -> "RunRows":
        """The measured requests that succeeded or failed, in the order in which they ended.

        `results`: how many the benchmark has. Empty if it has none, or was deleted.
        """
        parts = _PARTS if results <= self._most else max(1, _PARTS * self._most // results)
        chosen = true() if parts == _PARTS else (Result.id % _PARTS) * _STEP % _PARTS < parts
        rows: list[Sequence[Any]] = []
        last = 0
        while True:
            query = (
                select(
                    Result.id,
                    Result.prompt_index,
                    Result.outcome,
                    Result.ttft_ms,
                    Result.latency_ms,
                    Result.tpot_ms,
                    Result.tokens_per_second,
                    Result.cost_usd,
                )
                .where(Result.benchmark_id == benchmark_id, Result.id > last, Result.warmup == false(), chosen)
                .where(Result.outcome.in_(("succeeded", *FAILURES)), sees(self._caller, benchmark_id))
                .order_by(Result.id)
                .limit(_A_PAGE)
            )
            async with self._database.read() as session:
                found = (await session.execute(query)).all()
            rows += found
            if len(found) < _A_PAGE:
                # In a thread: it takes 0.2 s for 100,000 results.
                return await asyncio.to_thread(_columns, rows, parts / _PARTS)
            last = found[-1].id


def _columns(rows: Sequence[Sequence[Any]], share: float) -> "RunRows":
    import numpy as np  # here, because it takes 0.1 s: the API starts without it

    from shared.comparison.run_rows import QUANTILE_METRICS, RunRows

    columns = list(zip(*rows, strict=True)) or [()] * 8
    _, prompts, outcomes, *metrics, costs = columns
    return RunRows(
        np.array(prompts, dtype=np.int64),
        np.array([outcome == "succeeded" for outcome in outcomes], dtype=bool),
        # None becomes NaN.
        {name: np.array(values, dtype=np.float64) for name, values in zip(QUANTILE_METRICS, metrics, strict=True)},
        np.array([None if cost is None else float(cost) for cost in costs], dtype=np.float64),
        share,
    )
